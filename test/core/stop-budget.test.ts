import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { delayWithin, endWithin, timesWithin } from '../../src/core/stop-budget.ts'

const DEFAULTS = { drainTimeoutMs: 30_000, killTimeoutMs: 10_000 }

describe('timesWithin()', () => {
  it('changes nothing where nobody sets an end, or where all of it fits', () => {
    expect(timesWithin({ delayMs: 5_000, budgetMs: null }, DEFAULTS)).toBe(DEFAULTS)
    expect(timesWithin({ delayMs: 5_000, budgetMs: 60_000 }, DEFAULTS)).toBe(DEFAULTS)
  })

  it('shortens the drain and the time after the stop signal of what Kubernetes gives by default', () => {
    expect(timesWithin({ delayMs: 0, budgetMs: 30_000 }, DEFAULTS)).toEqual({
      drainTimeoutMs: 20_700,
      killTimeoutMs: 5_800,
    })
    expect(timesWithin({ delayMs: 5_000, budgetMs: 30_000 }, DEFAULTS)).toEqual({
      drainTimeoutMs: 16_700,
      killTimeoutMs: 4_800,
    })
  })

  it('never makes anything longer, and ends before the budget does', () => {
    const ms = fc.integer({ min: 0, max: 600_000 })
    fc.assert(
      fc.property(ms, ms, ms, ms, (delayMs, budgetMs, drainTimeoutMs, killTimeoutMs) => {
        const timing = { delayMs, budgetMs }
        const times = timesWithin(timing, { drainTimeoutMs, killTimeoutMs })
        expect(times.drainTimeoutMs).toBeLessThanOrEqual(drainTimeoutMs)
        expect(times.killTimeoutMs).toBeLessThanOrEqual(killTimeoutMs)
        expect(Math.min(times.drainTimeoutMs, times.killTimeoutMs)).toBeGreaterThanOrEqual(0)
        const all = delayWithin(timing) + times.drainTimeoutMs + times.killTimeoutMs
        expect(all).toBeLessThanOrEqual(endWithin(timing) ?? Infinity)
      }),
    )
  })
})

it('delayWithin() leaves half of the budget for the drain', () => {
  expect(delayWithin({ delayMs: 5_000, budgetMs: null })).toBe(5_000)
  expect(delayWithin({ delayMs: 5_000, budgetMs: 30_000 })).toBe(5_000)
  expect(delayWithin({ delayMs: 5_000, budgetMs: 6_000 })).toBe(3_000)
})

it('endWithin() keeps a tenth for the supervisor, and a second at most', () => {
  expect(endWithin({ delayMs: 0, budgetMs: null })).toBeNull()
  expect(endWithin({ delayMs: 0, budgetMs: 30_000 })).toBe(29_000)
  expect(endWithin({ delayMs: 0, budgetMs: 2_000 })).toBe(1_800)
})
