import { describe, expect, it } from 'vitest'
import { bucketOf } from '../../src/protocol/latency-buckets.ts'
import { Percentiles } from '../../src/telemetry/percentiles.ts'

const owner = { app: 'web', group: 'blue', release: 'r1' } as const

function growth(ms: number, answered: number, failed = 0) {
  return { answered, failed, good: [bucketOf(ms * 1000), answered - failed], bad: [bucketOf(ms * 1000), failed] }
}

describe('Percentiles', () => {
  it('says how long requests took in the last minute, and how many there were', () => {
    const percentiles = new Percentiles()
    percentiles.add(owner, growth(10, 900), 1_000)
    percentiles.add(owner, growth(200, 100, 50), 55_000)
    const summary = percentiles.of(owner, 59_999)
    expect(summary?.p50Ms).toBeCloseTo(10, 0)
    expect(Math.abs((summary?.p99Ms ?? 0) - 200)).toBeLessThan(4)
    expect(summary?.errorRatio).toBe(0.05)
    expect(summary?.requestsPerSecond).toBeCloseTo(1000 / 60, 1)
  })

  it('forgets what is older', () => {
    const percentiles = new Percentiles()
    percentiles.add(owner, growth(10, 5), 0)
    expect(percentiles.of(owner, 70_000)).toBeNull()
    percentiles.add(owner, growth(20, 5), 120_000)
    expect(percentiles.of(owner, 121_000)?.p50Ms).toBeCloseTo(20, 0)
  })

  it('knows each release of a group on its own', () => {
    const percentiles = new Percentiles()
    percentiles.add(owner, growth(10, 5), 0)
    expect(percentiles.of({ ...owner, release: 'r2' }, 0)).toBeNull()
  })
})
