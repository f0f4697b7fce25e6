// What an app counts by itself is exposed with the supervisor's metrics: summed over its workers to the last request, over
// reloads, the death of a worker and that of the supervisor.

import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { parseMetrics, sumOf, type MetricLine } from '../support/metrics.ts'
import { mustExit } from '../support/must-exit.ts'
import { checkMetrics } from '../support/prometheus.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

it('sums the counters of all processes that there were, and takes gauges by their aggregator', async () => {
  const home = makeHome()
  const port = await freePort()
  const args = [fixture('counts-itself.mjs'), '-n', 'shop', '-i', '2', '--port', String(port), ...QUICK]
  const first = await startSupervise([...args, '--merge-metrics'], { home })
  let supervise = first
  const say = async (...words: string[]): Promise<string> => {
    const result = await supervise.cli(...words)
    mustExit(result, 0)
    return result.stdout
  }
  const text = (): Promise<string> => say('metrics', 'shop')
  const scrape = async (): Promise<readonly MetricLine[]> => parseMetrics(await text())

  const lanes = mixedLanes({ webSockets: 0 })
  const load = startLoad({ target: { host: '127.0.0.1', port }, lanes, ratePerSecond: 500, durationMs: 60_000 })
  await load.answers(300)
  await say('reload', 'shop')
  await load.answers(300)
  const report = await load.stop()
  mustHaveLostNothing(report)

  const mustCountAll = (lines: readonly MetricLine[]): void => {
    // Theirs called `group` gives way to ours.
    const labels = { app: 'shop', group: 'blue', release: 'r1', exported_group: 'eu' }
    expect(sumOf(lines, 'shop_orders_total', labels)).toBe(report.ok)
    expect(sumOf(lines, 'shop_order_seconds_count')).toBe(report.ok)
    expect(sumOf(lines, 'shop_order_seconds_bucket', { le: '0.1' })).toBe(0)
    expect(sumOf(lines, 'shop_order_seconds_bucket', { le: '1' })).toBe(report.ok)
    expect(sumOf(lines, 'own_requests_total')).toBe(report.ok)
  }
  const lines = await scrape()
  mustCountAll(lines)
  expect(sumOf(lines, 'shop_workers')).toBe(2)
  expect(sumOf(lines, 'shop_last_pid')).toBe(Math.max(...(await first.pids('shop'))))
  // Ours stays, and is not theirs.
  expect(sumOf(lines, 'supervise_workers', { state: 'serving' })).toBe(2)
  expect(checkMetrics(await text())).toBe('')
  const told = await say('events', '--type', 'metricsNotMerged')
  expect(told.match(/supervise_workers is left out/g)).toHaveLength(1)
  expect(told.match(/the label group .* shown as exported_group/g)).toHaveLength(1)

  const [pid = 0] = await first.pids('shop')
  process.kill(pid, 'SIGKILL')
  await until(async () => !(await first.pids('shop')).includes(pid), 10_000, 'the worker is gone')
  mustCountAll(await scrape())
  await until(async () => sumOf(await scrape(), 'shop_workers') === 2, 10_000, 'another one is there')

  first.signal('SIGKILL')
  await first.ended()
  supervise = await startSupervise([...args, '--merge-metrics'], { home })
  await until(
    async () => sumOf(await scrape(), 'shop_workers') === 2,
    10_000,
    'both have told it to the next supervisor',
  )
  mustCountAll(await scrape())
  await supervise.stop()
})
