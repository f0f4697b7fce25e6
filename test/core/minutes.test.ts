import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Minutes } from '../../src/core/minutes.ts'

const MINUTE = 60_000

describe('Minutes', () => {
  it('sums up what was counted in the last minutes, to the minute', () => {
    const counted = fc.array(fc.record({ afterMs: fc.nat(3 * MINUTE), requests: fc.nat(1000) }), { maxLength: 60 })
    fc.assert(
      fc.property(counted, fc.integer({ min: 1, max: 60 }), (all, window) => {
        const minutes = new Minutes(['requests', 'errors'], 60)
        let now = 0
        const seen: { at: number; requests: number }[] = []
        for (const { afterMs, requests } of all) {
          now += afterMs
          minutes.add({ requests }, now)
          seen.push({ at: now, requests })
        }
        const oldest = Math.floor(now / MINUTE) - window
        const expected = seen.filter(({ at }) => Math.floor(at / MINUTE) > oldest)
        expect(minutes.sum(window, now)).toEqual({
          requests: expected.reduce((sum, one) => sum + one.requests, 0),
          errors: 0,
        })
      }),
    )
  })

  it('adds to the newest minute when the clock went back', () => {
    const minutes = new Minutes(['requests'], 2)
    minutes.add({ requests: 5 }, 10 * MINUTE)
    minutes.add({ requests: 7 }, 8 * MINUTE)
    expect(minutes.sum(1, 10 * MINUTE)).toEqual({ requests: 12 })
  })

  it('forgets what is too old', () => {
    const minutes = new Minutes(['requests'], 2)
    minutes.add({ requests: 1 }, 0)
    minutes.add({ requests: 2 }, 5 * MINUTE)
    expect(minutes.sum(100, 5 * MINUTE)).toEqual({ requests: 2 })
  })
})
