// A clock that can be stopped: the supervisor then does nothing by itself, as if the system had stopped its process, and
// still answers. When it goes on, what was due meanwhile comes late, as after any other hold-up.

import { systemClock, type Clock } from './clock.ts'

export class StoppableClock implements Clock {
  readonly #clock: Clock
  readonly #due = new Set<() => void>()
  #isStopped = false

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  now(): number {
    return this.#clock.now()
  }

  wakeAt(time: number, wake: () => void): () => void {
    const cancel = this.#clock.wakeAt(time, () => {
      if (this.#isStopped) this.#due.add(wake)
      else wake()
    })
    return () => {
      cancel()
      this.#due.delete(wake)
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  goOn(): void {
    this.#isStopped = false
    for (const wake of this.#due) {
      // One of those before it may have cancelled it.
      if (this.#due.delete(wake)) wakeAlone(wake)
    }
  }
}

/** One that throws keeps no other from being woken, as with timers. */
function wakeAlone(wake: () => void): void {
  try {
    wake()
  } catch (error) {
    setImmediate(() => {
      throw error
    })
  }
}
