// How a worker did in its last minutes: the curve of memory and event-loop delay that its crash record shows.

import type { VitalsPoint } from '../control/messages.ts'
import type { Vitals } from '../protocol/messages.ts'

/** One look every two seconds for five minutes. */
export const LOOK_EVERY_MS = 2000
const KEPT = 150

/** The end is shown look by look, what was before it in coarser steps. */
const FINE_SECONDS = 60
const COARSE_EVERY = 5

interface Look {
  readonly at: number
  readonly vitals: Vitals
  readonly rssBytes: number | null
}

export class VitalsHistory {
  readonly #looks: Look[] = []

  /** `now` is the supervisor's own clock; the same vitals again are no look. */
  add(now: number, vitals: Vitals, rssBytes: number | null): void {
    if (this.#looks.at(-1)?.vitals === vitals) return
    this.#looks.push({ at: now, vitals, rssBytes })
    if (this.#looks.length > KEPT) this.#looks.shift()
  }

  curve(now: number): readonly VitalsPoint[] {
    const points = this.#looks.map(({ at, vitals, rssBytes }) => ({
      secondsBefore: round((now - at) / 1000, 10),
      rssBytes,
      heapUsedBytes: vitals.heapUsedBytes,
      loopDelayMs: round(vitals.loopDelayMs, 10),
      loopUtilization: round(vitals.loopUtilization, 1000),
      requestsInFlight: vitals.inFlight,
    }))
    return points.filter(
      ({ secondsBefore }, index) => secondsBefore <= FINE_SECONDS || (points.length - index) % COARSE_EVERY === 0,
    )
  }
}

function round(value: number, parts: number): number {
  return Math.round(value * parts) / parts
}
