// The instance's own memory across its death: which apps it runs, from what, and which processes are theirs. It lives in
// the runtime directory, since it is about processes; a reboot ends both.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import { reached } from '../fault-points.ts'
import type { GroupName } from '../protocol/messages.ts'
import { setAside } from './set-aside.ts'

/** Raised when an older supervisor could not go by what this one writes. Fields that it does not know it passes over. */
export const STATE_SCHEMA = 2

/** The version before is always read, and can read this one: an upgrade goes up and down by one version. */
export const OLDEST_STATE = 2

export interface SavedGeneration {
  readonly number: number
  readonly group: GroupName
  readonly release: { readonly id: string; readonly path: string; readonly version: string | null }
  readonly config: AppConfig
  readonly given: { readonly script: string; readonly cwd: string }
  readonly isPinned: boolean
  readonly own: { readonly node?: string; readonly env?: Readonly<Record<string, string>> }
}

export interface SavedApp {
  readonly name: string
  readonly source: ConfigSource
  readonly stopped: boolean
  /** Of the active group. */
  readonly wanted: number
  /** The generation that restarts of the active group are made from; the group is the generation's. */
  readonly current: number
  /** The other group, if there is one. */
  readonly standby: { readonly wanted: number; readonly current: number } | null
  /** Those, and others that processes still run. */
  readonly generations: readonly SavedGeneration[]
}

export interface SavedWorker {
  readonly app: string
  readonly id: number
  readonly incarnation: string
  readonly generation: number
  readonly pid: number
  readonly startTime: string
  /** It was found ready. */
  readonly ready: boolean
  /** It had been told to end. */
  readonly leaving?: true
}

export interface InstanceState {
  readonly schema: number
  /** The oldest version of a reader that can go by it; left out by an earlier supervisor. */
  readonly oldest?: number
  readonly instance: string
  readonly pid: number
  /** The supervisor was told to stop, with everything that it runs. */
  readonly ending?: true
  /** Of the kernel that ran then; left out where it does not say. */
  readonly boot?: string
  readonly apps: readonly SavedApp[]
  readonly workers: readonly SavedWorker[]
}

/** Atomic: a reader sees the old state or the new one. Only its owner can read it, since it has environments in it. */
export function writeState(file: string, state: InstanceState): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    reached('state.writing')
    writeFileSync(temporary, JSON.stringify(state), { mode: 0o600 })
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) setAside(file)
    reached('state.drafted')
    renameSync(temporary, file)
    reached('state.written')
  } catch (error) {
    // Half of one takes room that the next one needs.
    rmSync(temporary, { force: true })
    throw error
  }
}

export type ReadState =
  | { readonly kind: 'none' }
  | { readonly kind: 'state'; readonly state: InstanceState }
  /** `problem` says in words what is wrong with it. */
  | { readonly kind: 'unusable'; readonly problem: string }

/** Never throws: whatever is in the file, workers that live are not harmed by it. `instance` is whose it should be. */
export function readState(file: string, instance: string): ReadState {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? { kind: 'none' } : { kind: 'unusable', problem: message }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('schema' in value))
      return { kind: 'unusable', problem: 'it is no state file' }
    if (!isReadable(value))
      return {
        kind: 'unusable',
        problem: `it is of version ${String(value.schema)}, and this is version ${STATE_SCHEMA}`,
      }
    if (!('instance' in value) || value.instance !== instance)
      return { kind: 'unusable', problem: 'it is of another instance' }
    if (!hasLists(value)) return { kind: 'unusable', problem: 'it lacks its apps or its workers' }
    // Written by this project under this schema number, in one piece: its shape is known.
    return { kind: 'state', state: value as InstanceState }
  } catch {
    return { kind: 'unusable', problem: 'it is no JSON' }
  }
}

function isReadable(value: { readonly schema: unknown; readonly oldest?: unknown }): boolean {
  const { schema, oldest } = value
  if (typeof schema !== 'number' || schema < OLDEST_STATE) return false
  return schema <= STATE_SCHEMA || (typeof oldest === 'number' && oldest <= STATE_SCHEMA)
}

function hasLists(value: object): boolean {
  return 'apps' in value && Array.isArray(value.apps) && 'workers' in value && Array.isArray(value.workers)
}
