// How a worker tells of the requests that it has answered: counts since its start, by method and status, and how long they
// took. Counts only grow, so a message that is lost costs nothing: the next one says it all.

/** As OpenTelemetry has them: what is none of these is `_OTHER`. */
export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'QUERY',
  '_OTHER',
] as const

export type Method = (typeof METHODS)[number]

/** OpenTelemetry's boundaries of `http.server.request.duration`, in microseconds; a last bucket takes the rest. */
export const DURATION_BOUNDS_US = [
  5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000, 7_500_000,
  10_000_000,
] as const

/** In place of a status code: the connection ended before the response did. */
export const ABORTED = 0

/** Requests of one method that were answered with one status. */
export interface SeriesCounts {
  readonly method: Method
  /** Of HTTP, or `ABORTED`. */
  readonly status: number
  readonly count: number
  readonly sumUs: number
  /** How many are in each of the buckets between `DURATION_BOUNDS_US`. */
  readonly durations: readonly number[]
}

/** How many are in each bucket of latency-buckets.ts: bucket, count, bucket, count… */
export type SparseCounts = readonly number[]

export interface RequestCounts {
  readonly series: readonly SeriesCounts[]
  /** Of answers that are no 5xx, and of those that are. */
  readonly good: SparseCounts
  readonly bad: SparseCounts
}
