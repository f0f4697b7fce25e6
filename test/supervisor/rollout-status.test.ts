import { describe, expect, it } from 'vitest'
import { judgeBake, type BakeRecord } from '../../src/core/bake.ts'
import { beginRollout, type Rollout } from '../../src/core/rollout.ts'
import { rolloutStatus, watchStatus } from '../../src/supervisor/rollout-status.ts'
import { policy } from '../core/rollout-scene.ts'

const bake = { bakeMs: 60_000, minRequests: 0, absoluteMax: null }

function record(requests: number, oldRequests = 10_000): BakeRecord {
  const old = { requests: oldRequests, serverErrors: oldRequests / 1000, crashes: 0 }
  const seen = { flippedAt: 0, crashes: 0, failingProbes: 0, requests, serverErrors: 1, old, oldFailingProbes: 0 }
  return { ...judgeBake(seen, bake, 20_000), policy: bake, at: '2026-01-01T00:00:00.000Z' }
}

function baking(more: Partial<Rollout> = {}): Rollout {
  const { rollout } = beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 0)
  return { ...rollout, state: 'baking', deadline: null, ...more }
}

describe('rolloutStatus() of a release that is watched', () => {
  it('says for how long, what was seen and what it is compared with', () => {
    const { waitsFor, dueInSeconds, watch } = rolloutStatus(baking(), 20_000, record(900))
    expect(waitsFor).toBe(
      'r2 serves and is watched; r1 is warm; watched for 20 s of 60 s, 900 requests seen, 1 of them answered with 5xx; ' +
        'r1 had 10 of 10000 in the hour before',
    )
    expect(dueInSeconds).toBe(40)
    expect(watch).toMatchObject({ verdict: 'inconclusive', requests: 900, serverErrors: 1, errorRatio: 0.001_111 })
    expect(watch?.old).toEqual({ requests: 10_000, serverErrors: 10, crashes: 0, errorRatioAtMost: 0.001_672 })
  })

  it('says so when there is nothing to compare with', () => {
    const { waitsFor, watch } = rolloutStatus(baking(), 20_000, record(900, 0))
    expect(waitsFor).toContain('; no request of r1 is known to compare with')
    expect(watch?.old.errorRatioAtMost).toBeNull()
  })

  it('does not promise an end while it is paused, nor once only requests are missing', () => {
    expect(rolloutStatus(baking({ paused: true }), 20_000, record(1)).dueInSeconds).toBeNull()
    const late = { ...record(1), figures: { ...record(1).figures, elapsedMs: 70_000 } }
    expect(rolloutStatus(baking(), 70_000, late).dueInSeconds).toBeNull()
  })

  it('has no figures at any other step', () => {
    expect(rolloutStatus(baking({ state: 'retiring' }), 0, null)).toMatchObject({ step: 'retiring', watch: null })
  })
})

describe('watchStatus()', () => {
  it('has what was asked for beside what was seen', () => {
    const asked = { bakeMs: 60_000, minRequests: 300, absoluteMax: 0.05 }
    expect(watchStatus({ ...record(5), policy: asked })).toMatchObject({
      bakeSeconds: 60,
      minRequests: 300,
      maxErrorRatio: 0.05,
      watchedSeconds: 20,
    })
  })
})
