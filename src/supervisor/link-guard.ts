// Who dials the link says who it is, and every process of this user may dial: what it says must be what it was forked with.

import type { EventLog } from '../telemetry/events.ts'
import type { Hello } from './link-desk.ts'
import { isIncarnation } from './worker-proof.ts'

const MOST_REMEMBERED = 100

export class LinkGuard {
  readonly #events: EventLog
  readonly #told = new Set<number>()

  constructor(events: EventLog) {
    this.#events = events
  }

  /** Where that cannot be seen, it is believed: only this user and root can reach the link. */
  admits({ pid, settings: { app, worker, incarnation } }: Hello): boolean {
    if (isIncarnation(pid, incarnation) !== false) return true
    // It may dial again and again.
    if (this.#told.size < MOST_REMEMBERED && !this.#told.has(pid)) {
      this.#told.add(pid)
      const text = `process ${pid} says that it is worker ${worker} of "${app}" and is not: refused`
      this.#events.record({ type: 'strangerRefused', app: null, text, cause: 'supervisor' }, 'warn')
    }
    return false
  }
}
