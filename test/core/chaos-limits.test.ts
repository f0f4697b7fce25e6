import { expect, it } from 'vitest'
import { lengthsOf, whyNot, type ChaosSetting } from '../../src/core/chaos-limits.ts'

const SETTING: ChaosSetting = {
  serving: 2,
  hasAgent: true,
  restarts: true,
  isKept: true,
  hangTimeoutMs: 30_000,
  hasMemoryLimit: true,
  forMs: 60_000,
}

it('whyNot() has nothing against any fault where all is well', () => {
  for (const kind of ['kill', 'stop', 'hang', 'memory', 'delay', 'supervisor'] as const)
    expect(whyNot(kind, SETTING)).toBeNull()
})

it.each([
  ['supervisor', { isKept: false }, /nobody starts the supervisor again/],
  ['hang', { hasAgent: false }, /command/],
  ['memory', { hasAgent: false }, /command/],
  ['delay', { hasAgent: false }, /command/],
  ['kill', { serving: 1 }, /^1 worker serves, and the last one is never taken/],
  ['memory', { serving: 0 }, /^no worker serves/],
  ['stop', { restarts: false }, /never/],
  ['hang', { forMs: 30_000 }, /may last 35 s \(option hangTimeout.*longer than the rehearsal/],
  ['memory', { forMs: 10_000 }, /may last 15 s, longer/],
] as const)('whyNot() refuses %s with %j', (kind, change, words) => {
  expect(whyNot(kind, { ...SETTING, ...change })).toMatch(words)
})

it.each([
  ['kill', { hasAgent: false }],
  ['stop', { hasAgent: false }],
  ['delay', { serving: 1 }],
  ['delay', { restarts: false }],
  ['memory', { restarts: false }],
  ['supervisor', { serving: 0 }],
] as const)('whyNot() allows %s with %j', (kind, change) => {
  expect(whyNot(kind, { ...SETTING, ...change })).toBeNull()
})

it('lengthsOf() has a bound for what nothing ends', () => {
  expect(lengthsOf({ ...SETTING, hangTimeoutMs: 0 })).toMatchObject({ stop: 5000, hang: 5000 })
  expect(lengthsOf({ ...SETTING, hasMemoryLimit: false })).toMatchObject({ memory: 5000 })
  expect(lengthsOf(SETTING)).toMatchObject({ stop: 35_000, hang: 35_000, memory: 15_000 })
})
