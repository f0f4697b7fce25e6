// One bounded run: who may send next, when it ends, and that everything under way is waited for.

import type { LoadPlan } from './options.ts'
import { Recorder, type Report } from './recorder.ts'

/** Something with deadlines of its own; looked at twenty times a second rather than by a timer a request. */
export interface Sweepable {
  sweep(now: number): void
}

const SWEEP_MS = 50
const PACE_MS = 2
const SETTLE_MS = 20

export class Run {
  readonly recorder: Recorder
  readonly timeoutMs: number
  readonly #plan: LoadPlan
  readonly #waiting: Array<() => void> = []
  readonly #swept = new Set<Sweepable>()
  readonly #idle = new Set<() => void>()
  readonly #ended = Promise.withResolvers<Report>()
  #tokens = 0
  #lastRefill = performance.now()
  #left: number
  #under = 0
  #timers: NodeJS.Timeout[] = []
  #endedBy: Report['endedBy'] | null = null

  /** A recorder of one's own may look at more than ours does. */
  constructor(plan: LoadPlan, recorder = new Recorder()) {
    this.#plan = plan
    this.recorder = recorder
    this.#left = plan.requests
    this.timeoutMs = plan.timeoutMs
    this.#timers.push(setInterval(() => this.#sweep(), SWEEP_MS))
    this.#timers.push(setTimeout(() => this.stop('duration'), plan.durationMs))
    if (plan.ratePerSecond > 0) this.#timers.push(setInterval(() => this.#refill(), PACE_MS))
  }

  get ended(): Promise<Report> {
    return this.#ended.promise
  }

  get isStopping(): boolean {
    return this.#endedBy !== null
  }

  /** Calls `begin` as soon as a request may be sent, and never again once the run is stopping. */
  next(begin: () => void): void {
    if (this.isStopping) return
    if (this.#plan.ratePerSecond === 0) return this.#begin(begin)
    this.#waiting.push(begin)
  }

  /** Calls `begin` after a pause, through the same gate. */
  later(ms: number, begin: () => void): void {
    if (this.isStopping) return
    if (ms <= 0) return this.next(begin)
    setTimeout(() => this.next(begin), ms).unref()
  }

  /** Requests beyond the first that one `begin` sends (pipelining). */
  spend(requests: number): void {
    this.#left -= requests
  }

  /** A connection with something under way: the run waits for it. */
  entered(): void {
    this.#under++
  }

  left(): void {
    this.#under--
    if (this.isStopping && this.#under === 0) this.#finish()
  }

  watch(sweepable: Sweepable): void {
    this.#swept.add(sweepable)
  }

  unwatch(sweepable: Sweepable): void {
    this.#swept.delete(sweepable)
  }

  /** Called once the run is over, to close what is merely idle. */
  atEnd(close: () => void): void {
    this.#idle.add(close)
  }

  stop(reason: Report['endedBy']): void {
    if (this.isStopping) return
    this.#endedBy = reason
    if (this.#under === 0) this.#finish()
  }

  #begin(begin: () => void): void {
    if (this.#left <= 0) return this.stop('requests')
    this.#left--
    begin()
  }

  #refill(): void {
    const now = performance.now()
    const most = Math.max(1, this.#plan.ratePerSecond / 20)
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#lastRefill) * this.#plan.ratePerSecond) / 1_000)
    this.#lastRefill = now
    while (this.#tokens >= 1 && this.#waiting.length > 0 && !this.isStopping) {
      this.#tokens--
      const begin = this.#waiting.shift()
      if (begin !== undefined) this.#begin(begin)
    }
  }

  #sweep(): void {
    const now = performance.now()
    for (const sweepable of this.#swept) sweepable.sweep(now)
  }

  #finish(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
    // What comes right behind the last answer, and should not, is seen too.
    setTimeout(() => {
      this.#ended.resolve(this.recorder.report(this.#endedBy ?? 'duration'))
      for (const close of this.#idle) close()
    }, SETTLE_MS)
  }
}
