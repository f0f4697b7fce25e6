// Counts of what happened, by labels: they only grow, also across the supervisor's death, since they are saved.

export type Labels = Readonly<Record<string, string>>

export interface Counted {
  readonly labels: Labels
  readonly value: number
}

export interface Timed {
  readonly labels: Labels
  /** Between the bounds, and a last one for the rest. */
  readonly counts: readonly number[]
  readonly sum: number
}

export interface SavedCounters {
  readonly counted: Readonly<Record<string, readonly Counted[]>>
  readonly timed: Readonly<Record<string, readonly Timed[]>>
}

/** In seconds: from a flip to a long drain. */
export const TIME_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** Labels whose values come and go for ever, such as releases, must not fill the memory. */
const MOST_SERIES = 500

export class Counters {
  readonly #counted = new Map<string, Map<string, { labels: Labels; value: number }>>()
  readonly #timed = new Map<string, Map<string, { labels: Labels; counts: number[]; sum: number }>>()

  add(name: string, labels: Labels, by = 1): void {
    const series = seriesOf(this.#counted, name, labels, () => ({ labels, value: 0 }))
    series.value += by
  }

  time(name: string, labels: Labels, seconds: number): void {
    const none = () => ({ labels, counts: Array.from({ length: TIME_BOUNDS.length + 1 }, () => 0), sum: 0 })
    const series = seriesOf(this.#timed, name, labels, none)
    const found = TIME_BOUNDS.findIndex((bound) => seconds <= bound)
    const bucket = found < 0 ? TIME_BOUNDS.length : found
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1
    series.sum += seconds
  }

  counted(name: string): readonly Counted[] {
    return [...(this.#counted.get(name)?.values() ?? [])]
  }

  timed(name: string): readonly Timed[] {
    return [...(this.#timed.get(name)?.values() ?? [])]
  }

  save(): SavedCounters {
    return { counted: asRecord(this.#counted), timed: asRecord(this.#timed) }
  }

  restore(saved: SavedCounters): void {
    for (const [name, counted] of Object.entries(saved.counted))
      for (const { labels, value } of counted)
        seriesOf(this.#counted, name, labels, () => ({ labels, value: 0 })).value = value
    for (const [name, timed] of Object.entries(saved.timed))
      for (const { labels, counts, sum } of timed)
        seriesOf(this.#timed, name, labels, () => ({ labels, counts: [...counts], sum }))
  }

  /** Of an app that is gone. */
  forgetApp(app: string): void {
    for (const series of [...this.#counted.values(), ...this.#timed.values()])
      for (const [key, { labels }] of series) if (labels['app'] === app) series.delete(key)
  }
}

function seriesOf<Series>(
  all: Map<string, Map<string, Series>>,
  name: string,
  labels: Labels,
  none: () => Series,
): Series {
  let family = all.get(name)
  if (family === undefined) all.set(name, (family = new Map()))
  const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  let series = family.get(key)
  if (series === undefined) {
    const [oldest] = family.keys()
    if (family.size >= MOST_SERIES && oldest !== undefined) family.delete(oldest)
    family.set(key, (series = none()))
  }
  return series
}

function asRecord<Series>(from: ReadonlyMap<string, ReadonlyMap<string, Series>>): Record<string, Series[]> {
  return Object.fromEntries([...from].map(([name, series]) => [name, [...series.values()]]))
}
