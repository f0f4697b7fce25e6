// Sums of one metric of an app over its processes: they never go back when a process dies, since what counts is how much
// each has told since it told last.
//
// Rules of this file
// 1. Lines that belong together (the buckets, sum and count of one histogram) are a set, and are taken as a whole.
// 2. A set of which any count is smaller than before was reset by the app: it counts from 0 again, and adds to what was.
// 3. A set that is told no more keeps its total.

import type { RegistryMetric, RegistryValue } from '../protocol/registry-metrics.ts'

/** By `partKey`: the lines of one set. */
export type Parts<Of> = Map<string, Of>
/** By `setKey`. */
export type Sets<Of> = Map<string, Parts<Of>>

export interface Line {
  readonly labels: RegistryValue['labels']
  readonly metricName?: string
  value: number
}

/** What one process told last of one metric. */
export type ToldSets = Sets<number>

/** Buckets of a histogram and quantiles of a summary are told apart by these labels. */
const OF_PARTS = ['le', 'quantile']

/** Quantiles of several processes cannot be put together: of a summary its sum and its count are taken. */
export function setsOf({ type, values }: RegistryMetric): Sets<RegistryValue> {
  const sets: Sets<RegistryValue> = new Map()
  for (const line of values) {
    if (type === 'summary' && line.metricName === undefined) continue
    const key = setKey(line)
    let parts = sets.get(key)
    if (parts === undefined) sets.set(key, (parts = new Map()))
    parts.set(partKey(line), line)
  }
  return sets
}

/** Two whose layouts differ cannot be added: another type, or other buckets. */
export function layoutOf({ type, values }: RegistryMetric): string {
  if (type !== 'histogram') return type
  const bounds = new Set(values.flatMap(({ labels }) => labels['le'] ?? []))
  // One that was never observed has no line, and goes with any.
  return bounds.size === 0 ? '' : `${type} ${[...bounds].join(' ')}`
}

/** Adds to `totals` what has grown since `told`. Returns what is told now, and how many lines found no room. */
export function grow(
  totals: Sets<Line>,
  told: ToldSets | undefined,
  now: Sets<RegistryValue>,
  room: number,
): { readonly told: ToldSets; readonly added: number; readonly left: number } {
  const toldNow: ToldSets = new Map()
  let [added, left] = [0, 0]
  for (const [key, parts] of now) {
    const before = isReset(told?.get(key), parts) ? undefined : told?.get(key)
    toldNow.set(key, new Map([...parts].map(([part, { value }]) => [part, value])))
    let total = totals.get(key)
    if (total === undefined && added + parts.size > room) {
      left += parts.size
      continue
    }
    if (total === undefined) totals.set(key, (total = new Map()))
    for (const [part, line] of parts) if (growLine(total, part, line, before?.get(part) ?? 0)) added++
  }
  return { told: toldNow, added, left }
}

/** Returns whether the line is new. */
function growLine(total: Parts<Line>, part: string, line: RegistryValue, before: number): boolean {
  const grown = line.value - before
  const known = total.get(part)
  if (known === undefined) {
    total.set(part, { ...line, value: grown })
    return true
  }
  known.value += grown
  return false
}

function isReset(before: Parts<number> | undefined, now: Parts<RegistryValue>): boolean {
  if (before === undefined) return false
  for (const [part, { value, metricName }] of now) {
    // A sum falls by what is observed below 0.
    const maySink = metricName?.endsWith('_sum') === true
    if (!maySink && value < (before.get(part) ?? 0)) return true
  }
  return false
}

function setKey({ labels }: RegistryValue): string {
  const own = Object.entries(labels).filter(([name]) => !OF_PARTS.includes(name))
  return JSON.stringify(own.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function partKey({ labels, metricName }: RegistryValue): string {
  return `${metricName ?? ''} ${OF_PARTS.map((name) => labels[name] ?? '').join('')}`
}
