// One supervisor a state directory. The lock is on the runtime directory, and two of those may lead to one state directory,
// such as that of a shell with XDG_RUNTIME_DIR and that of a cron job without: then each would write over the other's
// releases, events and counts. So whoever has the lock leaves a note of itself where its state is.

import { readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { makeDirectories } from '../config/make-directories.ts'
import { stateIsShared } from '../errors/control.ts'
import { isSameProcess, startTimeOf } from '../state/process-identity.ts'
import { stateDirectory } from '../state/state-directory.ts'
import { runtimeRoot, type Environment, type InstanceDirectory } from './instance-directory.ts'

interface Owner {
  /** The instance's own directory, links resolved. */
  readonly runtime: string
  readonly pid: number
  /** Null where the system has no `/proc`. */
  readonly startTime: string | null
}

/** Throws when a supervisor that lives keeps the state of an instance of this name for another runtime directory. */
export function refuseSharedState(name: string, env: Environment = process.env): void {
  const other = otherOwner(name, join(runtimeRoot(env), name), env)
  if (other !== null) throw stateIsShared(name, stateDirectory(name, env), other)
}

/** Only who holds the instance's lock may say so. Where nothing can be written, nothing can be written over either. */
export function noteOwner({ name, path }: InstanceDirectory, env: Environment = process.env): void {
  // Who only ends what is left of one may come beside another.
  if (otherOwner(name, path, env) !== null) return
  const { pid } = process
  const owner: Owner = { runtime: realPathOf(path), pid, startTime: startTimeOf(pid) }
  const file = fileOf(name, env)
  const draft = `${file}.${pid}`
  try {
    makeDirectories(dirname(file))
    writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 })
    renameSync(draft, file)
  } catch {
    removeIfThere(draft)
  }
}

/** Leaves the note of another one where it is. */
export function forgetOwner({ name }: InstanceDirectory, env: Environment = process.env): void {
  const file = fileOf(name, env)
  if (readOwner(file)?.pid === process.pid) removeIfThere(file)
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // A file is where its directory should be, or nothing can be written there any more.
  }
}

function otherOwner(name: string, path: string, env: Environment): Owner | null {
  const owner = readOwner(fileOf(name, env))
  if (owner === null || owner.runtime === realPathOf(path)) return null
  return isSameProcess(owner.pid, owner.startTime) ? owner : null
}

function readOwner(file: string): Owner | null {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return isOwner(value) ? value : null
  } catch {
    return null
  }
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== 'object' || value === null) return false
  if (!('runtime' in value) || !('pid' in value) || !('startTime' in value)) return false
  const { runtime, pid, startTime } = value
  return typeof runtime === 'string' && typeof pid === 'number' && (startTime === null || typeof startTime === 'string')
}

function fileOf(name: string, env: Environment): string {
  return join(stateDirectory(name, env), 'owner.json')
}

/** It may not be there yet, while what it will be in is. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path === dirname(path) ? path : join(realPathOf(dirname(path)), basename(path))
  }
}
