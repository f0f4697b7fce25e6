// Who has an instance's lock, in a file of the instance's own directory: the kernel does not tell who bound an abstract
// name, and a holder that is busy does not tell it either.

import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSameProcess, startTimeOf } from '../state/process-identity.ts'
import type { InstanceDirectory } from './instance-directory.ts'

export interface LockHolder {
  readonly pid: number
  /** Null where the system has no `/proc`. */
  readonly startTime: string | null
  /** Known to those who may read the directory, and to nobody else. */
  readonly secret: string
}

/** Says that this process has the lock. */
export function writeHolder(directory: InstanceDirectory): void {
  const { pid } = process
  const holder: LockHolder = { pid, startTime: startTimeOf(pid), secret: randomBytes(16).toString('hex') }
  const temporary = `${fileOf(directory)}.${pid}`
  try {
    writeFileSync(temporary, JSON.stringify(holder), { mode: 0o600 })
    renameSync(temporary, fileOf(directory))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

export function removeHolder(directory: InstanceDirectory): void {
  if (readHolder(directory)?.pid === process.pid) rmSync(fileOf(directory), { force: true })
}

/** Null when nobody has said so, or not so that it can be understood. */
export function readHolder(directory: InstanceDirectory): LockHolder | null {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(directory), 'utf8'))
    return isHolder(value) ? value : null
  } catch {
    return null
  }
}

export function isAlive({ pid, startTime }: LockHolder): boolean {
  return isSameProcess(pid, startTime)
}

function fileOf({ path }: InstanceDirectory): string {
  return join(path, 'supervisor.json')
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== 'object' || value === null) return false
  if (!('pid' in value) || !('startTime' in value) || !('secret' in value)) return false
  const { pid, startTime, secret } = value
  return typeof pid === 'number' && (startTime === null || typeof startTime === 'string') && typeof secret === 'string'
}
