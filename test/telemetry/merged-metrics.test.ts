import fc from 'fast-check'
import promClient, { Counter, Gauge, Histogram, Registry, Summary, collectDefaultMetrics } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RegistryMetric } from '../../src/protocol/registry-metrics.ts'
import { expose, type Family } from '../../src/telemetry/exposition.ts'
import { MergedMetrics, type Aggregators } from '../../src/telemetry/merged-metrics.ts'
import type { MergeProblem } from '../../src/telemetry/merged-names.ts'
import type { RequestOwner } from '../../src/telemetry/request-book.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { checkMetrics } from '../support/prometheus.ts'

const AGGREGATORS: Aggregators = Reflect.get(promClient, 'aggregators')
const WEB: RequestOwner = { app: 'web', group: 'blue', release: 'r1' }

/** A process with metrics of prom-client, as it tells them. */
class Process {
  readonly registry = new Registry()
  readonly registers = [this.registry]
  readonly jobs = new Counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['kind'], registers: this.registers })
  readonly times = new Histogram({ name: 'job_seconds', help: 'Time.', buckets: [1, 5], registers: this.registers })

  async tell(): Promise<readonly RegistryMetric[]> {
    // Over the link it goes as JSON.
    const found: readonly RegistryMetric[] = JSON.parse(JSON.stringify(await this.registry.getMetricsAsJSON()))
    return found
  }
}

let merged: MergedMetrics
let problems: MergeProblem[]

beforeEach(() => {
  merged = new MergedMetrics()
  problems = []
})

function families(book = merged): readonly Family[] {
  return book.families(AGGREGATORS, (_app, problem) => problems.push(problem))
}

async function lines(book = merged) {
  return parseMetrics(await expose(families(book)))
}

async function take(process: Process, incarnation: string, owner = WEB): Promise<void> {
  problems.push(...merged.take(owner, incarnation, await process.tell()))
}

/** Tells of one metric that prom-client would not make. */
function told(metric: Partial<RegistryMetric>): RegistryMetric {
  const values = [{ labels: {}, value: 1 }]
  return { name: 'x', help: 'X.', type: 'gauge', aggregator: 'sum', values, ...metric }
}

async function gauges(): Promise<readonly string[]> {
  return (await lines()).filter(({ name }) => name.startsWith('gauge_')).map(({ name, value }) => `${name} ${value}`)
}

function many(from: number): RegistryMetric {
  const values = Array.from({ length: 10_000 }, (_, at) => ({ labels: { at: from + at }, value: 1 }))
  return told({ type: 'counter', values })
}

type Step = {
  readonly what: 'count' | 'tell' | 'replace' | 'reset' | 'restart'
  readonly of: number
  readonly by: number
}

const STEP: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('count', 'count', 'tell', 'replace', 'reset', 'restart'),
  of: fc.nat({ max: 2 }),
  by: fc.nat({ max: 6 }),
})

describe('MergedMetrics', () => {
  it('counts all that was told, and never goes back, whatever dies or is reset', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 30 }), async (steps) => {
        let book = new MergedMetrics()
        const processes = [0, 1, 2].map((at) => ({ process: new Process(), name: `${at}`, untold: 0, sinceReset: 0 }))
        let [expected, before, next] = [0, 0, 3]
        for (const { what, of, by } of steps) {
          const one = processes[of]
          if (one === undefined) continue
          const tell = async () => {
            book.take(WEB, one.name, await one.process.tell())
            expected += one.untold
            one.untold = 0
          }
          if (what === 'count') {
            one.process.jobs.inc({ kind: `${by % 2}` }, by)
            for (let times = 0; times < by; times++) one.process.times.observe(times)
            one.untold += by
          } else if (what === 'tell') await tell()
          else if (what === 'replace') {
            book.forget(one.name)
            Object.assign(one, { process: new Process(), name: `${next++}`, untold: 0 })
          } else if (what === 'reset') {
            await tell()
            one.process.registry.resetMetrics()
            // Said while it is at 0: what it counts before it says so cannot be told from going on.
            await tell()
          } else {
            const saved = JSON.stringify(book.save())
            book = new MergedMetrics()
            book.restore(JSON.parse(saved))
          }
          const now = await lines(book)
          const total = sumOf(now, 'jobs_total')
          expect(total).toBe(expected)
          expect(sumOf(now, 'job_seconds_count')).toBe(expected)
          expect(sumOf(now, 'job_seconds_bucket', { le: '+Inf' })).toBe(expected)
          expect(total).toBeGreaterThanOrEqual(before)
          before = total
        }
      }),
      { numRuns: 60 },
    )
  })

  it('adds what was counted since the app has reset its metrics', async () => {
    const process = new Process()
    for (const count of [5, 2]) {
      process.registry.resetMetrics()
      process.jobs.inc({ kind: 'a' }, count)
      for (let times = 0; times < count; times++) process.times.observe(count === 5 ? 0.5 : 3)
      await take(process, '1')
    }
    const now = await lines()
    expect(sumOf(now, 'jobs_total')).toBe(7)
    expect(sumOf(now, 'job_seconds_bucket', { le: '1' })).toBe(5)
    expect(sumOf(now, 'job_seconds_count')).toBe(7)
    expect(sumOf(now, 'job_seconds_sum')).toBe(5 * 0.5 + 2 * 3)
  })

  it('takes the gauges of living processes by their aggregator', async () => {
    for (const [name, value] of [
      ['1', 2],
      ['2', 6],
    ] as const) {
      const process = new Process()
      for (const aggregator of ['sum', 'max', 'min', 'average', 'first', 'omit'] as const)
        new Gauge({ name: `gauge_${aggregator}`, help: 'G.', aggregator, registers: process.registers }).set(value)
      await take(process, name)
    }
    expect(await gauges()).toEqual(['gauge_average 4', 'gauge_first 2', 'gauge_max 6', 'gauge_min 2', 'gauge_sum 8'])
    merged.forget('2')
    expect(await gauges()).toContain('gauge_sum 2')
  })

  it('names whose they are, and keeps releases and apps apart', async () => {
    const owners = [WEB, { ...WEB, release: 'r2' }, { ...WEB, app: 'api', group: 'green' as const }]
    for (const [at, owner] of owners.entries()) {
      const process = new Process()
      process.jobs.inc({ kind: 'a' }, at + 1)
      await take(process, String(at), owner)
    }
    const now = await lines()
    expect(owners.map((owner) => sumOf(now, 'jobs_total', { ...owner, kind: 'a' }))).toEqual([1, 2, 3])
    expect([...merged.series()].map(({ app, release, count }) => [app, release, count])).toEqual([
      ['web', 'r1', 6],
      ['web', 'r2', 6],
      ['api', 'r1', 6],
    ])
    merged.forgetApp('api')
    expect(sumOf(await lines(), 'jobs_total', { app: 'api' })).toBe(0)
  })

  it('keeps ours where names clash, and gives labels another name', async () => {
    const process = new Process()
    const { registers } = process
    for (const name of ['supervise_workers', 'supervise_x', 'http_server_request_duration_seconds_count'])
      new Gauge({ name, help: 'Taken.', registers }).set(7)
    new Gauge({ name: 'lag', help: 'Lag.', labelNames: ['group', 'app', 'exported_app', 'worker'], registers }).set(
      { group: 'eu', app: 'mine', exported_app: 'too', worker: '9' },
      3,
    )
    await take(process, '1')
    const now = await lines()
    expect(now.filter(({ name }) => name.startsWith('supervise_') || name.startsWith('http_'))).toEqual([])
    expect(now.find(({ name }) => name === 'lag')?.labels).toEqual({
      exported_group: 'eu',
      exported_exported_app: 'mine',
      exported_app: 'too',
      worker: '9',
      ...WEB,
    })
    expect(problems.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'name supervise_workers',
      'name supervise_x',
      'name http_server_request_duration_seconds_count',
      'label group',
      'label app',
    ])
  })

  it('leaves out what Prometheus could not read, and what is no number', async () => {
    const bad = [told({ name: 'a b' }), told({ name: 'untyped', type: 'untyped' })]
    const label = told({ name: 'labelled', values: [{ labels: { 'a-b': '1' }, value: 1 }] })
    const none: RegistryMetric = JSON.parse(JSON.stringify(told({ values: [{ labels: {}, value: Number.NaN }] })))
    problems.push(...merged.take(WEB, '1', [...bad, label, none]))
    expect(await lines()).toEqual([])
    expect(problems.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'invalid a b',
      'invalid untyped',
      'invalid labelled',
    ])
  })

  it('has one type for each name: the newest says which', async () => {
    merged.take(WEB, '1', [told({ type: 'counter' })])
    merged.take({ ...WEB, release: 'r2' }, '2', [told({})])
    expect(families().map(({ type, values }) => [type, values.length])).toEqual([['gauge', 1]])
    expect(problems).toEqual([{ kind: 'type', subject: 'x', was: 'counter', is: 'gauge' }])
  })

  it('begins a histogram anew whose buckets are others, and leaves the old processes out', async () => {
    const old = new Process()
    old.times.observe(3)
    await take(old, '1')
    const fresh = new Process()
    fresh.registry.removeSingleMetric('job_seconds')
    new Histogram({ name: 'job_seconds', help: 'Time.', buckets: [2], registers: fresh.registers }).observe(1)
    await take(fresh, '2')
    old.times.observe(3)
    await take(old, '1')
    const now = await lines()
    expect(now.filter(({ name }) => name === 'job_seconds_bucket').map(({ labels }) => labels['le'])).toEqual([
      '2',
      '+Inf',
    ])
    expect(sumOf(now, 'job_seconds_count')).toBe(1)
  })

  it('lets a sum fall by what was observed below 0, and takes of a summary its sum and count', async () => {
    const process = new Process()
    const deltas = new Summary({ name: 'deltas', help: 'D.', registers: process.registers })
    for (const [at, observed] of [5, -3].entries()) {
      process.times.observe(observed)
      deltas.observe(observed)
      await take(process, '1')
      const now = await lines()
      expect([sumOf(now, 'job_seconds_sum'), sumOf(now, 'deltas_sum')]).toEqual(at === 0 ? [5, 5] : [2, 2])
      expect(now.filter(({ name }) => name.startsWith('deltas')).map(({ name }) => name)).toEqual([
        'deltas_sum',
        'deltas_count',
      ])
    }
  })

  it('is no more than fits, and says so', () => {
    for (const from of [0, 10_000, 20_000]) problems.push(...merged.take(WEB, '1', [many(from)]))
    expect(problems).toEqual([{ kind: 'room', subject: 'x' }])
    expect([...merged.series()][0]?.count).toBe(20_000)
    expect(merged.save()).toBeNull()
    for (let release = 2; release < 12; release++)
      merged.take({ ...WEB, release: `r${release}` }, String(release), [told({ type: 'counter' })])
    expect([...merged.series()].map((one) => one.release)).toEqual(['r7', 'r8', 'r9', 'r10', 'r11'])
  })

  it("is what promtool has nothing to say of, with prom-client's own metrics too", async () => {
    const process = new Process()
    process.jobs.inc({ kind: 'a "b"\\\n' })
    await take(process, '1')
    expect(checkMetrics(await expose(families()))).toBe('')
    collectDefaultMetrics({ register: process.registry })
    await take(process, '1')
    const now = await lines()
    expect(sumOf(now, 'process_cpu_seconds_total')).toBeGreaterThan(0)
    // Omitted by prom-client itself: the start of several processes is nothing.
    expect(now.some(({ name }) => name === 'process_start_time_seconds')).toBe(false)
  })
})

it('keeps no word of processes that died while no supervisor was there, and all that they counted', async () => {
  const [gone, stays] = [new Process(), new Process()]
  for (const [incarnation, process] of [
    ['gone', gone],
    ['stays', stays],
  ] as const) {
    process.jobs.inc({ kind: 'mail' }, 2)
    merged.take(WEB, incarnation, await process.tell())
  }
  const next = new MergedMetrics()
  next.restore(merged.save())
  next.keepOnly(new Set(['stays']))
  expect(next.save()?.tellers.map(({ incarnation }) => incarnation)).toEqual(['stays'])
  expect(next.save()?.owners).toEqual(merged.save()?.owners)
})
