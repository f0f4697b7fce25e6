// Events of rollouts that ended badly, which is what somebody should be told of; unless a person wanted it.

import type { Rollout, RolloutOutcome } from '../core/rollout.ts'
import type { App } from './app.ts'

const ENDED_BADLY: Readonly<Partial<Record<RolloutOutcome, { readonly type: string; readonly words: string }>>> = {
  failed: { type: 'rolloutFailed', words: 'never got the public traffic' },
  rolledBack: { type: 'rolledBack', words: 'was taken back from the public traffic' },
}

export function recordBadEnd(app: App, { outcome, release, from, why }: Rollout): void {
  const what = outcome === null ? undefined : ENDED_BADLY[outcome]
  if (what === undefined) return
  const because = why === null ? '' : `: ${why}`
  app.record(what.type, `${release} ${what.words}, ${from} has it${because}`, 'policy rollout', 'error')
}
