// The instance's one pace: what looks at everything again and again is woken by it, and told when it was held up.

import { STALL_MS, type Clock } from './clock.ts'

const TICK_MS = 500

export class Ticker {
  readonly #timer: NodeJS.Timeout

  /** `stalledMs` is how long the supervisor itself was held up since the last tick; 0 for what is usual. */
  constructor(clock: Pick<Clock, 'now' | 'isStopped'>, tick: (stalledMs: number) => void) {
    let last = clock.now()
    this.#timer = setInterval(() => {
      if (clock.isStopped === true) return
      const now = clock.now()
      const lateMs = now - last - TICK_MS
      last = now
      tick(lateMs > STALL_MS ? lateMs : 0)
    }, TICK_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
