// What an app's configuration says of its rollouts.

import type { AppConfig } from '../config/app-config.ts'
import type { BakePolicy } from '../core/bake.ts'
import type { RolloutPlan } from '../core/rollout.ts'

/** A release that was refused is not looked at by default. */
const ABORT_DELAY_MS = 0

export function rolloutPlan(config: AppConfig): Pick<RolloutPlan, 'autoPromote' | 'policy'> {
  return {
    autoPromote: config.autoPromote,
    policy: {
      progressDeadlineMs: config.progressDeadlineMs,
      minReadyMs: config.minReadyMs,
      rollbackWindowMs: config.rollbackWindowMs,
      abortDelayMs: ABORT_DELAY_MS,
    },
  }
}

/** What is watched are crashes; shares of errors are not told by workers yet. */
export function bakePolicy({ bakeMs }: AppConfig): BakePolicy {
  return { bakeMs, minRequests: 0, absoluteMax: 1 }
}
