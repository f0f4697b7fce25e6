// The log of an instance in the background: where it is, and opening it.

import { openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { logFileUnusable } from '../errors/control.ts'
import { makeDirectories } from '../config/make-directories.ts'
import { ownStateRoot } from '../state/state-root.ts'
import { whyNotWritten } from '../config/why-not-written.ts'
import type { Environment } from './instance-directory.ts'

export function logFileOf(name: string, env: Environment = process.env): string {
  return join(ownStateRoot(env), `${name}.log`)
}

/** Returns its descriptor. Whatever is written is added at its end, whoever else writes there. */
export function openLogFile(name: string, env: Environment): number {
  const file = logFileOf(name, env)
  try {
    makeDirectories(dirname(file))
    return openSync(file, 'a+', 0o600)
  } catch (error) {
    throw logFileUnusable(name, file, whyNotWritten(error))
  }
}
