// What the death of a worker explains, and what it does not.

import { expect, it } from 'vitest'
import type { Failure } from './load/outcome.ts'
import { unexplained, type Victim } from './matrix/victims.ts'

function victim(from: number, change: Partial<Victim> = {}): Victim {
  const endpoints = ['/endpoints/1.sock']
  return { pid: from, from, until: from + 100, ports: new Set(), endpoints, forwarded: 2, ...change }
}

/** Of clients with ports of their own. */
function failures(count: number, at: number, change: Partial<Failure> = {}): readonly Failure[] {
  const of = {
    kind: 'unexpectedStatus',
    lane: 'keepAlive',
    detail: '502',
    connectionAgeMs: 1,
    idleBeforeMs: null,
  } as const
  return Array.from({ length: count }, (_, n) => {
    return { ...of, at, requestsBefore: 0, bytesSeen: 0, localPort: 40_000 + at + n, ...change }
  })
}

/** What it had, and those that nobody saw come. */
const MOST = 2 + 5

it('unexplained() takes no more of a victim than it had, however many others there were', () => {
  const others = Array.from({ length: 200 }, (_, n) => victim(100_000 + n * 5000))
  expect(unexplained(failures(MOST, 1050), [victim(1000), ...others])).toEqual([])
  expect(unexplained(failures(MOST + 3, 1050), [victim(1000), ...others])).toHaveLength(3)
})

it('unexplained() takes what comes in the time of two from the one that is over first', () => {
  const two = [victim(2000), victim(1000)]
  const early = failures(MOST, 1050)
  const both = failures(MOST, 2050)
  expect(unexplained([...both, ...early], two)).toEqual([])
  expect(unexplained([...both, ...early, ...failures(1, 6000)], two)).toHaveLength(1)
})

it('unexplained() counts a client once for each victim, and none for one without an endpoint', () => {
  const again = Array.from({ length: 30 }, () => failures(1, 1050)).flat()
  expect(unexplained(again, [victim(1000)])).toEqual([])
  expect(unexplained(again, [victim(1000, { endpoints: [] })])).toHaveLength(30)
})

it('unexplained() takes a cut only on a connection that the victim had, in its time', () => {
  const [early, inTime] = [900, 1050].map((at) => failures(1, at, { kind: 'reset', localPort: 7 }))
  const had = [victim(1000, { ports: new Set([7]) })]
  expect(unexplained(inTime ?? [], had)).toEqual([])
  expect(unexplained(early ?? [], had)).toHaveLength(1)
  expect(unexplained(inTime ?? [], [victim(1000, { ports: new Set([8]) })])).toHaveLength(1)
})
