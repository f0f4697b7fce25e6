import { beforeEach, describe, expect, it } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import { beginRollout, stepRollout, type Rollout, type RolloutEvent } from '../../src/core/rollout.ts'
import type { FinishedSpan, SpanOrder } from '../../src/protocol/tracing.ts'
import type { ReleaseRecord } from '../../src/state/release-store.ts'
import { RolloutTraces, type SendSpans } from '../../src/supervisor/rollout-traces.ts'
import { TraceReports } from '../../src/supervisor/trace-reports.ts'
import type { Generation } from '../../src/supervisor/worker-spec.ts'
import { policy } from '../core/rollout-scene.ts'
import { FakeClock } from './fake-borrowers.ts'

const tracing = { otlp: 'http://localhost:4318', ratio: 0.1 }
// Only what is asked of them is there.
const record = { id: 'r2', createdAt: '2026-01-31T08:00:00.000Z', path: '/srv/2' } as ReleaseRecord
const generationWith = (config: Partial<AppConfig>) =>
  ({ config: { script: '/srv/2/app.js', ...config } }) as Generation
const generation = generationWith({ tracing })

let clock: FakeClock
let orders: SpanOrder[]
let told: string[]
const send: SendSpans = (order) => {
  orders.push(order)
  return Promise.resolve('no')
}

function newTraces(): RolloutTraces {
  return new RolloutTraces('web', clock, new TraceReports((type) => told.push(type)), send)
}

/** A rollout that sees these events. */
function run(traces: RolloutTraces, events: readonly RolloutEvent[], from?: Rollout): Rollout {
  let rollout = from ?? beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 0).rollout
  for (const event of events) {
    const before = rollout
    rollout = stepRollout(before, event, 1).rollout
    if (rollout.state !== before.state) traces.moved({ now: rollout, before, record, generation })
  }
  return rollout
}

const spans = (): FinishedSpan[] => orders.flatMap((order) => order.spans)
const settle = async (): Promise<void> => {
  clock.advance(1000)
  await new Promise((resolve) => setImmediate(resolve))
}

beforeEach(() => {
  clock = new FakeClock()
  orders = []
  told = []
})

describe('RolloutTraces', () => {
  it('sends steps that come soon after each other together, one behind the other from the deploy on', async () => {
    run(newTraces(), [{ type: 'groupReady' }, { type: 'timedOut' }])
    expect(orders).toEqual([])
    await settle()
    expect(orders.map(({ script, otlp }) => [script, otlp])).toEqual([['/srv/2/app.js', tracing.otlp]])
    expect(spans().map(({ name }) => name)).toEqual(['rollout starting', 'rollout ready'])
    expect(spans()[0]?.startedAt).toBe(record.createdAt)
    expect(spans()[1]?.startedAt).toBe(spans()[0]?.endedAt)
    expect(told).toEqual(['tracingFailed'])
  })

  it('names why a rollout failed, in the step that ended it and in the whole', async () => {
    run(newTraces(), [{ type: 'groupFailed', why: 'it broke' }, { type: 'groupEnded' }])
    await settle()
    const errors = spans().map(({ name, error }) => [name, error])
    expect(errors).toEqual([
      ['rollout starting', 'it broke'],
      ['rollout endingNew', null],
      ['rollout', 'it broke'],
    ])
    expect(spans().at(-1)?.attributes).toMatchObject({ 'supervise.rollout.outcome': 'failed' })
  })

  it('stays one trace when another supervisor goes on with it', async () => {
    const paused = run(newTraces(), [{ type: 'groupReady' }])
    await settle()
    run(newTraces(), [{ type: 'abortWanted', why: 'no' }, { type: 'groupEnded' }], paused)
    await settle()
    expect(spans().map(({ name }) => name)).toEqual([
      'rollout starting',
      'rollout ready',
      'rollout endingNew',
      'rollout',
    ])
    const [, unseen] = spans()
    expect(unseen?.startedAt).toBe(unseen?.endedAt)
    const root = spans().at(-1)
    expect(root).toMatchObject({ parentId: null, startedAt: record.createdAt, error: null })
    expect(new Set(spans().map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]))
    expect(new Set(spans().map(({ parentId }) => parentId))).toEqual(new Set([root?.spanId, null]))
    expect(new Set(spans().map(({ spanId }) => spanId)).size).toBe(4)
    expect(root?.traceId).toMatch(/^[\da-f]{32}$/)
    expect(root?.spanId).toMatch(/^[\da-f]{16}$/)
  })

  it('does nothing where no traces are wanted', async () => {
    const { rollout } = beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 0)
    const now = stepRollout(rollout, { type: 'groupReady' }, 1).rollout
    newTraces().moved({ now, before: rollout, record, generation: generationWith({ tracing: null }) })
    await settle()
    expect(orders).toEqual([])
  })
})
