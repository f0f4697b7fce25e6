// What a user may write about metrics, and what each option means. Belongs to app-options.ts, whose first lines hold here, too.

export interface MetricsOptions {
  /**
   * Whether what the app counts by itself with prom-client, in its default registry, is exposed together with the supervisor's own
   * metrics: one target for Prometheus instead of one a worker. Counters, histograms and summaries are summed over the workers
   * and never go back; gauges are put together as their `aggregator` says. Other registries are added by `metrics.register` of
   * `supervise/runtime`, without this option.
   * @default false
   */
  merge?: boolean
}
