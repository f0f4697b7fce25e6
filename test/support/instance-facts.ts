// What a running instance knows of itself, asked over its control socket: cheaper than a command, and so often enough.

import type { CrashRecord, EventRecord, InstanceStatus, WorkerStatus } from '../../src/control/messages.ts'
import type { Supervise } from './harness.ts'
import type { Home } from './home.ts'
import { until } from './until.ts'

type Asked = Pick<Supervise, 'api'> | Home

/** The bodies are the control API's own, of the version under test. */
async function ask<Body>(asked: Asked, path: string): Promise<Body> {
  const { status, text } = await asked.api('GET', path)
  if (status !== 200) throw new Error(`${path} answered ${status}: ${text}`)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(text) as Body
}

export function statusOf(asked: Asked): Promise<InstanceStatus> {
  return ask<InstanceStatus>(asked, '/v1/status')
}

/** Workers of the only app, or of the one with this name. */
export async function workersOf(asked: Asked, name?: string): Promise<readonly WorkerStatus[]> {
  const { apps } = await statusOf(asked)
  const app = apps.find((each) => name === undefined || each.name === name)
  return [...(app?.groups.blue?.workers ?? []), ...(app?.groups.green?.workers ?? [])]
}

export async function crashesOf(asked: Asked): Promise<readonly CrashRecord[]> {
  const { crashes } = await ask<{ readonly crashes: readonly CrashRecord[] }>(asked, '/v1/crashes')
  return crashes
}

export async function eventsOf(asked: Asked, type?: string): Promise<readonly EventRecord[]> {
  const { text } = await asked.api('GET', '/v1/events?lines=1000')
  const records = text.split('\n').filter(Boolean)
  const events = records.map((line): EventRecord => JSON.parse(line))
  return type === undefined ? events : events.filter((event) => event.type === type)
}

/** Waits for an event of this type, also for one that was there before. */
export async function untilEvent(asked: Asked, type: string, deadlineMs = 15_000): Promise<EventRecord> {
  const events = await until(
    async () => {
      const seen = await eventsOf(asked, type)
      return seen.length > 0 && seen
    },
    deadlineMs,
    `event ${type}`,
  )
  const [first] = events
  if (first === undefined) throw new Error(`No event ${type}`)
  return first
}
