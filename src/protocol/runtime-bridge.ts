// How `supervise/runtime`, as an app has it installed, meets the agent, as the supervisor brought it: through one
// global, so that any version of the one works with any version of the other. Only ever add optional members.

import type { GroupName } from './messages.ts'

/** Where the agent puts its side: `globalThis[Symbol.for('supervise.agent')]`. */
export const RUNTIME_BRIDGE: unique symbol = Symbol.for('supervise.agent')

/** What an `onDrain` callback is told. */
export interface DrainNotice {
  /** How long from now the worker may take at most. */
  readonly deadlineMs: number
  /** Aborts at the deadline, and when the worker is called back into service. */
  readonly signal: AbortSignal
}

export type DrainCallback = (notice: DrainNotice) => void | Promise<void>

/** A `Registry` of prom-client, of whichever version, as far as it is used here. */
export interface MetricsRegistry {
  getMetricsAsJSON(): unknown
}

export interface RuntimeBridge {
  readonly app: string
  readonly group: GroupName
  readonly release: string
  readonly worker: number
  /** Returns what takes the callback back. */
  onDrain(callback: DrainCallback): () => void
  /** Returns what takes the registry back. */
  registerMetrics?(registry: MetricsRegistry): () => void
}
