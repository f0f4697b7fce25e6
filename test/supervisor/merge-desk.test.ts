import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { RegistryReport } from '../../src/protocol/registry-metrics.ts'
import type { SupervisorMessage } from '../../src/protocol/messages.ts'
import { Measures } from '../../src/telemetry/measures.ts'
import type { App } from '../../src/supervisor/app.ts'
import { ANSWER_WITHIN_MS, MergeDesk } from '../../src/supervisor/merge-desk.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'

const NOTHING: RegistryReport = { registries: 1, metrics: [], problem: null }

interface Scene {
  readonly desk: MergeDesk
  readonly measures: Measures
  readonly worker: WorkerHandle
  /** What it was asked. */
  readonly asked: Extract<SupervisorMessage, { type: 'collect' }>[]
  readonly told: string[]
  merge: boolean
  state: string
  uptimeMs: number
  /** What the worker answers at once; null for never. */
  answer: RegistryReport | null
}

/** One app with one worker. */
function scene(): Scene {
  const measures = new Measures()
  const told: string[] = []
  const asked: Scene['asked'] = []
  const worker = {
    incarnation: 'i1',
    isLinked: true,
    generation: { group: 'blue', release: { id: 'r1' }, config: { name: 'web' } },
    get state() {
      return all.state
    },
    uptimeMs: () => all.uptimeMs,
    send(message: Scene['asked'][number]) {
      asked.push(message)
      if (all.answer !== null) all.desk.heard(all.worker, { type: 'appMetrics', id: message.id, ...all.answer })
    },
  }
  const app = {
    name: 'web',
    get config() {
      return { mergeMetrics: all.merge }
    },
    processes: () => [worker],
    record: (type: string, text: string) => told.push(`${type}: ${text}`),
  }
  // Only what the desk reads of them is here.
  /* oxlint-disable typescript/no-unsafe-type-assertion */
  const all: Scene = {
    desk: new MergeDesk(measures, () => [app as unknown as App]),
    measures,
    worker: worker as unknown as WorkerHandle,
    asked,
    told,
    merge: true,
    state: 'serving',
    uptimeMs: 60_000,
    answer: NOTHING,
  }
  /* oxlint-enable typescript/no-unsafe-type-assertion */
  return all
}

function timeouts({ measures }: Scene): number | undefined {
  return measures.counters.counted('supervise_merge_timeouts_total')[0]?.value
}

describe('MergeDesk', () => {
  it('asks who merges or has registered something, and nobody else', async () => {
    const all = scene()
    await all.desk.collect()
    all.state = 'starting'
    await all.desk.collect()
    all.state = 'draining'
    all.merge = false
    await all.desk.collect()
    all.desk.greet(all.worker)
    expect(all.asked.map(({ defaults }) => defaults)).toEqual([true])
    all.measures.merged.offered('i1')
    await all.desk.collect()
    all.desk.greet(all.worker)
    expect(all.asked.map(({ defaults }) => defaults)).toEqual([true, false, false])
  })

  it('waits for an answer no longer than its bound, and for one that is late not at all', async () => {
    const all = scene()
    all.answer = null
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    let isOver = false
    const first = all.desk.collect().then(() => (isOver = true))
    await vi.advanceTimersByTimeAsync(ANSWER_WITHIN_MS - 1)
    expect([isOver, timeouts(all)]).toEqual([false, undefined])
    await vi.advanceTimersByTimeAsync(1)
    await first
    expect(timeouts(all)).toBe(1)
    // The clock stands still, so that this would never end if it waited.
    await all.desk.collect()
    expect(timeouts(all)).toBe(2)
    all.desk.heard(all.worker, { type: 'appMetrics', id: all.asked.at(-1)?.id ?? 0, ...NOTHING })
    all.answer = NOTHING
    await all.desk.collect()
    expect(timeouts(all)).toBe(2)
  })

  it('tells once what is left out, and why', async () => {
    const all = scene()
    const taken = { name: 'supervise_workers', help: '', type: 'gauge', aggregator: 'sum', values: [] }
    const problem = { kind: 'too-large', text: '12000 series, 900 KiB' } as const
    all.answer = { registries: 0, metrics: [taken], problem }
    await all.desk.collect()
    await all.desk.collect()
    all.answer = { ...NOTHING, problem: { kind: 'failed', text: 'the database is gone' } }
    await all.desk.collect()
    expect(all.told).toEqual([
      expect.stringMatching(/^metricsNotMerged: .* supervise_workers is left out/),
      expect.stringMatching(/12000 series, 900 KiB of one worker, where 10000 series and 1024 KiB are the most/),
      expect.stringMatching(/has no metrics of its own to merge/),
      expect.stringMatching(/the database is gone/),
    ])
  })

  it('gives an app time to load prom-client', async () => {
    const all = scene()
    all.answer = { ...NOTHING, registries: 0 }
    all.uptimeMs = 1000
    await all.desk.collect()
    expect(all.told).toEqual([])
  })
})
