// Counts the answered requests of this worker: some additions a request, in plain arrays.

import type { Responses } from '../protocol/messages.ts'
import { bucketOf, LATENCY_BUCKETS } from '../protocol/latency-buckets.ts'
import {
  ABORTED,
  DURATION_BOUNDS_US,
  METHODS,
  type Method,
  type RequestCounts,
  type SeriesCounts,
  type SparseCounts,
} from '../protocol/request-counts.ts'

/** An app that answers with made-up status codes must not cost more and more memory. */
const MOST_SERIES = 100
const STATUS_RANGE = 1000
const OTHER: Method = '_OTHER'

interface Series {
  readonly method: Method
  readonly status: number
  count: number
  sumUs: number
  readonly durations: number[]
  hasChanged: boolean
}

export class RequestTally {
  readonly #series = new Map<number, Series>()
  readonly #good = new Buckets()
  readonly #bad = new Buckets()

  /** `status` of HTTP, or `ABORTED`. */
  count(method: string, status: number, durationMs: number): void {
    const us = durationMs * 1000
    this.#countSeries(method, status, us)
    if (status >= 500) this.#bad.count(us)
    else this.#good.count(us)
  }

  /** Cut by the end of the process: it would have taken nobody knows how long, so it says nothing of how long answers take. */
  countCut(method: string, durationMs: number): void {
    this.#countSeries(method, ABORTED, durationMs * 1000)
  }

  #countSeries(method: string, status: number, us: number): void {
    const series = this.#seriesOf(method, status)
    series.count++
    series.sumUs += us
    series.durations[durationBucket(us)]!++
    series.hasChanged = true
  }

  /** What has changed since it was asked last, or all of it; null when there is nothing to tell. */
  tell(all = false): RequestCounts | null {
    const told = [...this.#series.values()].filter((series) => all || series.hasChanged)
    if (told.length === 0) return null
    for (const series of told) series.hasChanged = false
    return { series: told.map(countsOf), good: this.#good.tell(all), bad: this.#bad.tell(all) }
  }

  /** By class of status. A client is to take one that is unknown, from 600 on, for a 5xx (RFC 9110, section 15). */
  responses(): Responses {
    const counts = [0, 0, 0, 0, 0, 0]
    for (const { status, count } of this.#series.values()) {
      const family = Math.min(Math.trunc(status / 100), counts.length - 1)
      counts[family] = (counts[family] ?? 0) + count
    }
    const [aborted = 0, information = 0, success = 0, redirection = 0, clientErrors = 0, serverErrors = 0] = counts
    return {
      aborted,
      '1xx': information,
      '2xx': success,
      '3xx': redirection,
      '4xx': clientErrors,
      '5xx': serverErrors,
    }
  }

  #seriesOf(method: string, status: number): Series {
    const known = METHOD_NUMBERS.get(method)
    const key = (known ?? METHOD_NUMBERS.get(OTHER) ?? 0) * STATUS_RANGE + (status % STATUS_RANGE)
    return this.#series.get(key) ?? this.#add(key, known === undefined ? OTHER : (METHODS[known] ?? OTHER), status)
  }

  #add(key: number, method: Method, status: number): Series {
    if (this.#series.size >= MOST_SERIES && method !== OTHER)
      return this.#seriesOf(OTHER, Math.floor(status / 100) * 100)
    const durations = Array.from({ length: DURATION_BOUNDS_US.length + 1 }, () => 0)
    const series: Series = { method, status, count: 0, sumUs: 0, durations, hasChanged: false }
    this.#series.set(key, series)
    return series
  }
}

const METHOD_NUMBERS: ReadonlyMap<string, number> = new Map(METHODS.map((method, number) => [method, number]))

/** Most requests are quick: looked for from below. */
function durationBucket(us: number): number {
  let bucket = 0
  while (bucket < DURATION_BOUNDS_US.length && us > (DURATION_BOUNDS_US[bucket] ?? 0)) bucket++
  return bucket
}

function countsOf({ method, status, count, sumUs, durations }: Series): SeriesCounts {
  return { method, status, count, sumUs: Math.round(sumUs), durations: [...durations] }
}

class Buckets {
  readonly #counts = new Float64Array(LATENCY_BUCKETS)
  readonly #hasChanged = new Uint8Array(LATENCY_BUCKETS)
  #changed: number[] = []

  count(us: number): void {
    const bucket = bucketOf(us)
    this.#counts[bucket]!++
    if (this.#hasChanged[bucket] === 1) return
    this.#hasChanged[bucket] = 1
    this.#changed.push(bucket)
  }

  tell(all: boolean): SparseCounts {
    const told: number[] = []
    if (all) for (const [bucket, count] of this.#counts.entries()) if (count > 0) told.push(bucket, count)
    for (const bucket of this.#changed) {
      this.#hasChanged[bucket] = 0
      if (!all) told.push(bucket, this.#counts[bucket] ?? 0)
    }
    this.#changed = []
    return told
  }
}
