// How a whole instance ends within the time that somebody else gives it: a platform that sends SIGTERM and, later, SIGKILL to
// everything. What does not fit is shortened, so that workers are ended in order rather than all at once.
//
// Rules of this file
// 1. Delay, drain and kill together end before the budget does.
// 2. Nothing is made longer than was configured, and nothing changes when all of it fits.

import { DRAIN_REPORT_GRACE_MS } from './worker-lifecycle.ts'

export interface StopTiming {
  /** How long the instance is unready and serves on before it drains. */
  readonly delayMs: number
  /** For all of the stop; null where nobody sets an end. */
  readonly budgetMs: number | null
}

export interface StopTimes {
  readonly drainTimeoutMs: number
  readonly killTimeoutMs: number
}

/** What the supervisor itself needs at the end, for its last lines: a tenth, and a second at most. */
const OWN_MS = 1000
const OWN_SHARE = 0.1
/** Of what is left for a worker: for its own end after the stop signal, and for its last report. */
const KILL_SHARE = 0.2
const REPORT_SHARE = 0.25

/** The delay gets half of the budget at most: requests that are cut cost more than a few late ones that are refused. */
export function delayWithin({ delayMs, budgetMs }: StopTiming): number {
  return budgetMs === null ? delayMs : Math.min(delayMs, Math.floor(budgetMs / 2))
}

/** When whatever is left is killed, counted from the beginning of the stop; null is never. */
export function endWithin({ budgetMs }: StopTiming): number | null {
  return budgetMs === null ? null : budgetMs - Math.min(OWN_MS, Math.floor(budgetMs * OWN_SHARE))
}

/** What one app's workers get of it. */
export function timesWithin(timing: StopTiming, wanted: StopTimes): StopTimes {
  const endMs = endWithin(timing)
  if (endMs === null) return wanted
  const leftMs = Math.max(0, endMs - delayWithin(timing))
  const { drainTimeoutMs, killTimeoutMs } = wanted
  if (drainTimeoutMs + DRAIN_REPORT_GRACE_MS + killTimeoutMs <= leftMs) return wanted
  const killMs = Math.min(killTimeoutMs, Math.floor(leftMs * KILL_SHARE))
  const reportMs = Math.min(DRAIN_REPORT_GRACE_MS, Math.floor(leftMs * REPORT_SHARE))
  return { drainTimeoutMs: Math.min(drainTimeoutMs, leftMs - killMs - reportMs), killTimeoutMs: killMs }
}
