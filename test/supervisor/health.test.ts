import { expect, it } from 'vitest'
import type { AppState } from '../../src/control/messages.ts'
import { healthOf } from '../../src/supervisor/health.ts'

const UP = { isBeginning: false, isEnding: false }
const BEGINNING = { isBeginning: true, isEnding: false }

function app(name: string, state: AppState, serving: number) {
  return { name, state, isStopped: state === 'stopped' || state === 'failed', counts: () => ({ serving, wanted: 2 }) }
}

it('healthOf() is ready when every app that is not stopped serves, and has started when none starts any more', () => {
  expect(healthOf([], UP)).toMatchObject({ started: { ok: true }, ready: { ok: true } })
  expect(healthOf([], BEGINNING)).toMatchObject({ live: { ok: true }, started: { ok: false }, ready: { ok: false } })
  expect(healthOf([app('web', 'online', 2), app('old', 'stopped', 0)], UP)).toMatchObject({ ready: { ok: true } })
  expect(healthOf([app('web', 'degraded', 1)], UP)).toMatchObject({ ready: { ok: true } })
  const { ready, started, live } = healthOf([app('web', 'online', 2), app('api', 'starting', 0)], UP)
  expect([live.ok, started, ready]).toEqual([
    true,
    { ok: false, why: 'api starts (starting)' },
    { ok: false, why: 'api does not serve (starting)' },
  ])
  // One that never came up is no app that a person has stopped.
  expect(healthOf([app('web', 'failed', 0)], UP)).toMatchObject({ started: { ok: true }, ready: { ok: false } })
})

it('healthOf() is neither started nor ready before the apps of the first start are known, whatever there is already', () => {
  const notYet = { ok: false, why: 'the apps of the first start are not known yet' }
  for (const apps of [[], [app('web', 'online', 2)]])
    expect(healthOf(apps, BEGINNING)).toMatchObject({ live: { ok: true }, started: notYet, ready: notYet })
})

it('healthOf() is unready once everything is to be stopped, while all of it still serves', () => {
  const health = healthOf([app('web', 'online', 2)], { isBeginning: false, isEnding: true })
  const stopping = { ok: false, why: 'the supervisor is stopping' }
  expect(health).toMatchObject({ live: { ok: true }, started: { ok: true }, ready: stopping })
})
