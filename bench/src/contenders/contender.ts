// What each way to run an app has to be able to do, so that every measure treats all of them alike.

import type { Finished } from '../command.ts'
import type { Place } from '../place.ts'

export const CONTENDERS = ['node', 'cluster', 'pm2', 'supervise'] as const
export type ContenderName = (typeof CONTENDERS)[number]

/** Proxies in front of plain node processes, and how they are told where to send requests. */
export type ProxyName = 'nginx' | 'haproxyReload' | 'haproxyTuned' | 'haproxySocket'

/** Whoever has figures of its own, in the order of the columns. */
export type ColumnName = ContenderName | ProxyName
export const COLUMNS: readonly ColumnName[] = [
  'node',
  'cluster',
  'pm2',
  'nginx',
  'haproxyReload',
  'haproxyTuned',
  'haproxySocket',
  'supervise',
]

/** What is to be run. */
export interface AppPlan {
  readonly script: string
  readonly workers: number
  /** The app closes its server when told to stop and says when it is ready; PM2 and supervise are told to wait for that. */
  readonly graceful?: boolean
  /** How long a worker may take to get ready. Default: the contender's own. */
  readonly readyTimeoutMs?: number
  /** Flags for supervise alone. */
  readonly superviseFlags?: readonly string[]
  /** The command of another build of supervise. */
  readonly superviseLauncher?: string
  /** Only supervise: `start -d`, as PM2 always does. */
  readonly detached?: boolean
  /** The Node binary that runs all of it. Default: the one that runs the benchmarks. */
  readonly node?: string
}

export interface RunningApp {
  readonly name: ContenderName
  readonly port: number
  /** From the start of the command to the first answer. */
  readonly firstAnswerMs: number
  /** The process that started the workers; for plain node the app itself. */
  readonly supervisorPid: number
  workerPids(): readonly number[]
  reload(): Promise<Finished>
  /** Runs the command that lists what runs. */
  status(): Promise<Finished>
  stop(): Promise<void>
}

export type StartContender = (plan: AppPlan, place: Place) => Promise<RunningApp>

export function cannot(name: ContenderName, what: string): () => Promise<never> {
  return () => Promise.reject(new Error(`Cannot ${what} with ${name}: it has no such command`))
}
