import { describe, expect, it } from 'vitest'
import { RequestTally } from '../../src/agent/request-tally.ts'
import { Measures } from '../../src/telemetry/measures.ts'

const process = { app: 'web', group: 'blue', release: 'r1', worker: 1, incarnation: 'a' } as const
const PRESENT = { nowMs: 0, wallMs: 0 }
const labels = { app: 'web', group: 'blue', release: 'r1' }

describe('Measures', () => {
  it('adds up what processes tell of their lives, across their ends', () => {
    const measures = new Measures()
    measures.told(process, 'supervise_forwarded_requests_total', 5)
    measures.told(process, 'supervise_forwarded_requests_total', 7)
    measures.workerGone(process)
    measures.told({ ...process, incarnation: 'b' }, 'supervise_forwarded_requests_total', 2)
    expect(measures.counters.counted('supervise_forwarded_requests_total')).toEqual([{ labels, value: 9 }])
  })

  it('adds up the CPU time of a process and its children, also when one of them leaves with its share', () => {
    const measures = new Measures()
    for (const seconds of [10, 4, 5]) measures.cpuTaken(process, seconds)
    expect(measures.counters.counted('supervise_worker_cpu_seconds_total')).toMatchObject([{ value: 11 }])
  })

  it('goes on where it was after a restart: of a worker that lives only what is new is added', () => {
    const tally = new RequestTally()
    tally.count('GET', 200, 3)
    const before = new Measures()
    before.cpuTaken(process, 10)
    before.answered(process, tally.tell() ?? fail(), null, 0)
    const measures = new Measures()
    measures.restore(JSON.parse(JSON.stringify(before.save(PRESENT))), PRESENT)
    measures.cpuTaken(process, 12)
    tally.count('GET', 200, 3)
    measures.answered(process, tally.tell(true) ?? fail(), null, 0)
    expect(measures.counters.counted('supervise_worker_cpu_seconds_total')[0]?.value).toBe(12)
    expect([...(measures.requests.of(process)?.series.values() ?? [])].map(({ count }) => count)).toEqual([2])
  })

  it('is not saved larger with each life of a supervisor: of those that ended unseen nothing stays but their counts', () => {
    const tally = new RequestTally()
    tally.count('GET', 200, 3)
    const before = new Measures()
    for (const incarnation of ['a', 'b']) {
      before.cpuTaken({ ...process, incarnation }, 10)
      before.answered({ ...process, incarnation }, tally.tell(true) ?? fail(), null, 0)
    }
    before.linesWritten('web', 'stdout', { lines: 5, bytes: 50 })
    before.linesDropped(1)
    const measures = new Measures()
    measures.restore(JSON.parse(JSON.stringify(before.save(PRESENT))), PRESENT)
    measures.keepOnly(new Set(['b']))
    const { growing, requests } = measures.save(PRESENT)
    expect(Object.keys(growing)).toEqual(['b'])
    expect(Object.keys(requests.told)).toEqual(['b'])
    measures.cpuTaken({ ...process, incarnation: 'b' }, 11)
    measures.linesWritten('web', 'stdout', { lines: 2, bytes: 20 })
    expect(measures.counters.counted('supervise_worker_cpu_seconds_total')[0]?.value).toBe(21)
    expect(measures.counters.counted('supervise_log_lines_total')[0]?.value).toBe(7)
  })

  it('leaves nothing of an app that is gone: one of its name that comes later is counted from its first line on', () => {
    const measures = new Measures()
    const lines = () => measures.counters.counted('supervise_log_lines_total').map(({ value }) => value)
    measures.linesWritten('web', 'stdout', { lines: 50, bytes: 500 })
    measures.forgetApp('web')
    expect(lines()).toEqual([])
    measures.linesWritten('web', 'stdout', { lines: 30, bytes: 300 })
    expect(lines()).toEqual([30])
  })
})

it('what raises an alarm is there with 0 before it happens for the first time, and goes on where it was', () => {
  const measures = new Measures()
  for (let begun = 0; begun < 2; begun += 1) {
    measures.appBegan('web')
    measures.workerBegan(process)
    measures.workerCrashed(process, 'hang')
  }
  const counted = (name: string) => measures.counters.counted(name)
  expect(counted('supervise_rollouts_total')).toContainEqual({
    labels: { app: 'web', outcome: 'rolledBack' },
    value: 0,
  })
  expect(counted('supervise_drain_requests_cut_total')).toEqual([{ labels, value: 0 }])
  expect(counted('supervise_drain_connections_cut_total')).toEqual([{ labels, value: 0 }])
  expect(counted('supervise_worker_crashes_total')).toContainEqual({ labels: { ...labels, reason: 'exit' }, value: 0 })
  expect(counted('supervise_worker_crashes_total')).toContainEqual({ labels: { ...labels, reason: 'hang' }, value: 2 })
})

describe('cutByCrash()', () => {
  const promised = { availability: 90, latency: { thresholdMs: 500, target: 90 } }

  it('counts what a crash has cut as aborted and as failed, once, whether it was told or not', () => {
    const tally = new RequestTally()
    for (let request = 0; request < 94; request += 1) tally.count('GET', 200, 3)
    for (let cut = 0; cut < 4; cut += 1) tally.countCut('GET', 3)
    const measures = new Measures()
    measures.answered(process, tally.tell() ?? fail(), promised, 0)
    measures.cutByCrash(process, { told: 4, untold: 0 }, promised, 0)
    measures.cutByCrash({ ...process, incarnation: 'b' }, { told: 0, untold: 2 }, promised, 0)
    const aborted = [...(measures.requests.of(process)?.series.values() ?? [])].filter(({ status }) => status === 0)
    expect(aborted.map(({ method, count }) => [method, count])).toEqual([
      ['GET', 4],
      ['_OTHER', 2],
    ])
    // Six of a hundred, where ten may fail.
    for (const { budgetLeft } of measures.objectives.of('web', promised, 0)) expect(budgetLeft).toBeCloseTo(0.4)
  })

  it('says nothing of an app that promises nothing, and makes up no series', () => {
    const measures = new Measures()
    measures.cutByCrash(process, { told: 3, untold: 0 }, null, 0)
    expect(measures.requests.totals()).toEqual([])
    expect(measures.save(PRESENT).objectives).toEqual({})
  })
})

function fail(): never {
  throw new Error('It told nothing')
}
