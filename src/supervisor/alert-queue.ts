// Tells one receiver of alerts, one after the other: tries again with a back-off, gives up in the end, and holds no more
// than a few for a receiver that is gone.

import { formatDuration } from '../config/quantities.ts'
import type { OutsideCall } from './hooks.ts'

export interface AlertQueueOptions {
  /** Resolves with why not; null when it was told. */
  readonly tell: (call: OutsideCall, signal: AbortSignal) => Promise<string | null>
  /** How it went: told, or given up with the last reason. */
  readonly ended: (call: OutsideCall, problem: string | null) => void
  /** @default RETRY_MS */
  readonly retryMs?: readonly number[]
}

/** Waits between attempts; after the last one the alert is given up. */
export const RETRY_MS: readonly number[] = [1000, 5000, 30_000, 120_000]
export const MOST_WAITING = 50

export class AlertQueue {
  readonly #options: AlertQueueOptions
  readonly #waiting: OutsideCall[] = []
  readonly #aborter = new AbortController()
  #running: Promise<void> | null = null
  #isClosing = false
  #wake: () => void = () => {}

  constructor(options: AlertQueueOptions) {
    this.#options = options
  }

  /** Nothing is told, or waits to be. */
  get isIdle(): boolean {
    return this.#running === null
  }

  add(call: OutsideCall): void {
    this.#waiting.push(call)
    const dropped = this.#waiting.length > MOST_WAITING ? this.#waiting.shift() : undefined
    if (dropped !== undefined) this.#options.ended(dropped, `was not told: ${MOST_WAITING} later alerts wait for it`)
    this.#running ??= this.#run().finally(() => (this.#running = null))
  }

  /** Waits for nothing but what is being told: one last attempt each, until the time is over. */
  async close(withinMs: number): Promise<void> {
    this.#isClosing = true
    this.#wake()
    const timer = setTimeout(() => this.#aborter.abort(), withinMs)
    await this.#running
    clearTimeout(timer)
  }

  async #run(): Promise<void> {
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      this.#options.ended(call, await this.#insist(call))
    }
  }

  async #insist(call: OutsideCall): Promise<string | null> {
    const retryMs = this.#options.retryMs ?? RETRY_MS
    const began = performance.now()
    for (const waitMs of [...retryMs, null]) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const problem = await this.#options.tell(call, this.#aborter.signal)
      if (problem === null) return null
      if (this.#isClosing) return problem
      if (waitMs === null)
        return `${problem}; given up after ${retryMs.length + 1} attempts in ${formatDuration(performance.now() - began)}`
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      await this.#pause(waitMs)
    }
    return null
  }

  #pause(ms: number): Promise<void> {
    if (this.#isClosing) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
