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

/**
 * Labels whose values come and go for ever, such as releases, must not fill the memory: of one name and app so many are kept.
 * What nothing was told of for longest goes first, since a count that is still told of would go back.
 */
const MOST_SERIES = 500

type Families<Series> = Map<string, Map<string, Touched<Series>>>

interface Touched<Series> {
  readonly series: Series
  touched: number
}

export class Counters {
  readonly #counted: Families<{ labels: Labels; value: number }> = new Map()
  readonly #timed: Families<{ labels: Labels; counts: number[]; sum: number }> = new Map()

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
    return seriesIn(this.#counted.get(name))
  }

  timed(name: string): readonly Timed[] {
    return seriesIn(this.#timed.get(name))
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
      for (const [key, { series: one }] of series) if (one.labels['app'] === app) series.delete(key)
  }
}

/** Rises with each touch of any series. */
let touches = 0

function seriesOf<Series extends { readonly labels: Labels }>(
  all: Families<Series>,
  name: string,
  labels: Labels,
  none: () => Series,
): Series {
  let family = all.get(name)
  if (family === undefined) all.set(name, (family = new Map()))
  const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  let known = family.get(key)
  if (known === undefined) {
    makeRoom(family, labels['app'])
    family.set(key, (known = { series: none(), touched: 0 }))
  }
  known.touched = touches += 1
  return known.series
}

function makeRoom<Series extends { readonly labels: Labels }>(
  family: Map<string, Touched<Series>>,
  app: string | undefined,
): void {
  const ofApp = [...family].filter(([, { series }]) => series.labels['app'] === app)
  if (ofApp.length < MOST_SERIES) return
  const [oldest] = ofApp.reduce((one, other) => (other[1].touched < one[1].touched ? other : one))
  family.delete(oldest)
}

function seriesIn<Series>(family: ReadonlyMap<string, Touched<Series>> | undefined): Series[] {
  return [...(family?.values() ?? [])].map(({ series }) => series)
}

function asRecord<Series>(from: Families<Series>): Record<string, Series[]> {
  return Object.fromEntries([...from].map(([name, family]) => [name, seriesIn(family)]))
}
