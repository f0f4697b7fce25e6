// What was promised to users, counted: good and bad requests of the last three days, minute by minute, for each app.

import { BURN_WINDOWS, brokenRule, budgetLeft, burnRate, type BurnWindowName, type Counted } from '../core/slo.ts'
import type { ObjectiveStatus } from '../control/messages.ts'
import { minuteOf, Minutes, type Minute } from '../core/minutes.ts'
import { bucketOf } from '../protocol/latency-buckets.ts'
import type { Growth } from './request-book.ts'

/** As the app's options have it; undefined where an earlier supervisor has written them down, which did not know of it. */
export type MaybePromised = Promised | null | undefined

export interface Promised {
  readonly availability: number | null
  readonly latency: { readonly thresholdMs: number; readonly target: number } | null
}

/** The present on both clocks: the supervisor's own, which begins anew with each, and that of the wall, which outlives it. */
export interface Present {
  readonly nowMs: number
  readonly wallMs: number
}

/** By app: minute of the wall clock, then the sums. */
export type SavedObjectives = Readonly<Record<string, readonly (readonly number[])[]>>

/** Older than this they are saved by the hour: some 430 rows an app in all. Windows that reach further back are days long. */
const FINE_MINUTES = 360
const MINUTE_MS = 60_000

const LONGEST_MINUTES = Math.max(...BURN_WINDOWS.map(({ minutes }) => minutes))

const FIELDS = ['total', 'failed', 'slow'] as const
type Fields = (typeof FIELDS)[number]

export class SloBook {
  readonly #apps = new Map<string, Minutes<Fields>>()

  add(app: string, growth: Growth, promised: MaybePromised, nowMs: number): void {
    if (!promised || growth.answered === 0) return
    const { latency } = promised
    // A failure that was quick is no success of the latency.
    const slow = latency === null ? 0 : countAbove(growth.good, latency.thresholdMs) + growth.failed
    this.#minutesOf(app).add({ total: growth.answered, failed: growth.failed, slow }, nowMs)
  }

  /** Cut by a crash: what the process has told of them was no failure yet. */
  // oxlint-disable-next-line max-params -- as `add`
  addFailed(
    app: string,
    { told, untold }: { readonly told: number; readonly untold: number },
    promised: MaybePromised,
    nowMs: number,
  ): void {
    const failed = told + untold
    if (!promised || failed === 0) return
    this.#minutesOf(app).add({ total: untold, failed, slow: promised.latency === null ? 0 : failed }, nowMs)
  }

  #minutesOf(app: string): Minutes<Fields> {
    let minutes = this.#apps.get(app)
    if (minutes === undefined) this.#apps.set(app, (minutes = new Minutes(FIELDS, LONGEST_MINUTES)))
    return minutes
  }

  of(app: string, promised: MaybePromised, nowMs: number): readonly ObjectiveStatus[] {
    if (!promised) return []
    const minutes = this.#apps.get(app) ?? new Minutes<Fields>(FIELDS, 1)
    const sums = Object.fromEntries(
      BURN_WINDOWS.map(({ name, minutes: count }) => [name, minutes.sum(count, nowMs)]),
      // One for each window.
    ) as Record<BurnWindowName, Record<Fields, number>>
    const { availability, latency } = promised
    return [
      ...(availability === null ? [] : [figuresOf('availability', availability, countedIn(sums, 'failed'))]),
      ...(latency === null ? [] : [figuresOf('latency', latency.target, countedIn(sums, 'slow'))]),
    ]
  }

  save(present: Present): SavedObjectives {
    const saved = [...this.#apps].map(([app, minutes]) => [app, rowsOf(minutes.entries(), present)] as const)
    return Object.fromEntries(saved.filter(([, rows]) => rows.length > 0))
  }

  /** What makes no sense is left out: it is read from a file. */
  restore(saved: unknown, present: Present): void {
    if (typeof saved !== 'object' || saved === null) return
    for (const [app, rows] of Object.entries(saved)) {
      const minutes = new Minutes<Fields>(FIELDS, LONGEST_MINUTES)
      minutes.restore(Array.isArray(rows) ? rows.flatMap((row) => minuteFrom(row, present)) : [], present.nowMs)
      if (minutes.entries().length > 0) this.#apps.set(app, minutes)
    }
  }

  forgetApp(app: string): void {
    this.#apps.delete(app)
  }
}

function rowsOf(entries: readonly Minute<Fields>[], { nowMs, wallMs }: Present): readonly (readonly number[])[] {
  const rows = new Map<number, number[]>()
  const now = minuteOf(wallMs)
  for (const { minute, sums } of entries) {
    const at = minuteOf(minute * MINUTE_MS + wallMs - nowMs)
    if (at <= now - LONGEST_MINUTES) continue
    // By the hours of the wall clock, which stay the same from one supervisor to the next.
    const key = at > now - FINE_MINUTES ? at : at - (at % 60)
    const row = rows.get(key) ?? [key, ...FIELDS.map(() => 0)]
    for (const [place, field] of FIELDS.entries()) row[place + 1] = (row[place + 1] ?? 0) + sums[field]
    rows.set(key, row)
  }
  return [...rows.values()]
}

function minuteFrom(row: unknown, { nowMs, wallMs }: Present): readonly Minute<Fields>[] {
  if (!Array.isArray(row) || row.length !== FIELDS.length + 1) return []
  if (!row.every((value) => Number.isFinite(value) && value >= 0)) return []
  // Numbers, as was just looked at.
  const [at, total, failed, slow] = row as [number, number, number, number]
  // Up, as it was rounded down when it was saved. The wall clock may have been put back since.
  const minute = Math.min(Math.ceil((at * MINUTE_MS - wallMs + nowMs) / MINUTE_MS), minuteOf(nowMs))
  return [{ minute, sums: { total, failed, slow } }]
}

function figuresOf(
  objective: ObjectiveStatus['objective'],
  target: number,
  counted: Readonly<Record<BurnWindowName, Counted>>,
): ObjectiveStatus {
  const rates = BURN_WINDOWS.map(({ name }) => [name, burnRate(counted[name], { target })])
  return {
    objective,
    target,
    budgetLeft: budgetLeft(counted['3d'], { target }),
    burnRates: Object.fromEntries(rates) as Record<BurnWindowName, number | null>,
    burning: brokenRule(counted, { target }),
  }
}

function countedIn(
  sums: Readonly<Record<BurnWindowName, Record<Fields, number>>>,
  bad: 'failed' | 'slow',
): Record<BurnWindowName, Counted> {
  const counted = BURN_WINDOWS.map(({ name }) => [name, { total: sums[name].total, bad: sums[name][bad] }])
  return Object.fromEntries(counted) as Record<BurnWindowName, Counted>
}

/** Of pairs of bucket and count. */
function countAbove(grown: readonly number[], thresholdMs: number): number {
  const last = bucketOf(thresholdMs * 1000)
  let count = 0
  for (let at = 0; at + 1 < grown.length; at += 2) if ((grown[at] ?? 0) > last) count += grown[at + 1] ?? 0
  return count
}
