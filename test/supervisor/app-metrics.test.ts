import { expect, it } from 'vitest'
import type { App } from '../../src/supervisor/app.ts'
import { addApp } from '../../src/supervisor/app-metrics.ts'
import { expose } from '../../src/telemetry/exposition.ts'
import { Families } from '../../src/telemetry/families.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'

interface Process {
  readonly pid: number
  readonly state: 'serving' | 'draining' | 'starting'
  readonly release?: string
}

function process({ pid, state, release = 'r1' }: Process) {
  const vitals = {
    loopDelayMs: 0,
    loopUtilization: pid / 100,
    loopDelays: { p50: pid, p90: pid, p99: pid, max: pid },
    heapUsedBytes: 10,
    heapLimitBytes: 1000,
    connections: 3,
    handles: 7,
    requests: 0,
    inFlight: 2,
  }
  const generation = { group: 'blue', release: { id: release, path: '/app', version: null } }
  const isStaying = state !== 'draining'
  return { id: 1, pid, state, isStaying, generation, vitals, uptimeMs: () => pid * 1000 }
}

async function scrape(...processes: readonly ReturnType<typeof process>[]) {
  const { generation } = process({ pid: 1, state: 'serving' })
  const place = { id: 1, waiting: null, processes: new Set(processes) }
  const group = { name: 'blue', wanted: 1, generation, clock: { now: () => 0 }, places: new Map([[1, place]]) }
  const app = {
    name: 'web',
    isStopped: false,
    counts: () => ({ serving: 1, wanted: 1, failed: 0 }),
    bothGroups: () => [group],
    lending: { loans: () => [], status: () => [] },
  }
  const children = { count: 1, rssBytes: 5 }
  const samples = { of: (pid: number) => (pid === 99 ? null : { rssBytes: 100, children }) }
  const families = new Families()
  // Of an app and of samples, what metrics are made of.
  addApp(families, app as unknown as App, samples as never)
  // Refuses a series that stands twice.
  return parseMetrics(await expose(families.all()))
}

it('a worker that is replaced within its release has one set of figures: sums, and those of who stays', async () => {
  const lines = await scrape(process({ pid: 20, state: 'draining' }), process({ pid: 30, state: 'serving' }))
  expect(sumOf(lines, 'supervise_workers')).toBe(2)
  expect(sumOf(lines, 'supervise_worker_resident_memory_bytes')).toBe(210)
  expect(sumOf(lines, 'supervise_worker_children')).toBe(2)
  expect(sumOf(lines, 'supervise_worker_heap_used_bytes')).toBe(20)
  expect(sumOf(lines, 'supervise_worker_open_connections')).toBe(6)
  expect(sumOf(lines, 'supervise_http_requests_in_flight')).toBe(4)
  expect(sumOf(lines, 'supervise_worker_heap_limit_bytes')).toBe(1000)
  expect(sumOf(lines, 'supervise_worker_uptime_seconds')).toBe(30)
  expect(sumOf(lines, 'supervise_worker_event_loop_utilization_ratio')).toBe(0.3)
  expect(sumOf(lines, 'supervise_worker_event_loop_delay_seconds', { statistic: 'p99' })).toBe(0.03)
})

it('says of each release its own', async () => {
  const lines = await scrape(
    process({ pid: 20, state: 'draining' }),
    process({ pid: 30, state: 'serving', release: 'r2' }),
  )
  expect(sumOf(lines, 'supervise_worker_uptime_seconds', { release: 'r1' })).toBe(20)
  expect(sumOf(lines, 'supervise_worker_uptime_seconds', { release: 'r2' })).toBe(30)
})

it('leaves out what is not known yet', async () => {
  const lines = await scrape({ ...process({ pid: 99, state: 'starting' }), vitals: null as never })
  expect(lines.map(({ name }) => name)).toEqual([
    'supervise_workers',
    'supervise_workers_wanted',
    'supervise_app_up',
    'supervise_worker_uptime_seconds',
  ])
})
