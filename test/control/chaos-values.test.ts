import { expect, it } from 'vitest'
import { readChaos, readChaosQuery } from '../../src/control/chaos-values.ts'

it('readChaos() has something usual for what is left out', () => {
  expect(readChaos({})).toEqual({ forMs: 60_000, everyMs: 5000 })
})

it('readChaos() takes what it knows', () => {
  const body = {
    forMs: 2000,
    everyMs: 1000,
    only: ['kill'],
    seed: 7,
    memoryBytes: 2 ** 20,
    delayMs: 10,
    duringRollout: true,
    done: [],
  }
  expect(readChaos(body)).toEqual(body)
})

it.each([
  { forMs: 30 * 60_000 + 1 },
  { forMs: 999 },
  { everyMs: 10 },
  { everyMs: '5s' },
  { only: [] },
  { only: ['kill', 'burn'] },
  { only: 'kill' },
  { done: ['burn'] },
  { seed: 1.5 },
  { seed: -1 },
  { memoryBytes: 2 ** 60 },
  { delayMs: 0 },
  { duringRollout: 'yes' },
  { yes: true },
])('readChaos() refuses %j', (body) => {
  expect(() => readChaos(body)).toThrow(/Cannot/)
})

it('readChaosQuery() reads how long it is to be', () => {
  expect(readChaosQuery(new URLSearchParams('forMs=5000'))).toBe(5000)
  expect(readChaosQuery(new URLSearchParams())).toBe(60_000)
  expect(() => readChaosQuery(new URLSearchParams('forMs=x'))).toThrow(/forMs/)
  expect(() => readChaosQuery(new URLSearchParams('app=x'))).toThrow(/app/)
})
