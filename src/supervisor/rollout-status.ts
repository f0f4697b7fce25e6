// How far a rollout is, in words.

import type { RolloutStatus } from '../control/messages.ts'
import type { Rollout } from '../core/rollout.ts'

export function rolloutStatus(rollout: Rollout, now: number): RolloutStatus {
  const { release, from, state, since, deadline, paused, outcome, why, flipMs } = rollout
  return {
    release,
    from,
    step: state,
    sinceSeconds: seconds(now - since),
    waitsFor: waitsFor(rollout),
    dueInSeconds: deadline === null ? null : Math.max(0, seconds(deadline - now)),
    paused,
    outcome,
    why,
    flipMs: flipMs === null ? null : Math.round(flipMs * 10) / 10,
  }
}

function waitsFor({ state, release, from, paused }: Rollout): string {
  if (paused) return `paused while it is ${state}; \`supervise resume\` goes on`
  switch (state) {
    case 'starting':
      return `${release} starts beside ${from}`
    case 'ready':
      return `${release} is ready and must live for a moment`
    case 'smoking':
      return `the smoke tests run against ${release}`
    case 'awaiting':
      return `${release} is ready beside ${from}; \`supervise promote\` gives it the traffic, \`supervise abort\` ends it`
    case 'flipping':
      return `the traffic moves to ${release}`
    case 'baking':
      return `${release} serves and is watched; ${from} is warm`
    case 'retiring':
      return `${release} serves; ${from} stays warm for a while`
    case 'endingOld':
      return `${release} serves; ${from} drains and ends`
    case 'goingBack':
    case 'heldUp':
      return `the traffic moves back to ${from}`
    case 'withdrawn':
      return `${from} serves; ${release} stays up for a while, to be looked at`
    case 'endingNew':
      return `${from} serves; ${release} drains and ends`
    case 'done':
      return `nothing: ${release} is done with`
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
