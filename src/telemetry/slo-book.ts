// What was promised to users, counted: good and bad requests of the last three days, minute by minute, for each app.

import { BURN_WINDOWS, brokenRule, budgetLeft, burnRate, type BurnWindowName, type Counted } from '../core/slo.ts'
import type { ObjectiveStatus } from '../control/messages.ts'
import { Minutes } from '../core/minutes.ts'
import { bucketOf } from '../protocol/latency-buckets.ts'
import type { Growth } from './request-book.ts'

/** As the app's options have it; undefined where an earlier supervisor has written them down, which did not know of it. */
export type MaybePromised = Promised | null | undefined

export interface Promised {
  readonly availability: number | null
  readonly latency: { readonly thresholdMs: number; readonly target: number } | null
}

const LONGEST_MINUTES = Math.max(...BURN_WINDOWS.map(({ minutes }) => minutes))

type Fields = 'total' | 'failed' | 'slow'

export class SloBook {
  readonly #apps = new Map<string, Minutes<Fields>>()

  add(app: string, growth: Growth, promised: MaybePromised, nowMs: number): void {
    if (!promised || growth.answered === 0) return
    let minutes = this.#apps.get(app)
    if (minutes === undefined)
      this.#apps.set(app, (minutes = new Minutes(['total', 'failed', 'slow'], LONGEST_MINUTES)))
    const { latency } = promised
    // A failure that was quick is no success of the latency.
    const slow = latency === null ? 0 : countAbove(growth.good, latency.thresholdMs) + growth.failed
    minutes.add({ total: growth.answered, failed: growth.failed, slow }, nowMs)
  }

  of(app: string, promised: MaybePromised, nowMs: number): readonly ObjectiveStatus[] {
    if (!promised) return []
    const minutes = this.#apps.get(app) ?? new Minutes<Fields>(['total', 'failed', 'slow'], 1)
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

  forgetApp(app: string): void {
    this.#apps.delete(app)
  }
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
