// Directories that must be there before something is put into them. Not Node's own recursive mkdir: where the system denies
// that a directory exists that does (/proc, /sys, an automounter), it tries for ever and holds the loop.

import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes what is missing of an absolute path, as a rule for its owner alone; throws the system's error where that cannot be. */
export function makeDirectories(path: string, mode = 0o700): void {
  const missing: string[] = []
  for (let current = path; !isThere(current) && current !== dirname(current); current = dirname(current))
    missing.unshift(current)
  for (const directory of missing) makeOne(directory, mode)
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // Another process was faster.
    if (!isThere(path)) throw error
  }
}

/** A file in the way is an ENOTDIR at whatever comes below it, and an EEXIST when it is the last. */
function isThere(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
