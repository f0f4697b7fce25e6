import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Responses, Vitals } from '../../src/protocol/messages.ts'
import { GroupTraffic } from '../../src/supervisor/group-traffic.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'

/** As much of a worker as is looked at here. */
function worker(adopted = false): WorkerHandle {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { adopted } as WorkerHandle
}

function vitals(ok: number, serverErrors: number, more: Partial<Responses> = {}): Vitals {
  const responses = { '1xx': 0, '2xx': ok, '3xx': 0, '4xx': 0, '5xx': serverErrors, aborted: 0, ...more }
  const idle = { loopDelayMs: 0, loopUtilization: 0, heapUsedBytes: 1, heapLimitBytes: 1 }
  return { ...idle, connections: 0, requests: 0, inFlight: 0, responses }
}

const MINUTE = 60_000

describe('GroupTraffic', () => {
  it('adds up what its workers say, and what they said before they died', () => {
    const traffic = new GroupTraffic()
    const [first, second, third] = [worker(), worker(), worker()]
    traffic.heard(first, vitals(10, 1), 0)
    traffic.heard(second, vitals(5, 0), 0)
    traffic.heard(first, vitals(20, 3), MINUTE)
    traffic.crashed(MINUTE)
    traffic.heard(third, vitals(1, 1), 2 * MINUTE)
    expect(traffic.total).toEqual({ requests: 30, serverErrors: 4, crashes: 1 })
    expect(traffic.lastHour(2 * MINUTE)).toEqual(traffic.total)
    expect(traffic.lastHour(60 * MINUTE)).toEqual({ requests: 14, serverErrors: 3, crashes: 1 })
  })

  it('counts every class of answers and nothing that was not answered whole', () => {
    const traffic = new GroupTraffic()
    traffic.heard(worker(), vitals(1, 5, { '1xx': 2, '3xx': 3, '4xx': 4, aborted: 9 }), 0)
    expect(traffic.total).toEqual({ requests: 15, serverErrors: 5, crashes: 0 })
  })

  it('begins with the first word of a worker that was taken over: when it answered what it had before is not known', () => {
    const traffic = new GroupTraffic()
    const adopted = worker(true)
    traffic.heard(adopted, vitals(1_000_000, 500), 0)
    expect(traffic.total.requests).toBe(0)
    traffic.heard(adopted, vitals(1_000_007, 502), 1)
    expect(traffic.total).toEqual({ requests: 9, serverErrors: 2, crashes: 0 })
  })

  it('hears nothing from an agent that does not count its answers', () => {
    const traffic = new GroupTraffic()
    const { responses: _unsaid, ...older } = vitals(5, 5)
    traffic.heard(worker(), older, 0)
    expect(traffic.total).toEqual({ requests: 0, serverErrors: 0, crashes: 0 })
  })

  it('never goes back, and knows all that was said in the end', () => {
    const words = fc.array(fc.record({ who: fc.nat(3), more: fc.nat(50), errors: fc.nat(5) }), { maxLength: 60 })
    fc.assert(
      fc.property(words, (said) => {
        const traffic = new GroupTraffic()
        const workers = [worker(), worker(), worker(), worker()]
        const counters = workers.map(() => ({ ok: 0, errors: 0 }))
        let last = traffic.total
        for (const { who, more, errors } of said) {
          const [one, counter] = [workers[who], counters[who]]
          if (one === undefined || counter === undefined) continue
          counter.ok += more
          counter.errors += errors
          traffic.heard(one, vitals(counter.ok, counter.errors), 0)
          expect(traffic.total.requests).toBeGreaterThanOrEqual(last.requests)
          last = traffic.total
        }
        const errors = counters.reduce((sum, counter) => sum + counter.errors, 0)
        const ok = counters.reduce((sum, counter) => sum + counter.ok, 0)
        expect(last).toEqual({ requests: ok + errors, serverErrors: errors, crashes: 0 })
      }),
    )
  })
})
