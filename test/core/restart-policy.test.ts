import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterExit,
  backoffMs,
  NO_CRASHES,
  withJitter,
  type CrashHistory,
  type RestartPolicy,
} from '../../src/core/restart-policy.ts'

const policy: RestartPolicy = {
  restart: 'always',
  backoffMs: 100,
  maxBackoffMs: 15_000,
  minUptimeMs: 10_000,
  maxRestarts: 10,
  restartWindowMs: 60_000,
  failedRetryMs: 300_000,
}

function crash(history: CrashHistory, now: number, uptimeMs = 0, more: Partial<RestartPolicy> = {}) {
  return afterExit(history, { clean: false, uptimeMs }, now, { ...policy, ...more }, 0.5)
}

describe('afterExit()', () => {
  it('waits longer after each crash, up to a limit (C3)', () => {
    const delays: number[] = []
    let history = NO_CRASHES
    for (let index = 0; index < 10; index += 1) {
      const result = crash(history, index * 20_000)
      history = result.history
      delays.push('delayMs' in result.decision ? result.decision.delayMs : -1)
    }
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
  })

  it('fails the worker at the crash after maxRestarts within the window (C4)', () => {
    let history = NO_CRASHES
    const kinds: string[] = []
    for (let index = 0; index < 12; index += 1) {
      const result = crash(history, index)
      history = result.history
      kinds.push(result.decision.kind)
    }
    expect(kinds).toEqual([...Array.from({ length: 10 }, () => 'restart'), 'fail', 'fail'])
  })

  it('never fails a worker that crashes once an hour (C5)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 3_600_000, max: 7_200_000 }), { minLength: 20, maxLength: 60 }),
        (gaps) => {
          let history = NO_CRASHES
          let now = 0
          for (const gap of gaps) {
            now += gap
            const result = crash(history, now, gap - 1000)
            history = result.history
            expect(result.decision).toEqual({ kind: 'restart', delayMs: 0 })
          }
        },
      ),
    )
  })

  it('brings one back at once that was healthy and crashed for the first time in a while', () => {
    expect(crash(NO_CRASHES, 30_000, 20_000).decision).toEqual({ kind: 'restart', delayMs: 0 })
    expect(crash(NO_CRASHES, 30_000, 5_000).decision).toEqual({ kind: 'restart', delayMs: 100 })
  })

  it('begins the back-off anew after a healthy life (C5)', () => {
    const sick = [1, 2, 3].reduce((history, now) => crash(history, now).history, NO_CRASHES)
    expect(crash(sick, 30_000, 20_000).decision).toEqual({ kind: 'restart', delayMs: 100 })
  })

  it.each([
    ['always', true, 'restart'],
    ['always', false, 'restart'],
    ['on-failure', true, 'end'],
    ['on-failure', false, 'restart'],
    ['never', true, 'end'],
    ['never', false, 'end'],
  ] as const)('follows restart: %s for an exit with code 0: %s → %s (C7)', (restart, clean, kind) => {
    expect(afterExit(NO_CRASHES, { clean, uptimeMs: 0 }, 0, { ...policy, restart }, 0).decision.kind).toBe(kind)
  })
})

describe('backoffMs()', () => {
  it('is never beyond its limit and never shrinks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (inARow) => {
        expect(backoffMs(inARow, policy)).toBeLessThanOrEqual(policy.maxBackoffMs)
        expect(backoffMs(inARow + 1, policy)).toBeGreaterThanOrEqual(backoffMs(inARow, policy))
      }),
    )
  })
})

describe('withJitter()', () => {
  it('stays within a quarter', () => {
    expect([0, 0.5, 1].map((chance) => withJitter(1000, chance))).toEqual([750, 1000, 1250])
  })
})
