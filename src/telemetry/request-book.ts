// The requests of an instance, added up by app, group and release from what its workers tell. Totals never go back: a
// worker's counts are of its own life, so what counts is how much they have grown since it told them last, also across the
// death of a supervisor (what it knew is saved together with the totals).

import { LATENCY_BUCKETS } from '../protocol/latency-buckets.ts'
import type { GroupName } from '../protocol/messages.ts'
import {
  ABORTED,
  DURATION_BOUNDS_US,
  type Method,
  type RequestCounts,
  type SeriesCounts,
} from '../protocol/request-counts.ts'

/** Whose requests are added up. */
export interface RequestOwner {
  readonly app: string
  readonly group: GroupName
  readonly release: string
}

export interface SeriesTotal {
  readonly method: Method
  readonly status: number
  count: number
  sumUs: number
  readonly durations: number[]
}

export interface RequestTotals extends RequestOwner {
  readonly series: Map<string, SeriesTotal>
  /** By bucket of latency-buckets.ts: answers that are no 5xx, and those that are. */
  readonly good: Float64Array
  readonly bad: Float64Array
}

/** What a message has added. */
export interface Growth {
  readonly answered: number
  readonly failed: number
  /** Bucket and count of what is no 5xx, one after the other. */
  readonly good: readonly number[]
  readonly bad: readonly number[]
}

/** What one process told last. */
interface Told {
  /** Whose totals it adds to; null until it tells this supervisor something. */
  owner: string | null
  readonly series: Map<string, SeriesCounts>
  readonly good: Map<number, number>
  readonly bad: Map<number, number>
}

/** As it is written down. */
export interface SavedRequests {
  readonly totals: readonly SavedTotals[]
  readonly told: Readonly<Record<string, RequestCounts>>
}

interface SavedTotals extends RequestOwner {
  readonly series: readonly SeriesTotal[]
  readonly good: readonly number[]
  readonly bad: readonly number[]
}

/** Releases come and go for years: of each group so many are kept, and those whose processes live. */
export const KEPT_RELEASES = 5

export class RequestBook {
  readonly #totals = new Map<string, RequestTotals>()
  readonly #told = new Map<string, Told>()

  /** What a process says of its life so far, or of what has changed in it. */
  take(owner: RequestOwner, incarnation: string, counts: RequestCounts): Growth {
    const totals = this.#totalsOf(owner)
    const told = this.#toldBy(incarnation)
    told.owner = keyOf(owner)
    let answered = 0
    let failed = 0
    for (const series of counts.series) {
      const grown = growSeries(totals, told, series)
      answered += grown
      if (series.status >= 500) failed += grown
    }
    return {
      answered,
      failed,
      good: growBuckets(totals.good, told.good, counts.good),
      bad: growBuckets(totals.bad, told.bad, counts.bad),
    }
  }

  /** Of a process that ended before it could tell of them, or of what they asked for. */
  addAborted(owner: RequestOwner, requests: number): void {
    totalOf(this.#totalsOf(owner), { method: '_OTHER', status: ABORTED }).count += requests
  }

  /** The process is gone: it tells nothing any more. */
  forget(incarnation: string): void {
    this.#told.delete(incarnation)
  }

  /** Those that are not named have ended unseen. */
  keepOnly(living: ReadonlySet<string>): void {
    for (const incarnation of this.#told.keys()) if (!living.has(incarnation)) this.#told.delete(incarnation)
  }

  /** Of an app that is gone. */
  forgetApp(app: string): void {
    for (const [key, totals] of this.#totals) if (totals.app === app) this.#totals.delete(key)
  }

  totals(): readonly RequestTotals[] {
    return [...this.#totals.values()]
  }

  of(owner: RequestOwner): RequestTotals | null {
    return this.#totals.get(keyOf(owner)) ?? null
  }

  save(): SavedRequests {
    return {
      totals: [...this.#totals.values()].map(savedTotals),
      told: Object.fromEntries([...this.#told].map(([incarnation, told]) => [incarnation, countsOf(told)])),
    }
  }

  restore(saved: SavedRequests): void {
    for (const { series, good, bad, ...owner } of saved.totals) {
      const totals = this.#totalsOf(owner)
      for (const one of series) totals.series.set(nameOf(one), { ...one, durations: [...one.durations] })
      for (const [bucket, count] of pairs(good)) totals.good[bucket] = count
      for (const [bucket, count] of pairs(bad)) totals.bad[bucket] = count
    }
    for (const [incarnation, { series, good, bad }] of Object.entries(saved.told)) {
      const named = new Map(series.map((one) => [nameOf(one), one]))
      this.#told.set(incarnation, { owner: null, series: named, good: new Map(pairs(good)), bad: new Map(pairs(bad)) })
    }
  }

  #totalsOf(owner: RequestOwner): RequestTotals {
    const key = keyOf(owner)
    let totals = this.#totals.get(key)
    if (totals !== undefined) return totals
    const { app, group, release } = owner
    const good = new Float64Array(LATENCY_BUCKETS)
    const bad = new Float64Array(LATENCY_BUCKETS)
    totals = { app, group, release, series: new Map(), good, bad }
    this.#totals.set(key, totals)
    this.#forgetOldReleases(app, group)
    return totals
  }

  #forgetOldReleases(app: string, group: GroupName): void {
    const ofGroup = [...this.#totals].filter(([, totals]) => totals.app === app && totals.group === group)
    // What a living process still adds to would begin anew, and go back.
    const living = new Set([...this.#told.values()].map(({ owner }) => owner))
    for (const [key] of ofGroup.slice(0, -KEPT_RELEASES)) if (!living.has(key)) this.#totals.delete(key)
  }

  #toldBy(incarnation: string): Told {
    let told = this.#told.get(incarnation)
    if (told === undefined) {
      told = { owner: null, series: new Map(), good: new Map(), bad: new Map() }
      this.#told.set(incarnation, told)
    }
    return told
  }
}

/** Returns by how many requests. */
function growSeries(totals: RequestTotals, told: Told, counts: SeriesCounts): number {
  const name = nameOf(counts)
  const before = told.series.get(name)
  told.series.set(name, counts)
  const total = totalOf(totals, counts)
  const grown = growth(counts.count, before?.count)
  total.count += grown
  total.sumUs += growth(counts.sumUs, before?.sumUs)
  for (let at = 0; at <= DURATION_BOUNDS_US.length; at++)
    total.durations[at] = (total.durations[at] ?? 0) + growth(counts.durations[at] ?? 0, before?.durations[at])
  return grown
}

function totalOf(totals: RequestTotals, series: Pick<SeriesTotal, 'method' | 'status'>): SeriesTotal {
  const name = nameOf(series)
  const known = totals.series.get(name)
  if (known !== undefined) return known
  const { method, status } = series
  const durations = Array.from({ length: DURATION_BOUNDS_US.length + 1 }, () => 0)
  const total: SeriesTotal = { method, status, count: 0, sumUs: 0, durations }
  totals.series.set(name, total)
  return total
}

function growBuckets(totals: Float64Array, told: Map<number, number>, counts: readonly number[]): number[] {
  const grown: number[] = []
  for (const [bucket, count] of pairs(counts)) {
    const more = growth(count, told.get(bucket))
    told.set(bucket, count)
    if (more === 0 || bucket >= totals.length) continue
    totals[bucket] = (totals[bucket] ?? 0) + more
    grown.push(bucket, more)
  }
  return grown
}

/** A count that is smaller than before would be of another process: it never takes away. */
function growth(now: number, before = 0): number {
  return Math.max(0, now - before)
}

function* pairs(sparseCounts: readonly number[]): Iterable<[number, number]> {
  for (let at = 0; at + 1 < sparseCounts.length; at += 2) yield [sparseCounts[at] ?? 0, sparseCounts[at + 1] ?? 0]
}

function savedTotals({ app, group, release, series, good, bad }: RequestTotals): SavedTotals {
  return { app, group, release, series: [...series.values()], good: sparse(good), bad: sparse(bad) }
}

function sparse(counts: Float64Array): number[] {
  const told: number[] = []
  for (const [bucket, count] of counts.entries()) if (count > 0) told.push(bucket, count)
  return told
}

function countsOf({ series, good, bad }: Told): RequestCounts {
  return { series: [...series.values()], good: [...good].flat(), bad: [...bad].flat() }
}

function keyOf({ app, group, release }: RequestOwner): string {
  return `${app}\0${group}\0${release}`
}

function nameOf({ method, status }: { readonly method: string; readonly status: number }): string {
  return `${method} ${status}`
}
