import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  brokenRule,
  budgetLeft,
  burnRate,
  BURN_WINDOWS,
  type BurnWindowName,
  type Counted,
} from '../../src/core/slo.ts'

const objective = { target: 99.9 }

function windows(counted: Partial<Record<BurnWindowName, Counted>>): Record<BurnWindowName, Counted> {
  const none = { total: 0, bad: 0 }
  return { '5m': none, '30m': none, '1h': none, '6h': none, '3d': none, ...counted }
}

describe('burnRate()', () => {
  it('is 1 when exactly the allowed share is bad, and says nothing without a request', () => {
    expect(burnRate({ total: 10_000, bad: 10 }, objective)).toBeCloseTo(1)
    expect(burnRate({ total: 0, bad: 0 }, objective)).toBeNull()
    expect(burnRate({ total: 10, bad: 1 }, { target: 100 })).toBeGreaterThan(1000)
  })

  it('never falls when one more request is bad', () => {
    const counted = fc
      .integer({ min: 1, max: 1e6 })
      .chain((total) => fc.record({ total: fc.constant(total), bad: fc.nat(total - 1) }))
    fc.assert(
      fc.property(counted, ({ total, bad }) => {
        expect(burnRate({ total, bad: bad + 1 }, objective)).toBeGreaterThan(burnRate({ total, bad }, objective) ?? 0)
      }),
    )
  })
})

describe('budgetLeft()', () => {
  it('is all of it without a bad request, and below 0 when the objective is missed', () => {
    expect(budgetLeft({ total: 500, bad: 0 }, objective)).toBe(1)
    expect(budgetLeft({ total: 1000, bad: 2 }, objective)).toBeCloseTo(-1)
  })
})

describe('brokenRule()', () => {
  const hot = { total: 1000, bad: 20 }

  it('needs both of its windows: what is over is no alarm, and a moment is none either', () => {
    expect(brokenRule(windows({ '1h': hot, '5m': { total: 100, bad: 0 } }), objective)).toBeNull()
    expect(brokenRule(windows({ '1h': { total: 1000, bad: 1 }, '5m': hot }), objective)).toBeNull()
    expect(brokenRule(windows({ '1h': hot, '5m': hot }), objective)).toMatchObject({ severity: 'page', long: '1h' })
  })

  it('names the worst one', () => {
    const all = Object.fromEntries(BURN_WINDOWS.map(({ name }) => [name, hot])) as Record<BurnWindowName, Counted>
    expect(brokenRule(all, objective)?.severity).toBe('page')
    const slow = { total: 100_000, bad: 150 }
    expect(brokenRule(windows({ '3d': slow, '6h': slow }), objective)?.severity).toBe('ticket')
  })

  it('says nothing of a handful of requests', () => {
    expect(brokenRule(windows({ '1h': { total: 50, bad: 50 }, '5m': { total: 50, bad: 50 } }), objective)).toBeNull()
  })
})
