import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plus, since } from '../../src/core/verdict.ts'

const anyTraffic = fc.record({ requests: fc.nat(1000), serverErrors: fc.nat(100), crashes: fc.nat(3) })

describe('since()', () => {
  it('is what came in between, and never negative', () => {
    fc.assert(
      fc.property(anyTraffic, anyTraffic, (before, more) => {
        expect(since(before, plus(before, more))).toEqual(more)
        const back = since(plus(before, more), before)
        expect(Math.min(back.requests, back.serverErrors, back.crashes)).toBe(0)
      }),
    )
  })
})
