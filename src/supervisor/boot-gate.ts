// How many workers of the instance boot at the same time: a start costs a CPU for its whole length, so that more of them
// than CPUs only make each other, and everyone who serves meanwhile, slow.

import { availableCpus } from '../config/cpu-limit.ts'

export class BootGate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(limit = availableCpus()) {
    this.#free = limit
  }

  /** Calls `go` when there is room, at once if there is; the returned function gives up the place, or the wait. */
  enter(go: () => void): () => void {
    let state: 'waiting' | 'inside' | 'left' = 'waiting'
    const begin = (): void => {
      state = 'inside'
      go()
    }
    if (this.#free > 0) {
      this.#free -= 1
      begin()
    } else {
      this.#waiting.push(begin)
    }
    return () => {
      if (state === 'inside') this.#leave()
      else if (state === 'waiting') this.#waiting.splice(this.#waiting.indexOf(begin), 1)
      state = 'left'
    }
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
