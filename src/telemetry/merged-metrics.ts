// Metrics that apps count by themselves, put together from what their workers tell: counters, histograms and summaries are
// summed over all processes that there were, gauges of those that live by prom-client's aggregators. What is called like a
// metric or a label of ours gives way, and is told of.

import type { RegistryMetric } from '../protocol/registry-metrics.ts'
import type { Family, MetricValue } from './exposition.ts'
import { checkMetric, type MergeProblem } from './merged-names.ts'
import { grow, layoutOf, setsOf, type Line, type Sets, type ToldSets } from './merged-totals.ts'
import { KEPT_RELEASES, type RequestOwner } from './request-book.ts'

/** Of prom-client: adds up metrics of the same name. */
export type Aggregate = (metrics: readonly RegistryMetric[]) => RegistryMetric | undefined
export type Aggregators = Readonly<Record<string, Aggregate>>

/** Of one release of one group; label values that come and go for ever must not fill the memory. */
const MOST_LINES = 20_000
/** More is not saved: it would be written every few seconds, while nothing else can happen. */
const MOST_SAVED = 10_000

/** A metric whose sums are kept. */
interface Sum {
  readonly help: string
  readonly type: string
  layout: string
  readonly totals: Sets<Line>
}

interface Owner extends RequestOwner {
  readonly sums: Map<string, Sum>
  /** Of all sums together. */
  lines: number
}

interface Teller {
  readonly owner: string
  readonly told: Map<string, ToldSets>
  gauges: readonly RegistryMetric[]
}

type SavedSets<Value> = readonly (readonly [string, readonly (readonly [string, Value])[]])[]

export interface SavedMerged {
  readonly owners: readonly (RequestOwner & {
    readonly sums: readonly (Omit<Sum, 'totals'> & { readonly name: string; readonly totals: SavedSets<Line> })[]
  })[]
  readonly tellers: readonly {
    readonly incarnation: string
    readonly owner: string
    readonly told: readonly (readonly [string, SavedSets<number>])[]
  }[]
}

export class MergedMetrics {
  readonly #owners = new Map<string, Owner>()
  readonly #tellers = new Map<string, Teller>()
  readonly #offers = new Set<string>()

  /** What a process counts by now. Returns what cannot be taken as it is. */
  take(owner: RequestOwner, incarnation: string, metrics: readonly RegistryMetric[]): readonly MergeProblem[] {
    const problems: MergeProblem[] = []
    const book = this.#ownerOf(owner)
    const teller = this.#tellerOf(incarnation, keyOf(owner))
    const gauges: RegistryMetric[] = []
    for (const metric of metrics) {
      const checked = checkMetric(metric, problems)
      if (checked === null || checked.aggregator === 'omit') continue
      if (checked.type === 'gauge') gauges.push(checked)
      else growSum(book, teller, checked, problems)
    }
    teller.gauges = gauges
    return problems
  }

  /** The process has registered metrics of its own. */
  offered(incarnation: string): void {
    this.#offers.add(incarnation)
  }

  hasOffered(incarnation: string): boolean {
    return this.#offers.has(incarnation)
  }

  /** The process is gone: its gauges go with it, what it has counted stays. */
  forget(incarnation: string): void {
    this.#tellers.delete(incarnation)
    this.#offers.delete(incarnation)
  }

  /** Of all that an earlier supervisor knew, only these live. */
  keepOnly(incarnations: ReadonlySet<string>): void {
    for (const incarnation of this.#tellers.keys()) if (!incarnations.has(incarnation)) this.forget(incarnation)
  }

  /** Of an app that is gone. */
  forgetApp(app: string): void {
    for (const [key, owner] of this.#owners) if (owner.app === app) this.#owners.delete(key)
  }

  get isEmpty(): boolean {
    return this.#owners.size === 0
  }

  /** One family a name: where types differ the newest release's counts, and the others are left out and told of. */
  families(aggregators: Aggregators, problem: (app: string, problem: MergeProblem) => void): readonly Family[] {
    const families = new Map<string, Family & { readonly values: MetricValue[] }>()
    // Newest first, each app for itself.
    for (const owner of [...this.#owners.values()].toReversed()) {
      for (const metric of [...sumsOf(owner), ...this.#gaugesOf(owner, aggregators)]) {
        const { name, help, type } = metric
        let family = families.get(name)
        if (family === undefined) families.set(name, (family = { name, help, type: typeOf(type), values: [] }))
        if (family.type === type) for (const value of metric.values) family.values.push(withOwner(value, owner))
        else problem(owner.app, { kind: 'type', subject: name, was: type, is: family.type })
      }
    }
    return [...families.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** How many lines each has in a scrape. */
  *series(): Iterable<RequestOwner & { readonly count: number }> {
    for (const [key, { app, group, release, lines }] of this.#owners) {
      const gauges = new Set<string>()
      for (const teller of this.#tellers.values()) {
        if (teller.owner !== key) continue
        for (const { name, values } of teller.gauges)
          for (const { labels } of values) gauges.add(`${name} ${JSON.stringify(labels)}`)
      }
      yield { app, group, release, count: lines + gauges.size }
    }
  }

  /** Null when it is too much: after the supervisor's death the sums then begin with what its workers tell. */
  save(): SavedMerged | null {
    let lines = 0
    for (const owner of this.#owners.values()) lines += owner.lines
    for (const { told } of this.#tellers.values()) for (const sets of told.values()) lines += sets.size
    if (lines > MOST_SAVED) return null
    return {
      owners: [...this.#owners.values()].map(savedOwner),
      tellers: [...this.#tellers].map(([incarnation, { owner, told }]) => ({
        incarnation,
        owner,
        told: [...told].map(([name, sets]) => [name, savedSets(sets)] as const),
      })),
    }
  }

  restore(saved: SavedMerged | null | undefined): void {
    for (const { sums, ...owner } of saved?.owners ?? []) {
      const book = this.#ownerOf(owner)
      for (const { name, help, type, layout, totals } of sums) {
        const sets = restoredSets(totals, (line) => ({ ...line }))
        book.sums.set(name, { help, type, layout, totals: sets })
        for (const parts of sets.values()) book.lines += parts.size
      }
    }
    for (const { incarnation, owner, told } of saved?.tellers ?? []) {
      const sets = told.map(([name, one]) => [name, restoredSets(one, (value) => value)] as const)
      this.#tellers.set(incarnation, { owner, told: new Map(sets), gauges: [] })
    }
  }

  /** Several processes of one release are one to whoever looks. */
  #gaugesOf(owner: RequestOwner, aggregators: Aggregators): readonly RegistryMetric[] {
    const byName = new Map<string, RegistryMetric[]>()
    for (const teller of this.#tellers.values()) {
      if (teller.owner !== keyOf(owner)) continue
      for (const gauge of teller.gauges) {
        const same = byName.get(gauge.name)
        if (same === undefined) byName.set(gauge.name, [gauge])
        else same.push(gauge)
      }
    }
    return [...byName.values()].flatMap((gauges) => {
      // The newest process has the word.
      const aggregate = aggregators[gauges.at(-1)?.aggregator ?? 'sum'] ?? aggregators['sum']
      return aggregate?.(gauges) ?? []
    })
  }

  #ownerOf(owner: RequestOwner): Owner {
    const key = keyOf(owner)
    const known = this.#owners.get(key)
    if (known !== undefined) return known
    const { app, group, release } = owner
    const fresh: Owner = { app, group, release, sums: new Map(), lines: 0 }
    this.#owners.set(key, fresh)
    const ofGroup = [...this.#owners].filter(([, other]) => other.app === app && other.group === group)
    for (const [old] of ofGroup.slice(0, -KEPT_RELEASES)) this.#owners.delete(old)
    return fresh
  }

  #tellerOf(incarnation: string, owner: string): Teller {
    let teller = this.#tellers.get(incarnation)
    if (teller === undefined) this.#tellers.set(incarnation, (teller = { owner, told: new Map(), gauges: [] }))
    return teller
  }
}

/** A process whose layout is new has newer code: the sum begins anew, and those with the layout before are left out. */
function growSum(book: Owner, { told }: Teller, metric: RegistryMetric, problems: MergeProblem[]): void {
  const { name, help, type } = metric
  const layout = layoutOf(metric)
  let sum = book.sums.get(name)
  const isOther = sum !== undefined && (sum.type !== type || isOtherLayout(sum.layout, layout))
  if (isOther && told.has(name)) return
  if (sum === undefined || isOther) {
    for (const parts of sum?.totals.values() ?? []) book.lines -= parts.size
    book.sums.set(name, (sum = { help, type, layout, totals: new Map() }))
  }
  if (sum.layout === '') sum.layout = layout
  const grown = grow(sum.totals, told.get(name), setsOf(metric), MOST_LINES - book.lines)
  told.set(name, grown.told)
  book.lines += grown.added
  if (grown.left > 0) problems.push({ kind: 'room', subject: name })
}

function isOtherLayout(before: string, now: string): boolean {
  return before !== '' && now !== '' && before !== now
}

function* sumsOf({ sums }: Owner): Iterable<RegistryMetric> {
  for (const [name, { help, type, totals }] of sums) {
    const values: Line[] = []
    for (const parts of totals.values()) values.push(...parts.values())
    yield { name, help, type, aggregator: 'sum', values }
  }
}

function withOwner({ labels, value, metricName }: RegistryMetric['values'][number], owner: RequestOwner): MetricValue {
  const { app, group, release } = owner
  const all = { ...labels, app, group, release }
  return metricName === undefined ? { labels: all, value } : { labels: all, value, metricName }
}

function typeOf(type: string): Family['type'] {
  return type === 'counter' || type === 'histogram' || type === 'summary' ? type : 'gauge'
}

function savedOwner({ app, group, release, sums }: Owner): SavedMerged['owners'][number] {
  const saved = [...sums].map(([name, { help, type, layout, totals }]) => {
    return { name, help, type, layout, totals: savedSets(totals) }
  })
  return { app, group, release, sums: saved }
}

function savedSets<Value>(sets: Sets<Value>): SavedSets<Value> {
  return [...sets].map(([key, parts]) => [key, [...parts]] as const)
}

function restoredSets<Value>(saved: SavedSets<Value>, copy: (value: Value) => Value): Sets<Value> {
  return new Map(saved.map(([key, parts]) => [key, new Map(parts.map(([part, value]) => [part, copy(value)]))]))
}

function keyOf({ app, group, release }: RequestOwner): string {
  return `${app}\0${group}\0${release}`
}
