// What follows a supervisor goes on with the next one when another takes over; run for real against a control socket.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { supervisorReplaced } from '../../src/errors/upgrade.ts'
import type { SuperviseError } from '../../src/errors.ts'
import type { SupervisorOperations } from '../../src/supervisor/operations.ts'
import { eventRecord, logRecord, scriptSupervisor } from '../control/scripted-supervisor.ts'
import { until } from '../support/until.ts'
import { run } from './command.ts'
import { result, StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

const TAKEN_OVER = 'Another supervisor has taken over; following it.\n'

let standIns: StandIns
beforeEach(() => (standIns = new StandIns()))
afterEach(() => standIns.end())

/** One a second. */
const eventAt = (seq: number) => ({ ...eventRecord(seq), time: `2026-11-26T10:00:0${seq}.000Z` })

/** A supervisor whose place another one takes when the test says so. */
async function live(script: Partial<SupervisorOperations> = {}) {
  const listeners = new Set<(error: SuperviseError) => void>()
  const { upgrades } = scriptSupervisor().operations
  const onReplaced = (listener: (error: SuperviseError) => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const supervisor = await standIns.live('default', [app()], { upgrades: { ...upgrades, onReplaced }, ...script })
  const replace = () => {
    for (const listener of listeners) listener(supervisorReplaced('default'))
  }
  return { ...supervisor, listeners, replace }
}

/** Runs until `isOver`, then is interrupted. */
function follow(words: readonly string[], isOver: (text: string) => boolean) {
  let seen = ''
  const ended = run(words, {
    environment: standIns.environment,
    onOutput: (text, child) => {
      seen += text
      if (isOver(seen)) child.kill('SIGINT')
    },
  })
  return { ended, seen: () => seen }
}

it('events --follow has every event once, across the two', async () => {
  const { eventFeed, replace } = await live()
  eventFeed.recent = [eventAt(1), eventAt(2)]
  const { ended, seen } = follow(['events', '-f', '--json'], (text) => text.includes('"seq":4'))
  await until(() => eventFeed.followers === 1 && seen().includes('"seq":2'), 10_000, 'it follows')
  // The next one knows what was before.
  eventFeed.recent = [eventAt(1), eventAt(2), eventAt(3)]
  replace()
  await until(() => seen().includes('"seq":3') && eventFeed.followers === 1, 10_000, 'it follows the next one')
  eventFeed.emit(eventAt(4))
  const { stdout, stderr } = await ended
  expect([...stdout.matchAll(/"seq":(\d)/g)].map(([, seq]) => Number(seq))).toEqual([1, 2, 3, 4])
  expect(stderr).toBe(TAKEN_OVER)
})

it('events --follow goes on where nothing could be kept, and the next one numbers anew', async () => {
  const { eventFeed, replace } = await live()
  eventFeed.recent = [eventAt(7)]
  const later = { ...eventAt(1), time: '2026-11-26T10:00:08.000Z' }
  const { ended, seen } = follow(['events', '-f', '--json'], (text) => text.includes('"seq":1'))
  await until(() => eventFeed.followers === 1 && seen().includes('"seq":7'), 10_000, 'it follows')
  eventFeed.recent = [later]
  replace()
  const { stdout } = await ended
  expect([...stdout.matchAll(/"seq":(\d)/g)].map(([, seq]) => Number(seq))).toEqual([7, 1])
})

it('logs --follow has every line once, across the two', async () => {
  const { logFeed, replace } = await live()
  logFeed.recent = [logRecord('one')]
  const { ended, seen } = follow(['logs', '-f'], (text) => text.includes('three'))
  await until(() => logFeed.followers === 1, 10_000, 'it follows')
  // The next one has read on, and what it reads may be the same once more.
  logFeed.recent = [logRecord('one'), logRecord('two')]
  replace()
  await until(() => seen().includes('two') && logFeed.followers === 1, 10_000, 'it follows the next one')
  logFeed.emit(logRecord('three'))
  const { stdout, stderr } = await ended
  expect(stdout.match(/one|two|three/g)).toEqual(['one', 'one', 'two', 'three'])
  expect(stderr).toBe(TAKEN_OVER)
})

it.each([
  ['deploy --wait', ['deploy', 'web', '.', '--wait']],
  ['rollout --watch', ['rollout', 'web', '--watch']],
])('%s goes along with the rollout in the next one', async (_name, words) => {
  const { releases } = scriptSupervisor().operations
  let asked = 0
  const once = () => ((asked += 1) === 1 ? new Promise<never>(() => {}) : Promise.resolve(result({ kind: 'rollout' })))
  const { replace, listeners } = await live({ releases: { ...releases, deploy: once, watch: once } })
  const ended = run(words, { environment: standIns.environment })
  await until(() => asked === 1 && listeners.size === 1, 10_000, 'it waits')
  replace()
  expect(await ended).toMatchObject({ code: 0, stderr: TAKEN_OVER, stdout: expect.stringContaining('2 of 2 workers') })
})

it('what cannot be followed ends with a sentence and an exit code', async () => {
  const { replace, listeners } = await live({ reload: () => new Promise(() => {}) })
  const ended = run(['reload', 'web'], { environment: standIns.environment })
  await until(() => listeners.size === 1, 10_000, 'it waits')
  replace()
  const { code, stderr } = await ended
  expect(code).toBe(8)
  expect(stderr).toMatch(
    /^Error \[SUPERVISOR_REPLACED\] Cannot follow this .* another supervisor of "default" has taken/,
  )
})
