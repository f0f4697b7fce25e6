// Builds of an app that are to be moved between: each a directory of its own with its version in its package.json.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Version = '1' | '2'

export type Source = 'release.js' | 'throws.js'

/** Returns the directory. */
export function makeBuild(room: string, version: string, source: Source = 'release.js'): string {
  const directory = join(room, 'builds', version)
  mkdirSync(directory, { recursive: true })
  copyFileSync(sourceFile(source), scriptOf(directory))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'commonjs', version }))
  return directory
}

export function scriptOf(build: string): string {
  return join(build, 'app.js')
}

export function sourceFile(name: Source): string {
  return fileURLToPath(new URL(`../apps/${name}`, import.meta.url))
}

export function other(version: Version): Version {
  return version === '1' ? '2' : '1'
}
