// How far a rollout is, in words.

import type { ReleaseStatus, RolloutStatus } from '../control/messages.ts'
import type { BakeRecord } from '../core/bake.ts'
import type { Rollout } from '../core/rollout.ts'
import type { ReleaseRecord } from '../state/release-store.ts'

/** `watched` is what was seen until now of a release that is watched. */
export function rolloutStatus(rollout: Rollout, now: number, watched: BakeRecord | null): RolloutStatus {
  const { release, from, state, since, deadline, paused, outcome, why, flipMs } = rollout
  return {
    release,
    from,
    step: state,
    sinceSeconds: seconds(now - since),
    waitsFor: waitsFor(rollout, watched),
    dueInSeconds: deadline === null ? bakeLeft(rollout, watched) : Math.max(0, seconds(deadline - now)),
    paused,
    outcome,
    why,
    flipMs: flipMs === null ? null : Math.round(flipMs * 10) / 10,
    watch: watched === null ? null : watchStatus(watched),
  }
}

export function watchStatus({ verdict, why, figures, policy }: BakeRecord): NonNullable<RolloutStatus['watch']> {
  const { elapsedMs, requests, serverErrors, errorRatio, crashes, failingProbes, old, baseline, evidence } = figures
  return {
    verdict,
    why,
    watchedSeconds: seconds(elapsedMs),
    bakeSeconds: seconds(policy.bakeMs),
    minRequests: policy.minRequests,
    maxErrorRatio: policy.absoluteMax,
    requests,
    serverErrors,
    errorRatio: rounded(errorRatio),
    crashes,
    failingProbes,
    old: { ...old, errorRatioAtMost: baseline === null ? null : rounded(baseline) },
    evidence: rounded(evidence),
  }
}

/** What the books have of a release. */
export function releaseStatus(record: ReleaseRecord, role: ReleaseStatus['role']): ReleaseStatus {
  const { id, version, path, createdAt, deployedBy, outcome, why, endedAt } = record
  const { smoke = null, watch = null, contract = null } = record
  return {
    release: id,
    version,
    path,
    node: record.config.node,
    createdAt,
    deployedBy,
    role,
    outcome,
    why,
    endedAt,
    smoke: smoke === null ? null : { passed: smoke.passed, why: smoke.why, output: smoke.output },
    watch: watch === null ? null : watchStatus(watch),
    contract: contract?.state ?? null,
  }
}

/** When the watch can end at the earliest; null when its time is over and something else is missing. */
function bakeLeft({ paused }: Rollout, watched: BakeRecord | null): number | null {
  if (watched === null || paused) return null
  const leftMs = watched.policy.bakeMs - watched.figures.elapsedMs
  return leftMs > 0 ? seconds(leftMs) : null
}

function waitsFor({ state, release, from, paused, policy }: Rollout, watched: BakeRecord | null): string {
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
      return `${release} serves and is watched; ${from} is warm${watched === null ? '' : `; ${seenWords(watched, from)}`}`
    case 'retiring':
      return `${release} serves; ${from} stays warm for a while`
    case 'endingOld':
      return `${release} serves; ${from} drains and ends`
    case 'goingBack':
    case 'heldUp':
      return `the traffic moves back to ${from}`
    case 'withdrawn':
      return policy.abortDelayMs === 0
        ? `${from} serves; ${release} drains and ends`
        : `${from} serves; ${release} stays up for a while, to be looked at`
    case 'endingNew':
      return `${from} serves; ${release} drains and ends`
    case 'done':
      return `nothing: ${release} is done with`
  }
}

function seenWords({ why, figures: { old } }: BakeRecord, from: string): string {
  if (old.requests === 0) return `${why}; no request of ${from} is known to compare with`
  return `${why}; ${from} had ${old.serverErrors} of ${old.requests} in the hour before`
}

/** Four digits that mean something. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10
}
