// What is told of a rollout when it is at another step: hooks, and an event for what somebody should look at.

import type { EventType } from '../config/event-types.ts'
import type { Rollout, RolloutOutcome } from '../core/rollout.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'
import { tellHook, type HookFacts } from './rollout-hooks.ts'
import type { Generation } from './worker-spec.ts'

/** The generation of the release that is moved to, or what is left when it is gone. */
export function newest(app: App, { release }: Rollout): Generation {
  const group = app.bothGroups().find(({ generation }) => generation.release.id === release)
  return (group ?? app.activeGroup).generation
}

export function factsOf({ release, from, state, outcome, why }: Rollout): HookFacts {
  return { release, from, step: state, outcome, why }
}

/** A step of a rollout. */
export interface RolloutMove {
  readonly now: Rollout
  readonly before: Rollout
  /** A person has moved the traffic. */
  readonly isByHand: boolean
}

/** `record` is of the release that is moved to, which may be gone by now. */
export function tellOfMove(app: App, { now, before, isByHand }: RolloutMove, record: ReleaseRecord | null): void {
  const generation = newest(app, now)
  if (record !== null) app.reports.rolloutTraces.moved({ now, before, record, generation })
  const facts = { ...factsOf(now), ...(record !== null && { version: record.version, path: record.path }) }
  tellHook(app, generation, 'event', facts)
  if (now.outcome === before.outcome) return
  if (now.outcome !== null) app.reports.rolloutEnded(now.outcome)
  if (now.outcome === 'promoted') tellHook(app, generation, 'post-rollout', facts)
  else if (now.outcome !== null) tellHook(app, generation, 'rollback', facts)
  const what = now.outcome === null ? undefined : ENDED_BADLY[now.outcome]
  // Whoever flips knows it, and it is an event of its own.
  if (what === undefined || isByHand) return
  const because = now.why === null ? '' : `: ${now.why}`
  app.record(what.type, `${now.release} ${what.words}, ${now.from} has it${because}`, 'policy rollout', 'error')
}

/** What somebody should be told of, unless a person wanted it. */
const ENDED_BADLY: Readonly<Partial<Record<RolloutOutcome, { readonly type: EventType; readonly words: string }>>> = {
  failed: { type: 'rolloutFailed', words: 'never got the public traffic' },
  rolledBack: { type: 'rolledBack', words: 'was taken back from the public traffic' },
}
