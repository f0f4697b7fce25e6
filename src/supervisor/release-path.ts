// Where a release is: the same app at the same place inside another directory.

import { accessSync, constants, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { AppConfig } from '../config/app-config.ts'
import { isFile } from '../config/script.ts'

type Place = Pick<AppConfig, 'script' | 'cwd'> & Partial<Pick<AppConfig, 'isCommand'>>

export type ReleaseProblem =
  | { readonly kind: 'missing' | 'noDirectory' | 'unreadable' }
  /** `code` is the system's word. */
  | { readonly kind: 'unusable'; readonly code: string }
  /** The directory is there, and the app's script is at none of these places in it. */
  | { readonly kind: 'noEntry'; readonly scripts: readonly string[] }

/**
 * Script and working directory inside the release at `root`. Which directory of the running app the release stands for is
 * not written anywhere: it is the largest one, from the working directory down, in whose place `root` has the script.
 */
export function relocate<Config extends Place>(config: Config, root: string): Config | ReleaseProblem {
  const found = attempt(() => statSync(root))
  if (typeof found === 'string') return problemOf(found)
  if (!found.isDirectory()) return { kind: 'noDirectory' }
  const closed = attempt(() => accessSync(root, constants.X_OK))
  if (typeof closed === 'string') return problemOf(closed)
  // A program from elsewhere, such as an interpreter, stays: the release is what it runs in.
  if (config.isCommand === true && !isInside(config.script, config.cwd)) return { ...config, cwd: root }
  const from = rootsOf(config).find((directory) => isFile(join(root, relative(directory, config.script))))
  if (from === undefined) return { kind: 'noEntry', scripts: placesOf(config) }
  const script = join(root, relative(from, config.script))
  const unread = attempt(() => accessSync(script, config.isCommand === true ? constants.X_OK : constants.R_OK))
  if (typeof unread === 'string') return problemOf(unread)
  return { ...config, script, cwd: isInside(config.cwd, from) ? join(root, relative(from, config.cwd)) : config.cwd }
}

export function isProblem(placed: Place | ReleaseProblem): placed is ReleaseProblem {
  return 'kind' in placed
}

/**
 * Where a release is, for a configuration that may say something else by now: another kind of app is none of that release,
 * and an interpreter from elsewhere is the configuration's business.
 */
export function placeOfRelease(release: Place, config: Place): Pick<AppConfig, 'script' | 'cwd'> {
  const isCommand = config.isCommand === true
  if ((release.isCommand === true) !== isCommand) return { script: config.script, cwd: config.cwd }
  const isElsewhere = isCommand && !isInside(config.script, config.cwd)
  return { script: isElsewhere ? config.script : release.script, cwd: release.cwd }
}

/** A file of the release, looked for beside the script and above it; null when there is none. */
export function fileOf(config: Place, name: string): string | null {
  const files = rootsOf(config).map((root) => join(root, name))
  return files.findLast(isFile) ?? null
}

/** Where it was looked for: the first place and the last say it all. */
function placesOf(config: Place): readonly string[] {
  const places = rootsOf(config).map((directory) => relative(directory, config.script))
  return [...new Set([places[0] ?? config.script, places.at(-1) ?? config.script])]
}

/** The script's directory and those above it as far as the working directory; the largest first. */
function rootsOf({ script, cwd }: Place): readonly string[] {
  const roots: string[] = []
  for (let current = dirname(script); ; current = dirname(current)) {
    roots.unshift(current)
    if (current === cwd || !isInside(current, cwd) || dirname(current) === current) return roots
  }
}

export function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way !== '..' && !way.startsWith('../')
}

function problemOf(code: string): ReleaseProblem {
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' }
  return code === 'EACCES' || code === 'EPERM' ? { kind: 'unreadable' } : { kind: 'unusable', code }
}

function attempt<Result>(body: () => Result): Result | string {
  try {
    return body()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
