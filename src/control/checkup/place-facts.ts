// The directories that supervisors write to: how much room there is, whether this user may, and whether what is put there
// stays.

import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { stateRoot } from '../../state/state-root.ts'
import { runtimeRoot, type Environment } from '../instance-directory.ts'
import type { PlaceFacts } from './facts.ts'

/** A user with a file of this name has a manager, and a runtime directory, from boot on. */
const LINGERS = '/var/lib/systemd/linger'

export function placeFacts(environment: Environment): readonly PlaceFacts[] {
  return [
    factsOf('runtime', runtimeRoot(environment)),
    factsOf('state', stateRoot(environment)),
    factsOf('temporary', environment['TMPDIR'] || tmpdir()),
  ]
}

function factsOf(what: PlaceFacts['what'], path: string): PlaceFacts {
  const there = nearest(path)
  const { bsize, blocks, bavail, files, ffree } = statfsSync(there)
  return {
    what,
    path,
    exists: there === path,
    isWritable: isWritable(there),
    totalBytes: blocks * bsize,
    freeBytes: bavail * bsize,
    totalInodes: files,
    freeInodes: ffree,
    endsWithSession: /^\/run\/user\/\d+(\/|$)/.test(path) && !lingers(),
    isTidied: /^\/(?:var\/)?tmp\//.test(path),
  }
}

/** What is missing of it will be made there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Root's own does not end either. */
function lingers(): boolean {
  try {
    const { uid, username } = userInfo()
    return uid === 0 || existsSync(join(LINGERS, username))
  } catch {
    // A uid without a name has no sessions.
    return true
  }
}
