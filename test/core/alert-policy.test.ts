import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideAlert, NOTHING_SENT, type AlertMemory } from '../../src/core/alert-policy.ts'

const limits = { repeatMs: 100, most: 3, windowMs: 1000 }

/** What becomes of alerts at these times. */
function decideAll(alerts: readonly (readonly [key: string, at: number])[]) {
  let memory: AlertMemory = NOTHING_SENT
  return alerts.map(([key, now]) => {
    const decision = decideAlert(memory, key, now, limits)
    memory = decision.memory
    return decision.send?.leftOut ?? null
  })
}

describe('decideAlert()', () => {
  it('sends the first, leaves the same out for a while, and tells with the next how many', () => {
    expect(decideAll([...at('a', 0, 10, 99), ...at('a', 100), ...at('a', 200)])).toEqual([0, null, null, 2, 0])
  })

  it('sends another one meanwhile', () => {
    expect(decideAll([...at('a', 0), ...at('b', 1), ...at('a', 2)])).toEqual([0, 0, null])
  })

  it('never sends more than so many in the window, and tells then', () => {
    const many = [...at('a', 0), ...at('b', 1), ...at('c', 2), ...at('d', 3), ...at('e', 4)]
    expect(decideAll([...many, ...at('f', 1001)])).toEqual([0, 0, 0, null, null, 2])
  })

  it('remembers no more than a hundred, and loses no count by forgetting', () => {
    let memory: AlertMemory = NOTHING_SENT
    memory = decideAlert(memory, 'first', 0, limits).memory
    memory = decideAlert(memory, 'first', 1, limits).memory
    for (let n = 1; n <= 100; n += 1) memory = decideAlert(memory, `k${n}`, n * 1000, limits).memory
    expect(memory.latest.size).toBe(100)
    expect(decideAlert(memory, 'next', 200_000, limits).send).toEqual({ leftOut: 1 })
  })

  it('accounts for every alert: sent, or told as left out, or about to be', () => {
    const alerts = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), wait: fc.nat(300) }))
    fc.assert(
      fc.property(alerts, (list) => {
        let memory: AlertMemory = NOTHING_SENT
        let now = 0
        let told = 0
        const sentAt: number[] = []
        for (const { key, wait } of list) {
          now += wait
          const decision = decideAlert(memory, key, now, limits)
          memory = decision.memory
          if (decision.send === null) continue
          told += 1 + decision.send.leftOut
          sentAt.push(now)
        }
        const untold = [...memory.latest.values()].reduce((sum, { leftOut }) => sum + leftOut, memory.leftOut)
        expect(told + untold).toBe(list.length)
        for (const time of sentAt) {
          expect(sentAt.filter((other) => other <= time && other > time - limits.windowMs).length).toBeLessThanOrEqual(
            3,
          )
        }
      }),
    )
  })
})

function at(key: string, ...times: readonly number[]): readonly (readonly [string, number])[] {
  return times.map((time) => [key, time])
}
