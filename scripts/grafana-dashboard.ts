// grafana/supervise.json: a dashboard over the metrics, from the table of panels below. Every query names metrics of
// src/telemetry/metric-table.ts only; a test holds it to that.

interface Panel {
  readonly title: string
  readonly unit: 'reqps' | 's' | 'percentunit' | 'short' | 'bytes' | 'cps'
  /** Query and legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[]
  readonly kind?: 'timeseries' | 'stat'
}

interface Row {
  readonly title: string
  readonly panels: readonly Panel[]
}

const APP = 'app=~"$app"'

function quantile(share: number): string {
  return `histogram_quantile(${share}, sum by (le, release) (rate(http_server_request_duration_seconds_bucket{${APP}}[$__rate_interval])))`
}

// oxfmt-ignore
export const ROWS: readonly Row[] = [
  {
    title: 'Requests',
    panels: [
      { title: 'Requests by status', unit: 'reqps', queries: [[`sum by (status_class) (rate(supervise_http_requests_total{${APP}}[$__rate_interval]))`, '{{status_class}}']] },
      { title: 'Share of 5xx by release', unit: 'percentunit', queries: [[`sum by (release) (rate(supervise_http_requests_total{${APP},status_class="5xx"}[$__rate_interval])) / sum by (release) (rate(supervise_http_requests_total{${APP}}[$__rate_interval]))`, '{{release}}']] },
      { title: 'Duration by release', unit: 's', queries: [[quantile(0.5), '{{release}} p50'], [quantile(0.95), '{{release}} p95'], [quantile(0.99), '{{release}} p99']] },
      { title: 'In flight', unit: 'short', queries: [[`sum by (group) (supervise_http_requests_in_flight{${APP}})`, '{{group}}']] },
      { title: 'Error budget left', unit: 'percentunit', kind: 'stat', queries: [[`supervise_slo_error_budget_ratio{${APP}}`, '{{objective}}']] },
      { title: 'Burn rate', unit: 'short', queries: [[`supervise_slo_burn_rate{${APP},window=~"5m|1h|6h"}`, '{{objective}} {{window}}']] },
      { title: 'Probes', unit: 'short', queries: [[`supervise_probe_success{${APP}}`, '{{probe}} {{target}}']] },
      { title: 'Duration of probes', unit: 's', queries: [[`supervise_probe_duration_seconds{${APP}}`, '{{probe}} {{target}}']] },
      { title: 'Bad answers to probes', unit: 'cps', queries: [[`sum by (probe, outcome) (increase(supervise_probes_total{${APP},outcome!="ok"}[$__rate_interval]))`, '{{probe}} {{outcome}}']] },
    ],
  },
  {
    title: 'Workers',
    panels: [
      { title: 'Workers by state', unit: 'short', queries: [[`sum by (state) (supervise_workers{${APP}})`, '{{state}}']] },
      { title: 'Crashes by reason', unit: 'cps', queries: [[`sum by (reason) (increase(supervise_worker_crashes_total{${APP}}[$__rate_interval]))`, '{{reason}}']] },
      { title: 'CPU', unit: 'percentunit', queries: [[`sum by (worker, group) (rate(supervise_worker_cpu_seconds_total{${APP}}[$__rate_interval]))`, '{{group}} {{worker}}']] },
      { title: 'Memory', unit: 'bytes', queries: [[`supervise_worker_resident_memory_bytes{${APP}}`, '{{group}} {{worker}}']] },
      { title: 'Heap in use, of its limit', unit: 'percentunit', queries: [[`supervise_worker_heap_used_bytes{${APP}} / supervise_worker_heap_limit_bytes{${APP}}`, '{{group}} {{worker}}']] },
      { title: 'Event-loop delay, p99', unit: 's', queries: [[`supervise_worker_event_loop_delay_seconds{${APP},statistic="p99"}`, '{{group}} {{worker}}']] },
      { title: 'Event-loop utilization', unit: 'percentunit', queries: [[`supervise_worker_event_loop_utilization_ratio{${APP}}`, '{{group}} {{worker}}']] },
      { title: 'Garbage collection', unit: 'percentunit', queries: [[`sum by (release) (rate(supervise_worker_gc_seconds_total{${APP}}[$__rate_interval]))`, '{{release}}']] },
      { title: 'Open connections', unit: 'short', queries: [[`supervise_worker_open_connections{${APP}}`, '{{group}} {{worker}}']] },
    ],
  },
  {
    title: 'Releases',
    panels: [
      { title: 'Operations', unit: 'cps', queries: [[`sum by (operation, outcome) (increase(supervise_operations_total{${APP}}[$__rate_interval]))`, '{{operation}} {{outcome}}']] },
      { title: 'Flips, p99', unit: 's', queries: [[`histogram_quantile(0.99, sum by (le) (rate(supervise_flip_duration_seconds_bucket{${APP}}[$__range])))`, 'p99']] },
      { title: 'Forwarded requests', unit: 'reqps', queries: [[`sum by (group) (rate(supervise_forwarded_requests_total{${APP}}[$__rate_interval]))`, 'from {{group}}'], [`sum by (group) (rate(supervise_forward_failures_total{${APP}}[$__rate_interval]))`, 'failed, from {{group}}']] },
      { title: 'Drains', unit: 's', queries: [[`histogram_quantile(0.95, sum by (le) (rate(supervise_drain_duration_seconds_bucket{${APP}}[$__rate_interval])))`, 'p95']] },
      { title: 'Cut at the deadline of drains', unit: 'cps', queries: [[`sum(increase(supervise_drain_requests_cut_total{${APP}}[$__rate_interval]))`, 'requests'], [`sum(increase(supervise_drain_connections_cut_total{${APP}}[$__rate_interval]))`, 'connections']] },
    ],
  },
  {
    title: 'The supervisor',
    panels: [
      { title: 'CPU', unit: 'percentunit', queries: [['rate(supervise_process_cpu_seconds_total[$__rate_interval])', '{{instance}}']] },
      { title: 'Memory', unit: 'bytes', queries: [['supervise_process_resident_memory_bytes', '{{instance}}']] },
      { title: 'Log lines', unit: 'cps', queries: [[`sum by (stream) (rate(supervise_log_lines_total{${APP}}[$__rate_interval]))`, '{{stream}}'], ['rate(supervise_log_dropped_lines_total[$__rate_interval])', 'dropped']] },
    ],
  },
]

const WIDTH = 8
const HEIGHT = 7

export function renderDashboard(): string {
  let y = 0
  let id = 0
  const panels = ROWS.flatMap(({ title, panels: of }) => {
    const row = { id: (id += 1), type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] }
    y += 1
    const drawn = of.map((panel, at) =>
      drawPanel(panel, (id += 1), { x: (at % 3) * WIDTH, y: y + Math.floor(at / 3) * HEIGHT }),
    )
    y += Math.ceil(of.length / 3) * HEIGHT
    return [row as object].concat(drawn)
  })
  const dashboard = {
    title: 'supervise',
    uid: 'supervise',
    schemaVersion: 39,
    tags: ['nodejs', 'supervise'],
    timezone: 'browser',
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'app',
          type: 'query',
          datasource: { type: 'prometheus', uid: '$datasource' },
          query: 'label_values(supervise_app_up, app)',
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

function drawPanel({ title, unit, queries, kind = 'timeseries' }: Panel, id: number, at: { x: number; y: number }) {
  return {
    id,
    type: kind,
    title,
    datasource: { type: 'prometheus', uid: '$datasource' },
    gridPos: { ...at, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      expr,
      legendFormat,
    })),
  }
}
