// Metrics that an app itself counts, in registries of prom-client, as its worker tells them.

/** More of one worker is left out as a whole: a part of it would look like all of it. */
export const MOST_SERIES = 10_000
/** Of the message in JSON, about. */
export const MOST_BYTES = 1024 * 1024

export interface RegistryValue {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** With `_bucket`, `_sum` or `_count`; left out where it is the metric's own. */
  readonly metricName?: string
}

/** As `getMetricsAsJSON()` of prom-client has it, without what is not told on. */
export interface RegistryMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  /** How prom-client adds up those of several processes. */
  readonly aggregator: string
  readonly values: readonly RegistryValue[]
}

/** What is wrong with what a registry has, so that it is left out. */
export interface RegistryProblem {
  readonly kind: 'too-large' | 'failed'
  readonly text: string
}

export interface RegistryReport {
  /** How many registries there were. */
  readonly registries: number
  readonly metrics: readonly RegistryMetric[]
  readonly problem: RegistryProblem | null
}
