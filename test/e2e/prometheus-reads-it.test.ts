// A real Prometheus reads what is exposed, finds nothing to complain of, and every panel of the dashboard and every alert has
// data or could have it.

import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ROWS } from '../../scripts/grafana-dashboard.ts'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mixedLanes, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { findPrometheus } from '../support/prometheus.ts'
import { makeRelease, ROOT } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const [prometheus, promtool] = [findPrometheus('prometheus'), findPrometheus('promtool')]
const isThere = prometheus !== null && promtool !== null
if (!isThere) console.warn('There is no Prometheus here: what it would say of the metrics is not tested.')

/** Only a failure of ours gives these a value. */
const MAY_BE_EMPTY = new Set([
  'Share of 5xx by release',
  'Bad answers to probes',
  'Cut at the deadline of drains',
  'Forwarded requests',
])

function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      })
      .on('error', reject)
  })
}

function filled(query: string): string {
  return query.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '5m').replaceAll('$app', '.*')
}

/** What each of these alerts looks at, and how much of it is too much. */
const RARE = [
  ['ReleaseTakenBack', 'supervise_rollouts_total', 'outcome="rolledBack"', 1],
  ['RequestsCutByDrains', 'supervise_drain_requests_cut_total', 'release="r1"', 1],
  ['CrashesOften', 'supervise_worker_crashes_total', 'reason="exit"', 4],
] as const

/** The series of this scrape, of an app to which nothing has happened yet, and then grown once, have promtool fire the alerts. */
function mustAlertTheFirstTime(scrape: string, directory: string): void {
  const cases = RARE.map(([alertname, name, label, growth]) => {
    const line = scrape.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes(label))
    const [series = '', value] = line?.split(/ (?=\S+$)/) ?? []
    expect([alertname, value]).toEqual([alertname, '0'])
    return {
      interval: '1m',
      input_series: [{ series, values: `0x3 ${growth}x3` }],
      promql_expr_test: [
        { expr: `count(ALERTS{alertname="${alertname}"})`, eval_time: '3m', exp_samples: [] },
        { expr: `count(ALERTS{alertname="${alertname}"})`, eval_time: '6m', exp_samples: [{ labels: '{}', value: 1 }] },
      ],
    }
  })
  const file = join(directory, 'alerts-test.yml')
  writeFileSync(file, JSON.stringify({ rule_files: [join(ROOT, 'grafana/alerts.yaml')], tests: cases }))
  expect(execFileSync(promtool ?? '', ['test', 'rules', file], { encoding: 'utf8' })).toMatch(/SUCCESS/)
}

it.runIf(isThere)(
  'promtool has nothing to say, and every panel of the dashboard has data',
  { timeout: 120_000 },
  async () => {
    const home = makeHome()
    const [port, admin, own] = [await freePort(), await freePort(), await freePort()]
    const release = (version: string): string => {
      const directory = join(home.work, 'releases', version)
      makeRelease(directory, { fixture: 'hello.js', version })
      return directory
    }
    const args = [join(release('1'), 'app.js'), '-n', 'web', '-i', '2', '--port', String(port), ...QUICK]
    const supervise = await startSupervise(
      [...args, '--slo', '99.9, 500ms 99', '--probes', '/', '--admin', `127.0.0.1:${admin}`],
      {
        home,
      },
    )
    mustAlertTheFirstTime(await get(admin, '/metrics'), home.work)
    const target = { host: '127.0.0.1', port }
    const lanes = mixedLanes({ webSockets: 0 })
    const load = startLoad({ target, lanes, ratePerSecond: 300, durationMs: 100_000 })

    const config = join(home.work, 'prometheus.yml')
    const scrape = `{ job_name: supervise, static_configs: [{ targets: ['127.0.0.1:${admin}'] }] }`
    writeFileSync(config, `global: { scrape_interval: 1s }\nscrape_configs: [${scrape}]\n`)
    const child = spawn(
      prometheus ?? '',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(home.work, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${own}`,
      ],
      { stdio: 'ignore' },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
    const ask = async (query: string): Promise<readonly unknown[]> => {
      const text = await get(own, `/api/v1/query?query=${encodeURIComponent(query)}`)
      const answer: { status: string; error?: string; data?: { result: readonly unknown[] } } = JSON.parse(text)
      if (answer.status !== 'success') throw new Error(`${query}: ${answer.error}`)
      return answer.data?.result ?? []
    }
    await until(async () => (await ask('up == 1').catch(() => [])).length === 1, 30_000, 'Prometheus scrapes')

    // Something of everything: counters that come into being are seen to grow from the next scrape on.
    const happen = async (): Promise<void> => {
      mustExit(await supervise.cli('reload', 'web'), 0)
      mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
      mustExit(await supervise.cli('flip', 'web'), 0)
      const [pid] = await supervise.pids('web')
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      await supervise.online()
    }
    await happen()
    await until(
      async () => (await ask('sum(supervise_worker_crashes_total) > 0')).length > 0,
      10_000,
      'a crash was scraped',
    )
    await happen()

    for (const { panels } of ROWS) {
      for (const { title, queries } of panels) {
        for (const [query] of queries) {
          const hasData = async () => MAY_BE_EMPTY.has(title) || (await ask(filled(query))).length > 0
          // oxlint-disable-next-line no-await-in-loop -- in the order of the dashboard
          await until(hasData, 20_000, `"${title}" has data: ${filled(query)}`)
        }
      }
    }
    const metrics = await get(admin, '/metrics')
    expect(
      execFileSync(promtool ?? '', ['check', 'metrics'], { input: metrics, encoding: 'utf8', stdio: 'pipe' }),
    ).toBe('')
    const rules = execFileSync(promtool ?? '', ['check', 'rules', join(ROOT, 'grafana/alerts.yaml')], {
      encoding: 'utf8',
    })
    expect(rules).toMatch(/SUCCESS/)
    await load.stop()
    await supervise.stop()
  },
)
