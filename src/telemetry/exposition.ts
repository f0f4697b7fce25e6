// Metrics as Prometheus reads them: prom-client writes the text, so that escaping and types are as the format says.

import type { Metric } from 'prom-client'

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

export interface MetricValue {
  readonly labels: Readonly<Record<string, string | number>>
  /** Further ones that other values have, too: the same object, so that its text is made once for all of them. */
  readonly sharedLabels?: Readonly<Record<string, string | number>>
  readonly value: number
  /** With `_bucket`, `_sum` or `_count`; the family's own name when left out. */
  readonly metricName?: string
}

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: MetricType
  readonly values: readonly MetricValue[]
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Families without a value are left out. A name that is there twice is kept once: the first. */
export async function expose(families: readonly Family[]): Promise<string> {
  // Loaded by the first scrape: a supervisor that nobody asks starts without it.
  const { Registry } = await import('prom-client')
  const registry = new Registry()
  for (const family of families) {
    if (family.values.length === 0 || registry.getSingleMetric(family.name) !== undefined) continue
    registry.registerMetric(asMetric(family))
  }
  return registry.metrics()
}

/** For who reads them as data: each value with all of its labels. */
export function withAllLabels(families: readonly Family[]): readonly Family[] {
  return families.map((family) => ({
    ...family,
    values: family.values.map(({ labels, sharedLabels, ...value }) => ({
      labels: { ...labels, ...sharedLabels },
      ...value,
    })),
  }))
}

/** The counts are kept elsewhere: a worker's come as sums, which prom-client's own metrics cannot take. */
function asMetric(family: Family): Metric {
  const metric = { name: family.name, get: () => Promise.resolve({ ...family, aggregator: 'sum' }) }
  // The registry asks for a name and for `get`, and for nothing else.
  return metric as unknown as Metric
}

/** The lines of one histogram: `counts` between `bounds`, and the rest in the last one. */
export function histogramValues(
  name: string,
  sharedLabels: MetricValue['labels'],
  {
    bounds,
    counts,
    sum,
  }: { readonly bounds: readonly number[]; readonly counts: readonly number[]; readonly sum: number },
): MetricValue[] {
  const values: MetricValue[] = []
  let total = 0
  for (const [at, bound] of bounds.entries()) {
    total += counts[at] ?? 0
    values.push({ metricName: `${name}_bucket`, labels: { le: bound }, sharedLabels, value: total })
  }
  total += counts[bounds.length] ?? 0
  values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: total })
  values.push({ metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum })
  values.push({ metricName: `${name}_count`, labels: {}, sharedLabels, value: total })
  return values
}
