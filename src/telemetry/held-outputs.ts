// Which workers' FIFOs are held by a process. Of its own, since commands that only look must not load what reads them.

import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The incarnations whose output is in this directory and held by a process: as a rule, those that live. */
export function heldOutputs(directory: string): readonly string[] {
  const ending = '.out'
  const names = readdirSync(directory).filter((name) => name.endsWith(ending))
  return names.filter((name) => isHeld(join(directory, name))).map((name) => name.slice(0, -ending.length))
}

/** A FIFO that nobody reads cannot be opened for writing; a worker's own descriptors can read, too. */
function isHeld(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
    return true
  } catch {
    return false
  }
}
