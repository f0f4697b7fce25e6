// How late the event loop was since it was asked last, how long garbage collection has taken, and what keeps the loop busy.

import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

/** Milliseconds. */
export interface LoopDelays {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

export interface LoopFigures {
  readonly loopDelays: LoopDelays
  /** Since the start of the process. */
  readonly gcMs: number
  readonly handles: number
}

/** A timer this often costs a worker that has nothing to do less than a thousandth of a core. */
const RESOLUTION_MS = 20
/** Naming every handle costs a microsecond for each. */
const HANDLES_EVERY = 5

export class LoopWatch {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #gcMs = 0
  #handles = 0
  #asked = 0

  constructor() {
    this.#delays.enable()
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#gcMs += duration
    }).observe({ entryTypes: ['gc'] })
  }

  /**
   * What is told of delays begins anew. Ask from an immediate: asked by a timer that is late, it would forget the very delay
   * that made it so, which is noted by a timer of its own.
   */
  read(): LoopFigures {
    const delays = this.#delays
    const isEmpty = delays.count === 0
    const percentile = (share: number): number => (isEmpty ? 0 : delayMs(delays.percentile(share)))
    const loopDelays = {
      p50: percentile(50),
      p90: percentile(90),
      p99: percentile(99),
      max: isEmpty ? 0 : delayMs(delays.max),
    }
    delays.reset()
    if (this.#asked++ % HANDLES_EVERY === 0) this.#handles = process.getActiveResourcesInfo().length
    return { loopDelays, gcMs: Math.round(this.#gcMs * 100) / 100, handles: this.#handles }
  }
}

function delayMs(ns: number): number {
  return Math.max(0, Math.round(ns / 1e4) / 100 - RESOLUTION_MS)
}
