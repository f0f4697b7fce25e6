// The version that people know a release by: the nearest package.json's, from the script's directory up to the release's, else
// the short hash of the commit that git has there. What is above the release says nothing of it: the package.json of whoever
// keeps the releases, or of a home directory.

import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { isInside } from './release-path.ts'

/** Where a release ends. */
export interface ReleaseBounds {
  /** Directory that was deployed; null for what was started. */
  readonly root: string | null
  readonly cwd: string
}

/** Null when neither says one. */
export function readVersion(directory: string, bounds: ReleaseBounds): string | null {
  return packageVersion(directory, bounds) ?? commitHash(directory)
}

function packageVersion(directory: string, bounds: ReleaseBounds): string | null {
  for (const place of placesOf(directory, bounds)) {
    const version = versionIn(join(place, 'package.json'))
    if (version !== undefined) return version
  }
  return null
}

/** The script's directory and those above it, up to what was deployed, else to the working directory, else to git's. */
function placesOf(directory: string, { root, cwd }: ReleaseBounds): readonly string[] {
  const last = [root, cwd].find((bound) => bound !== null && isInside(directory, bound)) ?? null
  const places = [directory]
  for (let current = directory; current !== last && !existsSync(join(current, '.git'));) {
    current = dirname(current)
    if (current === dirname(current) || current === homedir()) break
    places.push(current)
  }
  return places
}

/** Undefined when there is no such file; the nearest one decides, even when it names no version. */
function versionIn(file: string): string | null | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : null
    return typeof version === 'string' ? version : null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : null
  }
}

const SHORT = 7

/** Read from git's own files: there need not be a git on a server. */
function commitHash(directory: string): string | null {
  for (let current = directory; ; current = dirname(current)) {
    const git = join(current, '.git')
    const head = textOf(join(git, 'HEAD'))
    if (head !== null) return hashOf(git, head)?.slice(0, SHORT) ?? null
    if (dirname(current) === current) return null
  }
}

function hashOf(git: string, head: string): string | null {
  if (!head.startsWith('ref: ')) return head
  const ref = head.slice('ref: '.length)
  const packed = textOf(join(git, 'packed-refs'))?.split('\n') ?? []
  return textOf(join(git, ref)) ?? packed.find((line) => line.endsWith(` ${ref}`)) ?? null
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    // A directory that git does not know, or a work tree whose `.git` is a file: then there is no hash.
    return null
  }
}
