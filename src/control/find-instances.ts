// Which instances there are: those that answer, those that do not, and what dead ones left running.

import { existsSync, readFileSync } from 'node:fs'
import {
  instanceAt,
  instanceDirectory,
  instanceNames,
  type Environment,
  type InstanceDirectory,
} from './instance-directory.ts'
import { startTimeOf } from '../state/process-identity.ts'
import type { Pong } from './messages.ts'
import { ping } from './ping.ts'
import { findLeftWorkers, type LeftWorker } from '../supervisor/left-workers.ts'
import { heldOutputs } from '../telemetry/held-outputs.ts'

export type InstanceHandle =
  /** `pong` is null when a supervisor is there and did not answer in time. */
  | { readonly name: string; readonly directory: InstanceDirectory; readonly alive: true; readonly pong: Pong | null }
  /** `workers` counts those of its processes that still run; `pids` are theirs, as far as they can be known. */
  | {
      readonly name: string
      readonly directory: InstanceDirectory
      readonly alive: false
      readonly workers: number
      readonly pids: readonly number[]
    }

/** A host that is overloaded is where an answer is needed most. */
export const PING_MS = 2_000

/** Asks all at once, so that one that hangs costs `PING_MS` and no more. */
export async function findInstances(env: Environment = process.env): Promise<readonly InstanceHandle[]> {
  const named = instanceNames(env).map((name) => instanceDirectory(name, env))
  // Of some nothing is left but workers: their directory was wiped.
  const workers = Map.groupBy(findLeftWorkers(), ({ directory }) => directory)
  const known = new Set(named.map(({ path }) => path))
  const wiped = [...workers.keys()].filter((path) => !known.has(path)).flatMap((path) => instanceAt(path, env) ?? [])
  return Promise.all([...named, ...wiped].map((directory) => lookAt(directory, workers.get(directory.path) ?? [])))
}

async function lookAt(directory: InstanceDirectory, found: readonly LeftWorker[]): Promise<InstanceHandle> {
  const { name } = directory
  const answer = await ping(directory.controlSocket, PING_MS)
  if (typeof answer === 'object') return { name, directory, alive: true, pong: answer }
  if (answer === 'silent') return { name, directory, alive: true, pong: null }
  return { name, directory, alive: false, ...workersLeft(directory, found) }
}

/**
 * Those of the state that live, and those that the state does not know and whose output is held or that /proc shows. A
 * pid alone says nothing: it may have been given to another process since.
 */
function workersLeft({ stateFile, output }: InstanceDirectory, found: readonly LeftWorker[]) {
  const known = readWorkers(stateFile)
  const names = new Set(known.map(({ incarnation }) => incarnation))
  const living = known.filter(({ pid, startTime }) => startTimeOf(pid) === String(startTime))
  const strays = found.filter(({ incarnation }) => !names.has(incarnation))
  const others = new Set([...heldIn(output), ...strays.map(({ incarnation }) => incarnation)])
  const workers = living.length + [...others].filter((incarnation) => !names.has(incarnation)).length
  return { workers, pids: [...living, ...strays].map(({ pid }) => pid) }
}

function heldIn(output: string): readonly string[] {
  try {
    return heldOutputs(output)
  } catch {
    // The directory is gone, or another user's.
    return []
  }
}

/** Whether the supervisor had been told to stop, with everything that it ran, when it died. */
export function wasEnding({ stateFile }: InstanceDirectory): boolean {
  const state = readDocument(stateFile)
  return state !== null && 'ending' in state && state.ending === true
}

/** What a supervisor that is gone has written of its apps: those that should run, or why it cannot be read. */
export function appsLeft({ stateFile }: InstanceDirectory): {
  readonly names: readonly string[]
  readonly problem: string | null
} {
  const state = readDocument(stateFile)
  const isKnown = state !== null && 'apps' in state && Array.isArray(state.apps)
  if (!isKnown) return { names: [], problem: existsSync(stateFile) ? 'its state file cannot be read' : null }
  const apps: readonly unknown[] = Array.isArray(state.apps) ? state.apps : []
  return { names: apps.filter(isLeftApp).map(({ name }) => name), problem: null }
}

function isLeftApp(value: unknown): value is { readonly name: string } {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false
  return typeof value.name === 'string' && !('stopped' in value && value.stopped === true)
}

interface SavedProcess {
  readonly pid: number
  /** Field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string | number
  readonly incarnation?: unknown
}

function readWorkers(stateFile: string): readonly SavedProcess[] {
  const state = readDocument(stateFile)
  const workers: unknown = state !== null && 'workers' in state ? state.workers : []
  return Array.isArray(workers) ? workers.filter(isSavedProcess) : []
}

function readDocument(stateFile: string): object | null {
  try {
    const state: unknown = JSON.parse(readFileSync(stateFile, 'utf8'))
    return typeof state === 'object' ? state : null
  } catch {
    // A state file that is missing or broken names nobody; the supervisor's next start deals with it.
    return null
  }
}

function isSavedProcess(value: unknown): value is SavedProcess {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('startTime' in value)) return false
  return typeof value.pid === 'number' && ['string', 'number'].includes(typeof value.startTime)
}
