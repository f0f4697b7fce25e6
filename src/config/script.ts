// The app's main module: whether it can be run, what may have been meant when it cannot, and what it is called.

import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { codeOf } from './failure.ts'
import { didYouMean, isRecord, quote } from './parser.ts'
import { nearest } from './suggest.ts'

const SCRIPT_EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']

/** Main modules that an app without a package.json usually has. */
export const COMMON_SCRIPTS: readonly string[] = ['index', 'server', 'app', 'main'].flatMap((stem) =>
  ['.js', '.mjs', '.cjs', '.ts', '.mts'].map((extension) => stem + extension),
)

/** The name of an app that was given none, or null when the file's name has nothing to make one of. */
export function nameOfScript(script: string): string | null {
  const stem = basename(script, extname(script))
  const speaking = stem === 'index' ? basename(dirname(script)) : stem
  const cleaned = speaking.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '')
  return cleaned === '' ? null : cleaned.slice(0, 64)
}

/** Why `script` cannot be run, in words that follow a place; null when it can. Paths in suggestions begin at `directory`. */
export function problemOfScript(script: string, cwd: string, directory: string): string | null {
  const show = (path: string) => relative(directory, path) || '.'
  try {
    if (statSync(script).isDirectory()) {
      const main = mainOf(script)
      const hint = main === null ? 'name a file in it' : `write its main file, "${show(main)}"`
      return `${quote(script)} is a directory; ${hint}`
    }
    accessSync(script, constants.R_OK)
    return null
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EACCES') return `${quote(script)} cannot be read by this user (${code}); change its permissions`
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return `${quote(script)} cannot be read (${code})`
    return `${quote(script)} does not exist${didYouMean(likelyScripts(script, cwd, directory).map(show))}`
  }
}

function likelyScripts(script: string, cwd: string, directory: string): readonly string[] {
  const withExtension = SCRIPT_EXTENSIONS.map((extension) => script + extension).filter(isFile)
  // Somebody used to other process managers may have written it relative to `cwd`.
  const belowCwd = resolve(cwd, relative(directory, script))
  if (withExtension.length > 0) return withExtension
  if (belowCwd !== script && isFile(belowCwd)) return [belowCwd]
  const folder = dirname(script)
  const near = nearest(
    basename(script),
    filesIn(folder).filter((file) => SCRIPT_EXTENSIONS.includes(extname(file))),
  )
  return near === null ? [] : [join(folder, near)]
}

/** What somebody may have meant who wrote `path`, as it would be typed; null when nothing is near. */
export function likelyTarget(path: string, directory: string): string | null {
  const [likely] = likelyScripts(path, directory, directory)
  return likely === undefined ? null : relative(directory, likely)
}

/** The main module of the directory: package.json's `main` if it is there, else an index file or another common name. */
export function mainOf(directory: string): string | null {
  const main = packageMain(directory)
  const candidates = [...(main === null ? [] : [main, `${main}.js`, join(main, 'index.js')]), ...COMMON_SCRIPTS]
  return candidates.map((candidate) => resolve(directory, candidate)).find(isFile) ?? null
}

function packageMain(directory: string): string | null {
  try {
    const content: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    return isRecord(content) && typeof content['main'] === 'string' ? content['main'] : null
  } catch {
    // A package.json that is missing or broken is Node's business once the app runs.
    return null
  }
}

/** Also of what cannot be looked at, which is none that could be used. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
