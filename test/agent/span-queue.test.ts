import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SpanQueue } from '../../src/agent/span-queue.ts'

const span = (traceFlags = 1) => ({ spanContext: () => ({ traceFlags }) })
type Done = (problem: string | null) => void

let sent: { readonly count: number; readonly done: Done }[]
let told: (string | null)[]
let queue: SpanQueue<ReturnType<typeof span>>

beforeEach(() => {
  vi.useFakeTimers()
  sent = []
  told = []
  queue = new SpanQueue(
    ({ length: count }, done) => void sent.push({ count, done }),
    (problem) => told.push(problem),
  )
})
afterEach(() => void vi.useRealTimers())

function end(count: number): void {
  for (let left = count; left > 0; left--) queue.onEnd(span())
}

describe('SpanQueue', () => {
  it('sends what has come within a second together, and nothing that is not sampled', async () => {
    end(3)
    queue.onEnd(span(0))
    expect(sent).toEqual([])
    await vi.advanceTimersByTimeAsync(1000)
    expect(sent.map(({ count }) => count)).toEqual([3])
  })

  it('sends one batch at a time, and holds no more than it may', async () => {
    end(10_000)
    expect(sent.map(({ count }) => count)).toEqual([512])
    for (let round = 0; round < 10; round++) {
      sent.at(-1)?.done(null)
      await vi.advanceTimersByTimeAsync(1000)
    }
    expect(sent.map(({ count }) => count)).toEqual([512, 512, 512, 512, 512])
    expect(told).toEqual([null, null, null, null, null])
  })

  it('gives up a batch that is not taken, tells it, and goes on with what came meanwhile', async () => {
    end(1)
    await vi.advanceTimersByTimeAsync(1000)
    end(2)
    await vi.advanceTimersByTimeAsync(5000)
    expect(told).toEqual(['it did not answer within 5 s'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(sent.map(({ count }) => count)).toEqual([1, 2])
  })

  it('tells what the exporter throws', async () => {
    const failing = new SpanQueue<ReturnType<typeof span>>(
      () => {
        throw new Error('no')
      },
      (problem) => told.push(problem),
    )
    failing.onEnd(span())
    await failing.flush(1000)
    expect(told).toEqual(['no'])
  })

  it('flushes all of it without a wait between batches, and is done when it is sent', async () => {
    end(700)
    let isDone = false
    void queue.flush(60_000).then(() => (isDone = true))
    sent[0]?.done(null)
    await vi.advanceTimersByTimeAsync(0)
    expect([sent.map(({ count }) => count), isDone]).toEqual([[512, 188], false])
    sent[1]?.done(null)
    await vi.advanceTimersByTimeAsync(0)
    expect(isDone).toBe(true)
  })

  it('flushes no longer than it may', async () => {
    end(1)
    let isDone = false
    void queue.flush(1000).then(() => (isDone = true))
    await vi.advanceTimersByTimeAsync(999)
    expect(isDone).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(isDone).toBe(true)
  })

  it('has nothing to flush when there is nothing', async () => {
    await queue.flush(1000)
    await queue.forceFlush()
    await queue.shutdown()
    expect(sent).toEqual([])
  })
})
