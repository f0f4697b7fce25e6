// What a process and its children took in the last hour: a point every ten seconds, in arrays of one size, some 9 kB a
// process however long it lives.

import type { Spread, WorkerResources, WorkerSeries } from '../control/messages.ts'
import { wholeRssBytes, type Sample } from './samples.ts'

export const POINT_EVERY_MS = 10_000
/** An hour. */
const POINTS = 360
/** Readings come when they come: a point that is due within this is taken now. */
const SLACK_MS = 500
const KB = 1024

/** The columns; memory is in kB, which these numbers tell exactly up to 16 GB. Not a number: not known. */
const FIELDS = ['cpuPercent', 'rssKb', 'childrenKb', 'loopDelayMs'] as const
type Field = (typeof FIELDS)[number]

export type Series = Omit<WorkerSeries, 'id' | 'pid' | 'group' | 'release'>
export type Resources = Omit<WorkerResources, 'id' | 'pid'>

export class ResourceHistory {
  /** Made when there is something to keep: a process that crashes at once costs nothing. */
  #times: Float64Array | null = null
  #values = new Float32Array(0)
  /** How many points there have ever been. */
  #count = 0
  #last: { readonly at: number; readonly cpuSeconds: number } | null = null

  /** Of what is kept, in memory. */
  get bytes(): number {
    return (this.#times?.byteLength ?? 0) + this.#values.byteLength
  }

  /** `now` is of the supervisor's clock, here and below. Too soon after the last point it adds nothing. */
  add(now: number, sample: Sample, loopDelayMs: number | null): void {
    const last = this.#last
    if (last !== null && now - last.at < POINT_EVERY_MS - SLACK_MS) return
    this.#last = { at: now, cpuSeconds: sample.cpuSeconds }
    this.#times ??= new Float64Array(POINTS)
    if (this.#values.length === 0) this.#values = new Float32Array(POINTS * FIELDS.length)
    const values: Record<Field, number> = {
      // Exact, however often somebody has looked in between.
      cpuPercent:
        last === null ? Number.NaN : Math.max(0, ((sample.cpuSeconds - last.cpuSeconds) * 100_000) / (now - last.at)),
      rssKb: wholeRssBytes(sample) / KB,
      childrenKb: sample.children === null ? Number.NaN : sample.children.rssBytes / KB,
      loopDelayMs: loopDelayMs ?? Number.NaN,
    }
    const place = this.#count % POINTS
    this.#times[place] = now
    for (const [at, field] of FIELDS.entries()) this.#values[place * FIELDS.length + at] = values[field]
    this.#count += 1
  }

  /** Oldest first. */
  series(now: number): Series {
    const places = this.#places()
    return {
      secondsAgo: places.map((place) => Math.round((now - (this.#times?.[place] ?? now)) / 100) / 10),
      cpuPercent: this.#column(places, 'cpuPercent').map(rounded),
      rssBytes: this.#column(places, 'rssKb').map((kb) => (kb ?? 0) * KB),
      childrenRssBytes: this.#column(places, 'childrenKb').map((kb) => (kb === null ? null : kb * KB)),
      loopDelayMs: this.#column(places, 'loopDelayMs').map(rounded),
    }
  }

  /** Null before the first point. */
  summary(now: number): Resources | null {
    const { secondsAgo, cpuPercent, rssBytes, childrenRssBytes, loopDelayMs } = this.series(now)
    const memory = spreadOf(rssBytes)
    if (memory === null) return null
    return {
      overSeconds: Math.round(secondsAgo[0] ?? 0),
      cpuPercent: spreadOf(cpuPercent),
      rssBytes: memory,
      childrenRssBytes: spreadOf(childrenRssBytes),
      loopDelayMs: spreadOf(loopDelayMs),
    }
  }

  #places(): readonly number[] {
    const kept = Math.min(this.#count, POINTS)
    return Array.from({ length: kept }, (_, at) => (this.#count - kept + at) % POINTS)
  }

  #column(places: readonly number[], field: Field): readonly (number | null)[] {
    const offset = FIELDS.indexOf(field)
    return places.map((place) => {
      const value = this.#values[place * FIELDS.length + offset] ?? Number.NaN
      return Number.isNaN(value) ? null : value
    })
  }
}

/** Null when nothing is known. */
function spreadOf(values: readonly (number | null)[]): Spread | null {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return null
  const avg = known.reduce((sum, value) => sum + value, 0) / known.length
  return { min: Math.min(...known), avg: Math.round(avg * 10) / 10, max: Math.max(...known) }
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10
}
