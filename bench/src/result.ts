// The result of a run, as it is kept in bench/results/.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Figure } from './figure.ts'
import type { Machine, Versions } from './machine.ts'

const DIRECTORY = new URL('../results/', import.meta.url)

export interface MeasureResult {
  readonly id: number
  readonly title: string
  readonly tookSeconds: number
  readonly figures: readonly Figure[]
  /** Why there is no figure. */
  readonly failure: string | null
}

export interface Result {
  readonly schema: 1
  readonly at: string
  readonly tookSeconds: number
  readonly rounds: number
  readonly machine: Machine
  readonly versions: Versions
  readonly measures: readonly MeasureResult[]
}

/** `latest` is a whole run; `partial` one of some measures or a quick one; `reloads` the thousand reloads; `flips` the
    thousand flips; `releases` what moving between releases costs, and how others do it; `logs` the log lines; `metrics` what is counted;
    `deaths` what a supervisor's end costs; `faults` the deaths of workers
    and supervisors beside PM2. */
export type ResultName =
  | 'latest'
  | 'logs'
  | 'metrics'
  | 'deaths'
  | 'faults'
  | 'partial'
  | 'reloads'
  | 'flips'
  | 'releases'

export function writeResult(name: ResultName, result: Result): string {
  mkdirSync(DIRECTORY, { recursive: true })
  const file = new URL(`${name}.json`, DIRECTORY)
  writeFileSync(file, `${JSON.stringify(result, rounded, 2)}\n`)
  return file.pathname
}

/** Null when there was no such run yet. */
export function readResult(name: ResultName): Result | null {
  try {
    const result: Result = JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), 'utf8'))
    return result
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value
}
