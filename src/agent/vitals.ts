// The worker's heartbeat: that its loop turns, how late, and what it carries.

import { performance } from 'node:perf_hooks'
import v8 from 'node:v8'

import type { Vitals } from '../protocol/messages.ts'
import { LoopWatch } from './loop-figures.ts'
import { traffic } from './traffic.ts'

export interface Heartbeat {
  /** Once more out of turn, so that nothing is lost with a worker that is about to end. */
  beat(): void
  stop(): void
}

let loopWatch: LoopWatch | null = null

/** Sends vitals every `everyMs` until it is stopped. */
export function startHeartbeat(everyMs: number, send: (vitals: Vitals) => void): Heartbeat {
  let due = performance.now() + everyMs
  let last = performance.eventLoopUtilization()
  const watch = (loopWatch ??= new LoopWatch())
  const beat = (now: number): void => {
    const current = performance.eventLoopUtilization()
    const heap = v8.getHeapStatistics()
    send({
      loopDelayMs: Math.max(0, now - due),
      loopUtilization: performance.eventLoopUtilization(current, last).utilization,
      heapUsedBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      ...watch.read(),
      ...traffic(),
    })
    last = current
    due = now + everyMs
  }
  // How late the timer is counts; what is read after it has been noted by now.
  const timer = setInterval(() => setImmediate(beat, performance.now()), everyMs).unref()
  return { beat: () => beat(performance.now()), stop: () => clearInterval(timer) }
}
