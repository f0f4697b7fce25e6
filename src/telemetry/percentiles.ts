// How long requests took in the last minute, by group: what views show. Slices of ten seconds, so that a minute moves on.

import type { TrafficStatus } from '../control/messages.ts'
import { LATENCY_BUCKETS, quantile } from '../protocol/latency-buckets.ts'
import type { Growth, RequestOwner } from './request-book.ts'

const SLICE_MS = 10_000
const SLICES = 6

interface Slice {
  readonly number: number
  readonly counts: Float64Array
  answered: number
  failed: number
}

export class Percentiles {
  readonly #slices = new Map<string, { readonly owner: RequestOwner; slices: Slice[] }>()

  add(owner: RequestOwner, { answered, failed, good, bad }: Growth, nowMs: number): void {
    if (answered === 0) return
    const slice = this.#sliceOf(owner, Math.floor(nowMs / SLICE_MS))
    slice.answered += answered
    slice.failed += failed
    for (const grown of [good, bad])
      for (let at = 0; at + 1 < grown.length; at += 2) slice.counts[grown[at] ?? 0]! += grown[at + 1] ?? 0
  }

  /** Null when nothing was answered in the last minute. */
  of(owner: RequestOwner, nowMs: number): TrafficStatus | null {
    const now = Math.floor(nowMs / SLICE_MS)
    const slices = this.#slices.get(keyOf(owner))?.slices.filter(({ number }) => number > now - SLICES) ?? []
    const answered = sum(slices, ({ answered: count }) => count)
    if (answered === 0) return null
    const counts = new Float64Array(LATENCY_BUCKETS)
    for (const slice of slices) for (const [bucket, count] of slice.counts.entries()) counts[bucket]! += count
    const ms = (share: number): number => Math.round(quantile(counts, share) ?? 0) / 1000
    // The slice under way is not over yet.
    const seconds = ((SLICES - 1) * SLICE_MS + (nowMs % SLICE_MS)) / 1000
    return {
      requestsPerSecond: Math.round((answered / seconds) * 10) / 10,
      errorRatio: sum(slices, ({ failed }) => failed) / answered,
      p50Ms: ms(0.5),
      p90Ms: ms(0.9),
      p99Ms: ms(0.99),
      p999Ms: ms(0.999),
    }
  }

  forgetApp(app: string): void {
    for (const [key, { owner }] of this.#slices) if (owner.app === app) this.#slices.delete(key)
  }

  #sliceOf(owner: RequestOwner, number: number): Slice {
    const key = keyOf(owner)
    let known = this.#slices.get(key)
    if (known === undefined) {
      this.#forgetOld(number)
      this.#slices.set(key, (known = { owner, slices: [] }))
    }
    const last = known.slices.at(-1)
    if (last !== undefined && last.number === number) return last
    const slice = { number, counts: new Float64Array(LATENCY_BUCKETS), answered: 0, failed: 0 }
    known.slices = [...known.slices.filter((one) => one.number > number - SLICES), slice]
    return slice
  }

  /** Releases that serve no more. */
  #forgetOld(number: number): void {
    for (const [key, { slices }] of this.#slices)
      if ((slices.at(-1)?.number ?? 0) <= number - SLICES) this.#slices.delete(key)
  }
}

function keyOf({ app, group, release }: RequestOwner): string {
  return `${app}\0${group}\0${release}`
}

function sum(slices: readonly Slice[], of: (slice: Slice) => number): number {
  return slices.reduce((total, slice) => total + of(slice), 0)
}
