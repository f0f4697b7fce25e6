// What an app's configuration says of its rollouts.

import type { AppConfig } from '../config/app-config.ts'
import type { BakePolicy } from '../core/bake.ts'
import type { RolloutPlan } from '../core/rollout.ts'

export function rolloutPlan(config: AppConfig): Pick<RolloutPlan, 'autoPromote' | 'policy'> {
  return {
    autoPromote: config.autoPromote,
    policy: {
      progressDeadlineMs: config.progressDeadlineMs,
      minReadyMs: config.minReadyMs,
      rollbackWindowMs: config.rollbackWindowMs,
      abortDelayMs: config.abortDelayMs,
    },
  }
}

export function bakePolicy({ bakeMs, bakeMinRequests, maxErrorRatio }: AppConfig): BakePolicy {
  return { bakeMs, minRequests: bakeMinRequests, absoluteMax: maxErrorRatio }
}
