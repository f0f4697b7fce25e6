// When a process that ended by itself may start again, and how long it waits first: exponential back-off, and restart
// intensity as in OTP's supervisor. Chance is not decided here: the caller brings a random number for the jitter.

export interface RestartPolicy {
  readonly restart: 'always' | 'on-failure' | 'never'
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** A process that lived for so long was healthy: the back-off begins anew. */
  readonly minUptimeMs: number
  /** Restart intensity: more crashes than this within the window, and the worker has failed. */
  readonly maxRestarts: number
  readonly restartWindowMs: number
  readonly failedRetryMs: number
}

/** What is remembered of one worker id across its processes. Times are of a monotonic clock. */
export interface CrashHistory {
  /** Within the window. */
  readonly crashes: readonly number[]
  /** Since the last healthy period. */
  readonly inARow: number
}

export const NO_CRASHES: CrashHistory = { crashes: [], inARow: 0 }

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number }
  /** Too often: an alarm, and a slow retry. */
  | { readonly kind: 'fail'; readonly delayMs: number }
  /** The policy says that this exit is an end. */
  | { readonly kind: 'end' }

export interface UnaskedExit {
  /** Exit code 0. */
  readonly clean: boolean
  readonly uptimeMs: number
}

/** Decides what follows an exit that nobody asked for. `chance` is a random number from 0 up to 1. */
export function afterExit(
  history: CrashHistory,
  exit: UnaskedExit,
  now: number,
  policy: RestartPolicy,
  chance: number,
): { history: CrashHistory; decision: RestartDecision } {
  const counted = countCrash(history, exit.uptimeMs, now, policy)
  // One that was healthy comes back at once: there is nothing yet to back off from.
  const isFirst = exit.uptimeMs >= policy.minUptimeMs && counted.crashes.length === 1
  if (policy.restart === 'never' || (policy.restart === 'on-failure' && exit.clean)) {
    return { history: counted, decision: { kind: 'end' } }
  }
  if (counted.crashes.length > policy.maxRestarts) {
    return { history: counted, decision: { kind: 'fail', delayMs: withJitter(policy.failedRetryMs, chance) } }
  }
  return {
    history: counted,
    decision: { kind: 'restart', delayMs: isFirst ? 0 : withJitter(backoffMs(counted.inARow, policy), chance) },
  }
}

/** Adds a crash at `now` and forgets those older than the window. */
export function countCrash(history: CrashHistory, uptimeMs: number, now: number, policy: RestartPolicy): CrashHistory {
  const recent = history.crashes.filter((at) => at > now - policy.restartWindowMs)
  return { crashes: [...recent, now], inARow: uptimeMs >= policy.minUptimeMs ? 1 : history.inARow + 1 }
}

/** Doubles with each crash in a row, up to the limit. */
export function backoffMs(inARow: number, policy: RestartPolicy): number {
  return Math.min(policy.backoffMs * 2 ** Math.max(inARow - 1, 0), policy.maxBackoffMs)
}

/** 75 to 125 %: workers that died together of one cause do not come back together. */
export function withJitter(ms: number, chance: number): number {
  return Math.round(ms * (0.75 + chance / 2))
}
