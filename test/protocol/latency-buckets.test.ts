import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketOf, countWithin, LATENCY_BUCKETS, middleOf, quantile } from '../../src/protocol/latency-buckets.ts'

const durations = fc.array(fc.integer({ min: 1, max: 60_000_000 }), { minLength: 1, maxLength: 300 })

function count(values: readonly number[]): Float64Array {
  const counts = new Float64Array(LATENCY_BUCKETS)
  for (const value of values) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0) + 1
  return counts
}

describe('bucketOf()', () => {
  it('gives neighbours the same bucket or the next one, and never goes back', () => {
    for (let us = 0; us < 200_000; us += 1) {
      const step = bucketOf(us + 1) - bucketOf(us)
      if (step !== 0 && step !== 1) throw new Error(`${us} µs: a step of ${step}`)
    }
  })

  it('takes whatever a clock may say', () => {
    expect(bucketOf(0)).toBe(0)
    expect(bucketOf(0.9)).toBe(0)
    expect(bucketOf(Infinity)).toBe(LATENCY_BUCKETS - 1)
    expect(bucketOf(2 ** 40)).toBe(LATENCY_BUCKETS - 1)
  })
})

describe('middleOf()', () => {
  it('is in its own bucket, at most 1/64 off every value of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (us) => {
        const middle = middleOf(bucketOf(us))
        expect(bucketOf(middle)).toBe(bucketOf(us))
        expect(Math.abs(middle - us)).toBeLessThanOrEqual(us / 64)
      }),
    )
  })
})

describe('quantile()', () => {
  it('is within 2 % of the exact one, whatever was counted', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99, 0.999), (values, share) => {
        const sorted = values.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0
        expect(Math.abs((quantile(count(values), share) ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.02)
      }),
    )
  })

  it('is the same for sums of counts as for all of it counted at once', () => {
    fc.assert(
      fc.property(durations, durations, (some, others) => {
        const added = count(some).map((value, bucket) => value + (count(others)[bucket] ?? 0))
        expect(quantile(added, 0.9)).toBe(quantile(count([...some, ...others]), 0.9))
      }),
    )
  })

  it('says that there is none where nothing was counted', () => {
    expect(quantile(new Float64Array(LATENCY_BUCKETS), 0.5)).toBeNull()
  })
})

describe('countWithin()', () => {
  it('counts what was at most as long, to the width of a bucket', () => {
    expect(countWithin(count([10, 500_000, 700_000]), 500_000)).toBe(2)
    expect(countWithin(count([10, 500_000, 700_000]), 9)).toBe(0)
  })
})
