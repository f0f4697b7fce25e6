// Traces by real OpenTelemetry to a collector: a span for each request where its app answered it, a trace for a deploy; and
// a collector that hangs, which costs the app nothing.

import { once } from 'node:events'
import http from 'node:http'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startCollector } from '../support/collector.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const SPAN = 'b7ad6b7169203331'

/** One request after the other on one connection, as long as it lasts, each as part of a trace of its own. */
class TracedClient {
  readonly #port: number
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  /** The release that answered, by trace. */
  readonly answered = new Map<string, string>()
  /** Releases that have answered on each connection, by its local port. */
  readonly #connections = new Map<number | undefined, Set<string>>()

  constructor(port: number) {
    this.#port = port
  }

  async ask(path = '/', flags = '01'): Promise<void> {
    const traceId = (this.answered.size + 1).toString(16).padStart(31, '0').padStart(32, 'a')
    const headers = { traceparent: `00-${traceId}-${SPAN}-${flags}` }
    const request = http.get({ host: '127.0.0.1', port: this.#port, path, headers, agent: this.#agent })
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage]
    const release = String(answer.headers['x-release'])
    const connection = this.#connections.get(request.socket?.localPort) ?? new Set()
    this.#connections.set(request.socket?.localPort, connection.add(release))
    answer.resume()
    await once(answer, 'end')
    if (flags === '01') this.answered.set(traceId, release)
  }

  /** Of a connection to the old release a request was answered by the new one. */
  get wasForwarded(): boolean {
    return [...this.#connections.values()].some(({ size }) => size > 1)
  }
}

it('a request is one span of the release that answered it, a deploy one trace of its steps, and none is lost at the end', async () => {
  const collector = await startCollector()
  const home = makeHome()
  const release = (version: string) => {
    const directory = join(home.work, version)
    makeRelease(directory, { fixture: 'hello.js', version })
    return directory
  }
  const [first, second] = [release('1.0'), release('2.0')]
  const port = await freePort()
  const app = [join(first, 'app.js'), '-n', 'web', '-i', '1', '--port', String(port), ...QUICK]
  const rollout = ['--bake', '200ms', '--rollback-window', '0']
  const traced = ['--tracing-otlp', collector.url, '--env', 'OTEL_EXPORTER_OTLP_HEADERS=x-key=secret']
  const supervise = await startSupervise([...app, ...rollout, ...traced], { home })

  const client = new TracedClient(port)
  await client.ask('/', '00')
  const deploy = { isOver: false }
  const deployed = supervise.cli('deploy', 'web', second, '--wait').finally(() => (deploy.isOver = true))
  while (!deploy.isOver) {
    await client.ask()
    // Far fewer than would be dropped.
    await pause(3)
  }
  mustExit(await deployed, 0)
  await client.ask('/livez?set=off')
  expect(client.wasForwarded).toBe(true)
  const whole = await until(() => collector.spans.find(({ name }) => name === 'rollout'), 15_000, 'the rollout is over')
  expect(await supervise.stop()).toEqual({ code: 0, signal: null })

  const requests = collector.spans.filter(({ kind }) => kind === 2)
  const seen = requests.map((span) => `${span.traceId} ${span.parentSpanId} ${span.resource['service.version']}`)
  const expected = [...client.answered].map(([traceId, version]) => `${traceId} ${SPAN} ${version}`)
  expect(seen.toSorted()).toEqual(expected.toSorted())
  const instances = new Set(requests.map(({ resource }) => resource['service.instance.id']))
  expect(instances.size).toBe(2)
  expect(requests.at(-1)).toMatchObject({
    attributes: { 'url.path': '/livez', 'error.type': '503', 'http.response.status_code': 503 },
    resource: { 'service.name': 'web', 'supervise.group': 'green', 'supervise.release': 'r2', 'supervise.worker': '1' },
  })
  expect(collector.headers['x-key']).toBe('secret')

  const steps = collector.spans.filter(({ parentSpanId }) => parentSpanId === whole.spanId)
  const names = ['starting', 'ready', 'smoking', 'flipping', 'baking', 'retiring', 'endingOld']
  expect(steps.map(({ name }) => name)).toEqual(names.map((name) => `rollout ${name}`))
  expect(new Set(steps.map(({ traceId }) => traceId))).toEqual(new Set([whole.traceId]))
  for (const [index, { startMs, endMs }] of steps.entries()) {
    expect(startMs).toBeCloseTo(index === 0 ? whole.startMs : (steps[index - 1]?.endMs ?? 0), 0)
    expect(endMs).toBeGreaterThanOrEqual(startMs)
  }
  expect(whole).toMatchObject({
    parentSpanId: '',
    attributes: {
      'supervise.rollout.release': 'r2',
      'supervise.rollout.from': 'r1',
      'supervise.rollout.outcome': 'promoted',
    },
    resource: { 'service.name': 'web', 'service.version': '2.0', 'supervise.group': 'green' },
  })
})

it('a collector that hangs loses spans and nothing else; without OpenTelemetry the app runs, and what to install is said', async () => {
  const collector = await startCollector('hangs')
  const home = makeHome()
  const [web, bare] = [join(home.work, 'web'), join(home.work, 'bare')]
  mkdirSync(join(bare, 'node_modules'), { recursive: true })
  for (const directory of [web, bare]) makeRelease(directory, { fixture: 'hello.js', version: '1' })
  const [port, other] = [await freePort(), await freePort()]
  const common = { workers: 1, minReady: '200ms', drainTimeout: '3s', tracing: { otlp: collector.url } }
  const apps = [
    { name: 'web', script: join(web, 'app.js'), port, ...common, workers: 2 },
    { name: 'bare', script: join(bare, 'app.js'), port: other, ...common },
  ]
  writeFileSync(join(home.work, 'supervise.config.json'), JSON.stringify({ apps }))
  const supervise = await startSupervise([], { home })
  const load = startLoad({
    target: { host: '127.0.0.1', port },
    lanes: mixedLanes({ webSockets: 0 }),
    ratePerSecond: 1_000,
    durationMs: 60_000,
  })
  await load.answers(1_500)
  mustExit(await supervise.cli('reload', 'web'), 0)
  const lost = async (app: string) => (await eventsOf(supervise, 'tracingFailed')).find((event) => event.app === app)
  expect((await until(() => lost('web'), 15_000, 'an event'))?.text).toMatch(
    /^traces are lost: spans do not reach http/,
  )
  mustHaveLostNothing(await load.stop())

  const packages = /npm install @opentelemetry\/api @opentelemetry\/sdk-trace @opentelemetry\/exporter-trace-otlp-http/
  expect((await until(() => lost('bare'), 15_000, 'an event'))?.text).toMatch(packages)
  expect((await supervise.cli('describe', 'bare')).stdout).toMatch(packages)
  expect((await get({ host: '127.0.0.1', port: other })).status).toBe(200)
  expect(await supervise.stop()).toEqual({ code: 0, signal: null })
})
