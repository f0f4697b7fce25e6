import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addTraffic, MINUTES, trafficOf, type TrafficHour } from '../../src/core/traffic-hour.ts'
import { NO_TRAFFIC, plus, since, type Traffic } from '../../src/core/verdict.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const some = (requests: number): Traffic => ({ requests, serverErrors: 1, crashes: 0 })

const anyTraffic = fc.record({ requests: fc.nat(1000), serverErrors: fc.nat(100), crashes: fc.nat(3) })
/** Times at which something came: most close together, some hours apart. */
const anyPast = fc.array(fc.record({ afterMs: fc.oneof(fc.nat(MINUTE), fc.nat(3 * HOUR)), traffic: anyTraffic }), {
  maxLength: 150,
})

interface Happened {
  readonly at: number
  readonly traffic: Traffic
}

function live(past: readonly { afterMs: number; traffic: Traffic }[]) {
  let now = 0
  let hour: TrafficHour = []
  const happened: Happened[] = []
  for (const { afterMs, traffic } of past) {
    now += afterMs
    hour = addTraffic(hour, traffic, now)
    happened.push({ at: now, traffic })
  }
  return { hour, happened, now }
}

function sumOf(happened: readonly Happened[]): Traffic {
  return happened.reduce((sum, { traffic }) => plus(sum, traffic), NO_TRAFFIC)
}

describe('trafficOf()', () => {
  it('is nothing where nothing was', () => {
    expect(trafficOf([], 5 * HOUR)).toEqual(NO_TRAFFIC)
  })

  it('forgets what is an hour old', () => {
    const hour = addTraffic(addTraffic([], some(5), 0), some(7), 30 * MINUTE)
    expect(trafficOf(hour, 59 * MINUTE).requests).toBe(12)
    expect(trafficOf(hour, 60 * MINUTE).requests).toBe(7)
    expect(trafficOf(hour, 90 * MINUTE)).toEqual(NO_TRAFFIC)
  })

  it('adds to the newest minute when the clock went back', () => {
    const hour = addTraffic(addTraffic([], some(5), 10 * MINUTE), some(7), 8 * MINUTE)
    expect(hour).toEqual([{ at: 10, traffic: { requests: 12, serverErrors: 2, crashes: 0 } }])
  })

  it('has all of the last 59 minutes and nothing that is older than 60, in at most 60 parts', () => {
    fc.assert(
      fc.property(anyPast, fc.nat(2 * HOUR), (past, laterMs) => {
        const { hour, happened, now } = live(past)
        const later = now + laterMs
        const sum = trafficOf(hour, later)
        const sure = sumOf(happened.filter(({ at }) => at >= later - 59 * MINUTE))
        const possible = sumOf(happened.filter(({ at }) => at > later - 60 * MINUTE))
        for (const name of ['requests', 'serverErrors', 'crashes'] as const) {
          expect(sum[name]).toBeGreaterThanOrEqual(sure[name])
          expect(sum[name]).toBeLessThanOrEqual(possible[name])
        }
        expect(hour.length).toBeLessThanOrEqual(MINUTES)
      }),
    )
  })
})

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
