// Probes from outside: who fails is told of once, and of its recovery; and what probes ask is never counted as the app's.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { EventRecord } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { eventsOf } from '../support/instance-facts.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture, makeRelease } from '../support/releases.ts'
import { until } from '../support/until.ts'

/** Somebody else's server, which sees what is asked of it. */
async function startOther() {
  const asked: http.IncomingHttpHeaders[] = []
  const server = http.createServer((request, response) => {
    asked.push(request.headers)
    response.end('other')
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/other` }
}

function plain(name: string, port: number) {
  return {
    name,
    script: fixture(`hello-${name}.js`),
    workers: 1,
    port,
    minReady: '200ms',
    probes: { path: '/', every: '1s', expect: { status: 200, body: 'hello' } },
  }
}

async function metricsOf(supervise: Supervise) {
  return parseMetrics((await supervise.api('GET', '/v1/metrics')).text)
}

/** Waits until exactly these places of `web` give bad answers. */
async function untilBad(supervise: Supervise, bad: readonly string[]): Promise<void> {
  const look = async (): Promise<boolean> => {
    const { probes } = await supervise.app('web')
    const failing = probes.filter((probe) => probe.failing).map(({ target }) => target)
    return probes.length === 4 && probes.every(({ outcome }) => outcome !== null) && failing.join() === bad.join()
  }
  await until(look, 20_000, `these fail: ${bad.join() || 'none'}`)
}

function placesOf(events: readonly EventRecord[]): readonly string[] {
  return events.map(({ data }) => String(data?.['target']))
}

it('tells who fails and when that is over, and counts no probe as a request (K11)', { timeout: 120_000 }, async () => {
  const home = makeHome()
  const other = await startOther()
  const script = makeRelease(join(home.work, 'web'), { fixture: 'probed.js', version: '1' })
  const mark = (name: string): string => join(dirname(script), name)
  const port = await freePort()
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const
  const config = join(home.work, 'supervise.config.json')
  const web = {
    name: 'web',
    script,
    workers: 2,
    port,
    minReady: '200ms',
    backoff: { first: '100ms' },
    notify: { on: 'probe', command: 'cat > alert.json' },
    cwd: home.work,
    probes: [
      { path: '/', name: 'front', every: '1s', failures: 2 },
      { url: other.url, every: '1s', expect: { body: 'other' } },
    ],
  }
  const others = [plain('https', ports[0]), plain('h2', ports[1]), plain('h2c', ports[2]), plain('net', ports[3])]
  writeFileSync(config, JSON.stringify({ instance: 'all', apps: [web, ...others] }))
  const first = await startSupervise([config], { home })

  // One worker alone.
  await untilBad(first, [])
  writeFileSync(mark('broken-2'), '')
  await untilBad(first, ['blue 2'])
  const [failed] = await eventsOf(first, 'probeFailed')
  expect(failed).toMatchObject({ app: 'web', group: 'blue', worker: 2, actor: { kind: 'policy', name: 'probes' } })
  expect(failed?.text).toMatch(/^probe front at worker 2 answered 500 \(2 in a row\)$/)
  await until(() => existsSync(join(home.work, 'alert.json')), 5000, 'somebody is told')
  await until(
    () => readFileSync(join(home.work, 'alert.json'), 'utf8').includes('"alert":"probe"'),
    5000,
    'of the probe',
  )
  expect((await first.cli('status')).stdout).toMatch(/probe front at worker 2 \(blue\) fails for \S+: it answered 500/)
  expect((await first.cli('describe', 'web')).stdout).toMatch(/front +worker 2 \(blue\) +status .*answered 500/)
  const broken = await metricsOf(first)
  const success = (target: string) => sumOf(broken, 'supervise_probe_success', { app: 'web', target })
  expect(['public', 'blue 1', 'blue 2', 'url'].map(success)).toEqual([1, 1, 0, 1])
  expect(sumOf(broken, 'supervise_probes_total', { app: 'web', target: 'worker', outcome: 'status' })).toBeGreaterThan(
    1,
  )
  rmSync(mark('broken-2'))
  await untilBad(first, [])
  const [recovered] = await eventsOf(first, 'probeRecovered')
  expect(recovered).toMatchObject({ app: 'web', worker: 2, data: { probe: 'front', target: 'blue 2' } })
  expect(recovered?.data?.['failedForMs']).toBeGreaterThan(400)

  // All of them, then; the other server is not to blame.
  writeFileSync(mark('broken'), '')
  await untilBad(first, ['public', 'blue 1', 'blue 2'])
  rmSync(mark('broken'))
  await untilBad(first, [])
  const all = ['blue 1', 'blue 2', 'public']
  const since = (type: string) =>
    eventsOf(first, type).then((events) => placesOf(events.slice(1)).toSorted((a, b) => a.localeCompare(b)))
  expect([await since('probeFailed'), await since('probeRecovered')]).toEqual([all, all])

  // Another supervisor has another secret, and takes up workers that know the first one's.
  const before = await metricsOf(first)
  first.signal('SIGKILL')
  await first.ended()
  const second = await startSupervise([config], { home })
  const good = async (app: string, target: string) =>
    sumOf(await metricsOf(second), 'supervise_probes_total', { app, target, outcome: 'ok' })
  const early = sumOf(before, 'supervise_probes_total', { app: 'web', target: 'public', outcome: 'ok' })
  await until(async () => (await good('web', 'public')) > early + 1, 15_000, 'the counts go on')
  mustExit(await second.cli('reload', 'web'), 0)
  await untilBad(second, [])
  for (const app of ['https', 'h2', 'h2c'])
    for (const target of ['public', 'worker'])
      // oxlint-disable-next-line no-await-in-loop -- the name of the missing one shall be seen
      await until(async () => (await good(app, target)) > 1, 10_000, `${app} answers at ${target}`)
  const idle = (await eventsOf(second, 'probeIdle')).map(({ app }) => app)
  expect(idle).toContain('net')

  // Nobody but the supervisor has asked anything; what somebody asks is counted, also with a secret that is none.
  const wrong = { host: '127.0.0.1', port }
  expect(sumOf(await metricsOf(second), 'supervise_http_requests_total')).toBe(0)
  expect((await get(wrong)).status).toBe(200)
  await new Promise((resolve) =>
    http.get({ ...wrong, agent: false, headers: { 'x-supervise-probe': 'a-guess' } }, (response) => {
      response.resume().on('end', resolve)
    }),
  )
  const counted = async () => sumOf(await metricsOf(second), 'supervise_http_requests_total', { app: 'web' })
  await until(async () => (await counted()) === 2, 5000, 'both requests are counted')
  expect(sumOf(await metricsOf(second), 'http_server_request_duration_seconds_count')).toBe(2)

  // A stranger is never given the secret.
  expect(other.asked.length).toBeGreaterThan(2)
  expect(other.asked.some((headers) => 'x-supervise-probe' in headers)).toBe(false)
  await second.stop()
})
