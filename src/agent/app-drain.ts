// The app's own part in a drain: the callbacks that it gave to `onDrain` of `supervise/runtime`.

import type { DrainCallback } from '../protocol/runtime-bridge.ts'

interface Running {
  readonly done: Promise<void>
  readonly end: () => void
  timer: NodeJS.Timeout | undefined
}

export class AppDrain {
  readonly #callbacks = new Set<{ readonly call: DrainCallback }>()
  readonly #failed: (error: unknown) => void
  #running: Running | null = null

  /** `failed` hears of callbacks that threw. */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed
  }

  add(callback: DrainCallback): () => void {
    // An object of its own: the same function may be given twice.
    const entry = { call: callback }
    this.#callbacks.add(entry)
    return () => void this.#callbacks.delete(entry)
  }

  /** Calls them all; resolves when all are done, at the deadline at the latest. Begun again, only the deadline is new. */
  begin(deadlineMs: number): Promise<void> {
    this.#running ??= this.#start(deadlineMs)
    const running = this.#running
    clearTimeout(running.timer)
    running.timer = setTimeout(() => running.end(), deadlineMs).unref()
    return running.done
  }

  /** The worker serves on: what the callbacks still wait for is called off. */
  undo(): void {
    this.#running?.end()
    this.#running = null
  }

  #start(deadlineMs: number): Running {
    const aborter = new AbortController()
    const ended = new Promise<void>((resolve) => aborter.signal.addEventListener('abort', () => resolve()))
    const calls = [...this.#callbacks].map(({ call }) => this.#call(call, deadlineMs, aborter.signal))
    return {
      done: Promise.race([Promise.all(calls).then(() => undefined), ended]),
      end: () => aborter.abort(),
      timer: undefined,
    }
  }

  async #call(callback: DrainCallback, deadlineMs: number, signal: AbortSignal): Promise<void> {
    try {
      await callback({ deadlineMs, signal })
    } catch (error) {
      // What ends by the signal has done as it was told.
      if (!signal.aborted) this.#failed(error)
    }
  }
}
