// Collects the values of one scrape, by metric; and what `Measures` has counted among them.

import { DURATION_BOUNDS_US } from '../protocol/request-counts.ts'
import { TIME_BOUNDS } from './counters.ts'
import { histogramValues, type Family, type MetricValue } from './exposition.ts'
import { ownerLabels, type Measures } from './measures.ts'
import { METRICS, type MetricName } from './metric-table.ts'
import type { RequestTotals, SeriesTotal } from './request-book.ts'

const DURATION_BOUNDS = DURATION_BOUNDS_US.map((us) => us / 1e6)
const REQUESTS: MetricName = 'supervise_http_requests_total'
const DURATIONS: MetricName = 'http_server_request_duration_seconds'

/** Shared: what is said of one worker or group is said of it in many families. */
const NONE = {}

export class Families {
  readonly #values = new Map<MetricName, MetricValue[]>()

  /** Leaves out what is not known. */
  add(name: MetricName, labels: MetricValue['labels'], value: number | null | undefined): void {
    if (value === null || value === undefined || Number.isNaN(value)) return
    this.#valuesOf(name).push({ labels: NONE, sharedLabels: labels, value })
  }

  addMeasures(measures: Measures): void {
    for (const name of NAMES) {
      const spec = METRICS[name]
      if (spec.type === 'counter')
        for (const { labels, value } of measures.counters.counted(name)) this.add(name, labels, value)
      if (spec.type === 'histogram')
        for (const { labels, counts, sum } of measures.counters.timed(name))
          this.#valuesOf(name).push(...histogramValues(name, labels, { bounds: TIME_BOUNDS, counts, sum }))
    }
    for (const totals of measures.requests.totals()) this.#addRequests(totals)
  }

  /** In the order of the table. */
  all(): readonly Family[] {
    return NAMES.map((name) => {
      const { help, type } = METRICS[name]
      return { name, help, type, values: this.#values.get(name) ?? [] }
    })
  }

  #addRequests(totals: RequestTotals): void {
    const owner = ownerLabels(totals)
    const byClass = new Map<string, { readonly labels: Record<string, string>; count: number }>()
    for (const series of totals.series.values()) {
      const { method, count } = series
      const labels = { ...owner, method, status_class: classOf(series) }
      const key = `${method} ${labels.status_class}`
      const known = byClass.get(key)
      if (known === undefined) byClass.set(key, { labels, count })
      else known.count += count
      if (series.status !== 0) this.#addDurations(owner, series)
    }
    for (const { labels, count } of byClass.values()) this.add(REQUESTS, labels, count)
  }

  #addDurations(owner: Readonly<Record<string, string>>, { method, status, durations, sumUs }: SeriesTotal): void {
    const labels = { ...owner, http_request_method: method, http_response_status_code: String(status) }
    const histogram = { bounds: DURATION_BOUNDS, counts: durations, sum: sumUs / 1e6 }
    this.#valuesOf(DURATIONS).push(...histogramValues(DURATIONS, labels, histogram))
  }

  #valuesOf(name: MetricName): MetricValue[] {
    let values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, (values = []))
    return values
  }
}

/** What is counted of one app; metrics of the instance itself have no app. */
export function familiesOf(app: string, families: readonly Family[]): readonly Family[] {
  const isOf = ({ labels, sharedLabels }: MetricValue) => (labels['app'] ?? sharedLabels?.['app']) === app
  return families
    .map((family) => ({ ...family, values: family.values.filter(isOf) }))
    .filter(({ values }) => values.length > 0)
}

// The keys of the table are its names.
const NAMES = Object.keys(METRICS) as MetricName[]

function classOf({ status }: SeriesTotal): string {
  return status === 0 ? 'aborted' : `${Math.floor(status / 100)}xx`
}
