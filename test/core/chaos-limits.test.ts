import { expect, it } from 'vitest'
import { SCRIPT } from '../../src/control/first-process.ts'
import { lengthsOf, memoryFor, supervisorWaitMs, whyNot, type ChaosSetting } from '../../src/core/chaos-limits.ts'

const SETTING: ChaosSetting = {
  serving: 2,
  hasAgent: true,
  restarts: true,
  keptBy: 'keeper',
  supervisorAgeMs: 60_000,
  hangTimeoutMs: 30_000,
  hasMemoryLimit: true,
  forMs: 60_000,
}

it('whyNot() has nothing against any fault where all is well', () => {
  for (const kind of ['kill', 'stop', 'hang', 'memory', 'delay', 'supervisor'] as const)
    expect(whyNot(kind, SETTING)).toBeNull()
})

it.each([
  ['supervisor', { keptBy: 'nobody' }, /nobody starts the supervisor again/],
  [
    'supervisor',
    { keptBy: 'firstProcess', supervisorAgeMs: 1000, forMs: 9000 },
    /has just been started, and is not killed for another 10 s/,
  ],
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
  ['supervisor', { keptBy: 'firstProcess', supervisorAgeMs: 1000, forMs: 11_000 }],
  ['kill', { keptBy: 'firstProcess', supervisorAgeMs: 1000, forMs: 9000 }],
] as const)('whyNot() allows %s with %j', (kind, change) => {
  expect(whyNot(kind, { ...SETTING, ...change })).toBeNull()
})

it('lengthsOf() has a bound for what nothing ends', () => {
  expect(lengthsOf({ ...SETTING, hangTimeoutMs: 0 })).toMatchObject({ stop: 5000, hang: 5000 })
  expect(lengthsOf({ ...SETTING, hasMemoryLimit: false })).toMatchObject({ memory: 5000 })
  expect(lengthsOf(SETTING)).toMatchObject({ stop: 35_000, hang: 35_000, memory: 15_000 })
})

it.each([
  // It ends the container at the sixth death within ten seconds of the start, by a clock of whole seconds.
  ['firstProcess', 11_000],
  ['systemd', 5000],
  ['keeper', 2500],
] as const)('supervisorWaitMs() lets one that %s brings back grow %d ms old', (keptBy, oldEnoughMs) => {
  expect(supervisorWaitMs({ keptBy, supervisorAgeMs: 500 })).toBe(oldEnoughMs - 500)
  expect(supervisorWaitMs({ keptBy, supervisorAgeMs: oldEnoughMs + 1 })).toBe(0)
})

it('supervisorWaitMs() is longer than what the first process of a container takes for a death at the start', () => {
  const [, seconds] = /-ge (\d+) \]; then deaths=0/.exec(SCRIPT) ?? []
  // Two times in whole seconds may be less apart than they say, and never more.
  expect(supervisorWaitMs({ keptBy: 'firstProcess', supervisorAgeMs: 0 })).toBeGreaterThanOrEqual(
    (Number(seconds) + 1) * 1000,
  )
})

const MB = 1024 ** 2

it.each([
  ['what was asked for', { wantedBytes: 5 * MB }, 5 * MB],
  ['what goes past the limit', { limitBytes: 200 * MB, rssBytes: 80 * MB }, 184 * MB],
  ['as much as if it had nothing yet', { limitBytes: 200 * MB }, 264 * MB],
  ['nothing when it is past it already', { limitBytes: 200 * MB, rssBytes: 300 * MB }, 0],
  ['some without a limit', {}, 128 * MB],
  ['some with a share as limit', { limitBytes: 'auto' }, 128 * MB],
  ['half of what is left', { wantedBytes: 5 * MB, availableBytes: 4 * MB }, 2 * MB],
] as const)('memoryFor() takes %s', (_what, change, bytes) => {
  const setting = { wantedBytes: null, limitBytes: null, rssBytes: null, availableBytes: 1024 * MB }
  expect(memoryFor({ ...setting, ...change })).toBe(bytes)
})
