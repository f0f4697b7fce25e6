// Releases of fixtures in directories of their own, and the symlink by which an app is pointed at one of them.

import { cpSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const FIXTURES = join(ROOT, 'test/fixtures')

const SHARED = ['routes.cjs', 'localhost-key.pem', 'localhost-cert.pem']

/** Path of a fixture, such as `hello.js`. */
export function fixture(name: string): string {
  return join(FIXTURES, name)
}

/**
 * Puts a fixture into `directory` as `script` (`app.js`), with what it needs beside it and `version` in version.txt. A
 * release that is there is overwritten, as a deploy in place does.
 */
export function makeRelease(
  directory: string,
  release: { readonly fixture: string; readonly version: string; readonly script?: string },
): string {
  mkdirSync(directory, { recursive: true })
  for (const file of SHARED) cpSync(fixture(file), join(directory, file))
  const script = join(directory, release.script ?? 'app.js')
  cpSync(fixture(release.fixture), script)
  writeFileSync(join(directory, 'version.txt'), `${release.version}\n`)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, version: release.version }))
  const modules = join(directory, 'node_modules')
  if (!existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules)
  return script
}

/** Points a symlink at another target in one step, as deploy tools do. */
export function switchLink(link: string, target: string): void {
  const next = join(dirname(link), `.${basename(link)}.${process.pid}`)
  symlinkSync(target, next)
  renameSync(next, link)
}
