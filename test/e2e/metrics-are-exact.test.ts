// What metrics say is what a client has seen: to the last request, over reloads, the death of workers' processes and that of
// the supervisor; and the admin address gives it to whom it should.

import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import type { LaneRequest } from '../support/load/options.ts'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { parseMetrics, sumOf, type MetricLine } from '../support/metrics.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const isSoak = process.env['SUPERVISE_SOAK'] !== undefined

interface Page {
  readonly status: number
  readonly text: string
  readonly headers: http.IncomingHttpHeaders
}

function ask(port: number, path: string, options: http.RequestOptions = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }))
    })
    request.on('error', reject)
    request.end()
  })
}

/** So many requests are answered with a 503, which spends some of the error budget. */
const FAILED = 5
const TOKEN = 'a-token-that-nobody-guesses'

it('counts every request once, over reloads and the death of the supervisor', async () => {
  const home = makeHome()
  const [port, admin] = [await freePort(), await freePort()]
  const token = join(home.work, 'token')
  writeFileSync(token, `${TOKEN}\n`)
  const args = [fixture('hello.js'), '-n', 'web', '-i', '2', '--port', String(port), '--slo', '99.9', ...QUICK]
  const adminArgs = ['--admin', `127.0.0.1:${admin}`, '--admin-token-file', token]
  const first = await startSupervise([...args, ...adminArgs], { home })
  const load = startLoad({
    target: { host: '127.0.0.1', port },
    lanes: mixedLanes({ webSockets: 0 }),
    ratePerSecond: 1_500,
    durationMs: 120_000,
  })
  await load.answers(300)
  for (let failed = 0; failed < FAILED; failed += 1) await get({ host: '127.0.0.1', port }, '/readyz?set=off')
  mustExit(await first.cli('reload', 'web'), 0)
  await load.answers(300)
  first.signal('SIGKILL')
  await first.ended()
  await load.answers(300)
  const second = await startSupervise([...args, ...adminArgs], { home })
  mustExit(await second.cli('reload', 'web'), 0)
  await load.answers(300)
  const report = await load.stop()
  mustHaveLostNothing(report)

  const scrape = async (): Promise<readonly MetricLine[]> => parseMetrics((await ask(admin, '/metrics')).text)
  const ok = { app: 'web', release: 'r1' }
  await until(
    async () => sumOf(await scrape(), 'supervise_http_requests_total', ok) >= report.ok + FAILED,
    10_000,
    'every request is counted',
  )
  const lines = await scrape()
  expect(sumOf(lines, 'supervise_http_requests_total', { ...ok, status_class: '2xx' })).toBe(report.ok)
  expect(sumOf(lines, 'http_server_request_duration_seconds_count', ok)).toBe(report.ok + FAILED)
  expect(sumOf(lines, 'http_server_request_duration_seconds_bucket', { ...ok, le: '+Inf' })).toBe(report.ok + FAILED)
  // The first supervisor has seen all of these, and the second knows of them.
  const spent = sumOf(lines, 'supervise_slo_burn_rate', { app: 'web', objective: 'availability', window: '3d' }) / 1000
  expect(spent / (FAILED / (report.ok + FAILED))).toBeCloseTo(1, 1)
  expect(sumOf(lines, 'supervise_operations_total', { operation: 'reload', outcome: 'succeeded' })).toBe(2)
  expect(sumOf(lines, 'supervise_workers', { state: 'serving' })).toBe(2)
  expect(sumOf(lines, 'supervise_worker_crashes_total')).toBe(0)
  expect(sumOf(lines, 'supervise_drain_duration_seconds_count')).toBeGreaterThanOrEqual(2)

  // The same by the command; and probes of the app itself were not counted above.
  expect(parseMetrics((await second.cli('metrics')).stdout).length).toBeGreaterThan(30)
  expect((await ask(admin, '/livez')).status).toBe(200)
  expect((await ask(admin, '/readyz')).status).toBe(200)
  expect((await ask(admin, '/metrics', { headers: { host: 'evil.example' } })).status).toBe(421)
  const foreign = await ask(admin, '/v1/status', { headers: { 'sec-fetch-site': 'cross-site' } })
  expect([foreign.status, foreign.headers['x-content-type-options']]).toEqual([403, 'nosniff'])
  const post = { method: 'POST', headers: { authorization: 'Bearer wrong' } }
  expect((await ask(admin, '/v1/apps/web/reload', post)).status).toBe(403)
  const allowed = { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } }
  expect((await ask(admin, '/v1/apps/web/reload', allowed)).status).toBe(200)
  await second.stop()
})

it('says that it is neither started nor ready while its configuration is still being read', async () => {
  const home = makeHome()
  const admin = await freePort()
  const [config, go] = [join(home.work, 'supervise.config.mjs'), join(home.work, 'go')]
  // The command reads it as well, before there is a supervisor.
  const lines = [
    `import { existsSync } from 'node:fs'`,
    `const isUp = () => fetch('http://127.0.0.1:${admin}/livez').then(() => true, () => false)`,
    `while ((await isUp()) && !existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20))`,
    `export default { script: ${JSON.stringify(fixture('hello.js'))}, name: 'web', workers: 1, env: { PORT: '0' } }`,
  ]
  writeFileSync(config, lines.join('\n'))
  const supervise = await startSupervise([config, '--admin', `127.0.0.1:${admin}`], { home, wait: 'none' })
  const asked = (path: string) => ask(admin, path).catch(() => null)
  const early = await until(() => asked('/readyz'), 10_000, 'the admin address answers')
  expect([early.status, early.text]).toEqual([503, expect.stringContaining('are not known yet')])
  expect((await ask(admin, '/startupz')).status).toBe(503)
  expect((await ask(admin, '/livez')).status).toBe(200)
  writeFileSync(go, '')
  for (const path of ['/readyz', '/startupz'])
    await until(async () => (await ask(admin, path)).status === 200, 10_000, `${path} answers 200`)
  await supervise.stop()
})

/** Each lane is asked for its own status, so that the client's counts by lane are those by status. */
const BY_STATUS: readonly LaneRequest[] = [
  { kind: 'keepAlive', connections: 24, postShare: 0.25, expect: { text: 'hello\n' } },
  { kind: 'pipelined', connections: 4, path: '/status?code=201', status: 201 },
  { kind: 'once', connections: 6, path: '/status?code=404', status: 404 },
  { kind: 'keepAlive', connections: 6, path: '/status?code=503', status: 503 },
]

const requests = isSoak ? 1_000_000 : 30_000
const RELOADS = isSoak ? 20 : 3

it(
  `${requests} requests: the client's own number by status, with workers reloaded meanwhile`,
  async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-n', 'web'])
    const load = startLoad({ target, lanes: BY_STATUS, requests, durationMs: 600_000 })
    for (let reload = 1; reload <= RELOADS; reload++) {
      mustExit(await supervise.cli('reload', 'web'), 0)
      const aim = (requests / (RELOADS + 1)) * reload
      await until(() => load.progress().ok >= aim, 300_000, `${aim} answers`)
    }
    const report = await load.report
    mustHaveLostNothing(report)
    expect(report.ok).toBeGreaterThanOrEqual(requests)

    const name = 'http_server_request_duration_seconds_count'
    const counted = async () => parseMetrics((await supervise.api('GET', '/v1/metrics')).text)
    await until(async () => sumOf(await counted(), name) >= report.ok, 10_000, 'every request is counted')
    const lines = await counted()
    const lane = (wanted: string) => report.lanes.find((each) => each.lane === wanted)?.ok ?? Number.NaN
    const byStatus = [200, 201, 404, 503].map((status) => [
      status,
      sumOf(lines, name, { http_response_status_code: String(status) }),
    ])
    expect(byStatus).toEqual([
      [200, lane('keepAlive')],
      [201, lane('pipelined 201')],
      [404, lane('once 404')],
      [503, lane('keepAlive 503')],
    ])
    expect(sumOf(lines, name)).toBe(report.ok)
    expect(sumOf(lines, 'supervise_http_requests_total')).toBe(report.ok)
    expect(sumOf(lines, 'supervise_http_requests_total', { status_class: '5xx' })).toBe(lane('keepAlive 503'))
    expect(sumOf(lines, 'supervise_operations_total', { operation: 'reload', outcome: 'succeeded' })).toBe(RELOADS)
    await supervise.stop()
  },
  isSoak ? 700_000 : 90_000,
)

it('refuses an admin address that is taken, no address, or without a usable token, before anything is started', async () => {
  const home = makeHome()
  const taken = http.createServer()
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
  })
  const start = (...args: string[]) => home.cli(['start', fixture('hello.js'), '--port', '0', ...args])
  try {
    expect((await start('--admin', `127.0.0.1:${port}`)).stderr).toContain('[ADMIN_ADDRESS_UNUSABLE]')
    expect((await start('--admin', 'nowhere')).stderr).toContain('it is no address')
    expect((await start('--admin', '127.0.0.1:1', '--admin-token-file', '/nowhere')).stderr).toContain(
      '[ADMIN_TOKEN_UNUSABLE]',
    )
    expect((await start('--admin-token-file', '/nowhere')).stderr).toContain('without an admin address')
  } finally {
    taken.close()
  }
  await home.mustBeEmpty()
})
