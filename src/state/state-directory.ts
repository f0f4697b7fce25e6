// Where one instance keeps what outlives it.

import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { makeDirectories } from '../config/make-directories.ts'
import { whyNotWritten } from '../config/why-not-written.ts'
import { stateRoot } from './state-root.ts'

export function stateDirectory(
  instance: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return join(stateRoot(env), instance)
}

/** Makes the directory; null when files can be written there, else why not, in words that follow "since". */
export function whyNothingIsKept(directory: string): string | null {
  try {
    makeDirectories(directory)
    accessSync(directory, constants.W_OK | constants.X_OK)
    return null
  } catch (error) {
    return whyNotWritten(error)
  }
}
