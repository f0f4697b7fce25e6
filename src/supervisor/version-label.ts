// The version that people know a release by: package.json's, looked for from the script's directory upwards, else the short
// hash of the commit that git has there.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Null when neither says one. */
export function readVersion(directory: string): string | null {
  return packageVersion(directory) ?? commitHash(directory)
}

function packageVersion(directory: string): string | null {
  for (let current = directory; ; current = dirname(current)) {
    const version = versionIn(join(current, 'package.json'))
    if (version !== undefined) return version
    if (dirname(current) === current) return null
  }
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
