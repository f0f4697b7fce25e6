// When the desk asks, whom it asks no more, and what it tells: with real servers, and a clock that the test moves.

import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { EventType } from '../../src/config/event-types.ts'
import type { Probe } from '../../src/config/app-config.ts'
import type { EventRecord } from '../../src/control/messages.ts'
import type { App } from '../../src/supervisor/app.ts'
import { ProbeDesk } from '../../src/supervisor/probe-desk.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { withAllLabels } from '../../src/telemetry/exposition.ts'
import { Families } from '../../src/telemetry/families.ts'
import { Measures } from '../../src/telemetry/measures.ts'
import { until } from '../support/until.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

interface Scene {
  readonly asApp: App
  /** Probes by path come in by this: `marked` are those that know the secret. */
  readonly asked: { readonly marked: boolean; readonly path: string }[]
  /** How the server answers from now on. */
  status: number | 'never'
  readonly waiting: ServerResponse[]
  readonly app: {
    config: { probes: readonly Probe[] }
    isStopped: boolean
    operation: string | null
    worker: string
  }
  readonly desk: ProbeDesk
  readonly events: () => readonly EventRecord[]
  readonly sent: unknown[]
  readonly measures: Measures
  /** Moves the clock by so many seconds, and ticks each half of one. */
  pass(seconds: number): void
  /** The answers to what was asked have come. */
  settled(count: number): Promise<unknown>
}

/** One app with one worker, whose server is a server of the test at a port: its only public address, and its endpoint. */
async function scene(probe: Partial<Probe> = {}, speaks: 'http' | null = 'http'): Promise<Scene> {
  const asked: Scene['asked'] = []
  const waiting: ServerResponse[] = []
  const server = http.createServer((request, response) => {
    asked.push({ marked: request.rawHeaders[0] === 'x-supervise-probe', path: request.url ?? '' })
    if (all.status === 'never') waiting.push(response)
    else response.writeHead(all.status).end()
  })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  let now = 0
  const measures = new Measures()
  const eventLog = new EventLog({ logger: quiet })
  const desk = new ProbeDesk({ clock: { now: () => now }, eventLog, measures })
  const sent: unknown[] = []
  const plain: Probe = {
    name: 'p',
    what: { by: 'path', path: '/p' },
    everyMs: 10_000,
    withinMs: 5000,
    failures: 2,
    status: null,
    body: null,
    ...probe,
  }
  const app: Scene['app'] = { config: { probes: [plain] }, isStopped: false, operation: null, worker: 'serving' }
  const worker = {
    id: 1,
    pid: 7,
    isLinked: true,
    generation: { group: 'blue', release: { id: 'r1' } },
    endpoints: new Map(),
    speech: new Map([['k', speaks]]),
    send: (message: unknown) => sent.push(message),
    get state() {
      return app.worker
    },
  }
  const request = { address: null, port, addressType: 4, flags: 0 }
  const fake = {
    name: 'web',
    active: 'blue',
    get config() {
      return app.config
    },
    get isStopped() {
      return app.isStopped
    },
    operations: {
      get current() {
        return app.operation === null ? null : { kind: app.operation }
      },
    },
    activeGroup: { wanted: 1, places: new Map([[1, { processes: new Set([worker]) }]]) },
    lending: { places: () => [{ key: 'k', request, name: { port } }] },
    processes: () => [worker],
    record: (type: EventType, text: string, cause: string) => eventLog.record({ type, app: 'web', text, cause }),
  }
  // Only what the desk reads of an app is here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const asApp = fake as unknown as App
  const all: Scene = {
    asApp,
    asked,
    status: 200,
    waiting,
    app,
    desk,
    measures,
    sent,
    events: () => eventLog.feed(null, 100).recent,
    pass(seconds) {
      for (let half = 0; half < seconds * 2; half += 1) {
        now += 500
        desk.tick([asApp])
      }
    },
    settled: (count) =>
      until(
        () => {
          const answers = measures.counters.counted('supervise_probes_total')
          return answers.reduce((sum, { value }) => sum + value, 0) === count
        },
        5000,
        `${count} answers`,
      ),
  }
  return all
}

function statusOf(all: Scene) {
  return all.desk.status(all.asApp)
}

describe('ProbeDesk', () => {
  it('asks soon, at its pace then, and marks what it asks in public for those who know the secret', async () => {
    const all = await scene()
    all.pass(2)
    await all.settled(1)
    expect(all.asked).toEqual([{ marked: true, path: '/p' }])
    expect(all.sent).toEqual([{ type: 'expectProbes', secret: expect.stringMatching(/^[\w-]{36}$/) }])
    all.pass(7)
    expect(all.asked).toHaveLength(1)
    all.pass(3)
    await all.settled(2)
    expect(statusOf(all)).toMatchObject([{ probe: 'p', target: 'public', outcome: 'ok', failing: false }])
  })

  it('never asks again what was not answered yet', async () => {
    const all = await scene()
    all.status = 'never'
    all.pass(60)
    await until(() => all.waiting.length > 0, 5000, 'it is asked')
    all.pass(60)
    expect(all.waiting).toHaveLength(1)
    all.waiting[0]?.end()
    await all.settled(1)
    all.pass(10)
    await until(() => all.waiting.length === 2, 5000, 'it is asked again')
    // It was not made up for.
    all.pass(60)
    expect(all.waiting).toHaveLength(2)
  })

  it('tells once that it fails, and once that it is over', async () => {
    const all = await scene()
    const figuresOf = (name: string) => {
      const families = new Families()
      all.desk.addTo(families, all.asApp)
      return withAllLabels(families.all()).find((family) => family.name === name)?.values
    }
    all.status = 503
    const failing: unknown[] = []
    for (const count of [1, 2, 3]) {
      all.pass(count === 1 ? 2 : 10)
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      await all.settled(count)
      failing.push(figuresOf('supervise_probe_failing')?.[0]?.value)
    }
    expect(failing).toEqual([0, 1, 1])
    expect(all.events().map(({ type, text }) => [type, text])).toEqual([
      ['probeFailed', 'probe p at its public address answered 503 (2 in a row)'],
    ])
    expect(statusOf(all)).toMatchObject([{ outcome: 'status', problem: 'answered 503', failures: 3, failing: true }])
    const labels = { app: 'web', probe: 'p', target: 'public' }
    expect(figuresOf('supervise_probe_success')).toEqual([{ labels, value: 0 }])
    expect(figuresOf('supervise_probe_failing')).toEqual([{ labels, value: 1 }])
    all.status = 200
    all.pass(10)
    await all.settled(4)
    expect(all.events().at(-1)).toMatchObject({ type: 'probeRecovered', data: { failures: 3, failedForMs: 30_000 } })
    expect(all.events()).toHaveLength(2)
  })

  it('holds nothing against an app that is about to stop, and asks a stopped one nothing', async () => {
    const all = await scene({ failures: 1 })
    all.status = 'never'
    all.pass(2)
    await until(() => all.waiting.length === 1, 5000, 'it is asked')
    all.app.operation = 'stop'
    all.waiting[0]?.writeHead(500).end()
    all.pass(30)
    all.app.isStopped = true
    all.pass(30)
    expect([all.events(), all.waiting.length, statusOf(all)]).toEqual([[], 1, []])
  })

  it('goes on asking when no worker serves any more, but not before one has', async () => {
    const all = await scene()
    all.app.worker = 'starting'
    all.pass(30)
    expect(all.asked).toEqual([])
    all.app.worker = 'serving'
    all.pass(2)
    await all.settled(1)
    all.app.worker = 'backoff'
    all.pass(10)
    await all.settled(2)
  })

  it('forgets what is no longer configured, and what is configured differently', async () => {
    const all = await scene({ failures: 1 })
    all.status = 500
    all.pass(2)
    await all.settled(1)
    expect(statusOf(all)).toMatchObject([{ failing: true }])
    const [before] = all.app.config.probes
    all.app.config = { probes: before === undefined ? [] : [{ ...before, failures: 3 }] }
    all.pass(0.5)
    expect(statusOf(all)).toMatchObject([{ failing: false, outcome: null }])
    all.app.config = { probes: [] }
    all.pass(0.5)
    expect(statusOf(all)).toEqual([])
  })

  it('says once that there is nobody to ask', async () => {
    const all = await scene({}, null)
    all.pass(30)
    expect(all.events().map(({ type, text }) => [type, text])).toEqual([
      ['probeIdle', 'probe p asks nobody: no server of the app speaks HTTP'],
    ])
  })
})
