// What the workers of a group have answered and how often they crashed, across their deaths: their own counters begin
// anew with each process, and these do not.

import { Minutes } from '../core/minutes.ts'
import { NO_TRAFFIC, plus, since, type Traffic } from '../core/verdict.ts'
import type { Responses, Vitals } from '../protocol/messages.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Minutes, of which the newest is not over. */
const HOUR = 60

export class GroupTraffic {
  readonly #hour = new Minutes(['requests', 'serverErrors', 'crashes'], HOUR)
  #total = NO_TRAFFIC
  readonly #known = new WeakMap<WorkerHandle, Traffic>()

  /** Since the group is there, or since this supervisor knows it. */
  get total(): Traffic {
    return this.#total
  }

  lastHour(now: number): Traffic {
    return this.#hour.sum(HOUR, now)
  }

  /** A worker of an agent that does not count its answers says nothing of them. */
  heard(worker: WorkerHandle, { responses }: Vitals, now: number): void {
    if (responses === undefined) return
    const counted = trafficIn(responses)
    // When one that was taken over answered what it had before, nobody can tell.
    const known = this.#known.get(worker) ?? (worker.adopted ? counted : NO_TRAFFIC)
    this.#known.set(worker, counted)
    this.#add(since(known, counted), now)
  }

  crashed(now: number): void {
    this.#add({ ...NO_TRAFFIC, crashes: 1 }, now)
  }

  #add(more: Traffic, now: number): void {
    if (more.requests === 0 && more.crashes === 0) return
    this.#total = plus(this.#total, more)
    this.#hour.add(more, now)
  }
}

function trafficIn(responses: Responses): Traffic {
  const requests = responses['1xx'] + responses['2xx'] + responses['3xx'] + responses['4xx'] + responses['5xx']
  return { requests, serverErrors: responses['5xx'], crashes: 0 }
}
