// How many requests a process that ended by itself has taken with it.

import type { WorkerHandle } from './worker-handle.ts'

export interface CutRequests {
  /** Counted by the worker as aborted. */
  readonly told: number
  /** It had no time to count them: they were under way by its last word. */
  readonly untold: number
}

export function requestsCutWith(worker: WorkerHandle): CutRequests {
  const { drainReport, drainStartedAt, exiting, requestsLost, vitals } = worker
  if (exiting?.cut !== undefined) return { told: exiting.cut, untold: 0 }
  // What was still open at the end of its drain is in the report, and counted.
  if (drainReport !== null) return { told: 0, untold: 0 }
  return { told: 0, untold: drainStartedAt === null ? (vitals?.inFlight ?? 0) : requestsLost }
}
