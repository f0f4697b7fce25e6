// Every metric: its name, type, labels and meaning. docs/reference/metrics.md is written from this.

import type { MetricType } from './exposition.ts'

export interface MetricSpec {
  readonly type: MetricType
  readonly labels: readonly string[]
  readonly help: string
}

const GROUP = ['app', 'group', 'release'] as const
const WORKER = [...GROUP, 'worker'] as const

export const METRICS = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    labels: [...GROUP, 'http_request_method', 'http_response_status_code'],
    help: 'How long the app took to answer a request, in the buckets of the OpenTelemetry conventions.',
  },
  supervise_http_requests_total: {
    type: 'counter',
    labels: [...GROUP, 'method', 'status_class'],
    help: 'Requests that the app has answered; `aborted` are those whose connection ended before the response, also by a crash of the worker.',
  },
  supervise_http_requests_in_flight: { type: 'gauge', labels: WORKER, help: 'Requests under way now.' },
  supervise_forwarded_requests_total: {
    type: 'counter',
    labels: GROUP,
    help: "Requests that came to this group's workers and were passed to the other group.",
  },
  supervise_forward_retries_total: {
    type: 'counter',
    labels: GROUP,
    help: 'Tries to forward a request that failed and were made again.',
  },
  supervise_forward_failures_total: {
    type: 'counter',
    labels: GROUP,
    help: 'Requests answered with 502 because the other group did not answer.',
  },
  supervise_workers: { type: 'gauge', labels: [...GROUP, 'state'], help: 'Workers by state.' },
  supervise_workers_wanted: { type: 'gauge', labels: GROUP, help: 'How many workers there are to be.' },
  supervise_app_up: { type: 'gauge', labels: ['app'], help: '1 while at least one worker serves.' },
  supervise_worker_cpu_seconds_total: {
    type: 'counter',
    labels: WORKER,
    help: 'CPU time of the worker and its children, user and system. Without the children where there is no /proc.',
  },
  supervise_worker_resident_memory_bytes: {
    type: 'gauge',
    labels: WORKER,
    help: 'Resident memory of the worker and its children. Without the children where there is no /proc.',
  },
  supervise_worker_children: {
    type: 'gauge',
    labels: WORKER,
    help: 'Processes that the worker has started, and those that these have; not there where there is no /proc.',
  },
  supervise_worker_children_resident_memory_bytes: {
    type: 'gauge',
    labels: WORKER,
    help: "The children's part of `supervise_worker_resident_memory_bytes`.",
  },
  supervise_worker_heap_used_bytes: { type: 'gauge', labels: WORKER, help: 'JavaScript heap in use.' },
  supervise_worker_heap_limit_bytes: { type: 'gauge', labels: WORKER, help: 'How large the JavaScript heap may grow.' },
  supervise_worker_event_loop_delay_seconds: {
    type: 'gauge',
    labels: [...WORKER, 'statistic'],
    help: 'How late timers were in the last interval: p50, p90, p99 and max.',
  },
  supervise_worker_event_loop_utilization_ratio: {
    type: 'gauge',
    labels: WORKER,
    help: 'Share of the last interval in which the event loop was busy.',
  },
  supervise_worker_gc_seconds_total: { type: 'counter', labels: GROUP, help: 'Time spent in garbage collection.' },
  supervise_worker_open_connections: { type: 'gauge', labels: WORKER, help: 'Open connections of its servers.' },
  supervise_worker_open_handles: {
    type: 'gauge',
    labels: WORKER,
    help: 'Open handles and requests of the event loop.',
  },
  supervise_worker_uptime_seconds: { type: 'gauge', labels: WORKER, help: 'Time since the process was started.' },
  supervise_worker_backoff_seconds: {
    type: 'gauge',
    labels: [...GROUP, 'worker', 'state'],
    help: 'Time until a worker that has ended is started again; there only while one waits.',
  },
  supervise_worker_start_duration_seconds: {
    type: 'histogram',
    labels: GROUP,
    help: 'From the fork of a worker until it was ready.',
  },
  supervise_worker_crashes_total: {
    type: 'counter',
    labels: [...GROUP, 'reason'],
    help: 'Ends that nobody asked for, by reason: exit, signal, out-of-memory, hang, liveness, start-failure.',
  },
  supervise_worker_restarts_total: {
    type: 'counter',
    labels: GROUP,
    help: 'Workers that were started again after an end.',
  },
  supervise_operations_total: {
    type: 'counter',
    labels: ['app', 'operation', 'outcome'],
    help: 'Starts, reloads, restarts, deploys, flips and rollbacks by outcome: succeeded or failed.',
  },
  supervise_operation_duration_seconds: {
    type: 'histogram',
    labels: ['app', 'operation'],
    help: 'How long they took.',
  },
  supervise_flip_duration_seconds: {
    type: 'histogram',
    labels: ['app'],
    help: 'From the message of a flip to the last acknowledgement.',
  },
  supervise_rollouts_total: {
    type: 'counter',
    labels: ['app', 'outcome'],
    help: 'Rollouts that have ended, by outcome.',
  },
  supervise_rollout_step: {
    type: 'gauge',
    labels: ['app', 'release', 'step'],
    help: '1 for the step that the rollout under way is at; there only while one is.',
  },
  supervise_drain_duration_seconds: {
    type: 'histogram',
    labels: GROUP,
    help: 'From the order to drain until nothing was open any more.',
  },
  supervise_drain_requests_cut_total: {
    type: 'counter',
    labels: GROUP,
    help: 'Requests that were cut at the deadline of a drain, or lost with a worker that had to be killed in it.',
  },
  supervise_drain_connections_cut_total: {
    type: 'counter',
    labels: GROUP,
    help: 'WebSockets, event streams and plain connections that were closed at the deadline of a drain.',
  },
  supervise_slots: { type: 'gauge', labels: ['app', 'listener'], help: 'Sockets behind a listener.' },
  supervise_slot_loans: {
    type: 'gauge',
    labels: ['app', 'listener'],
    help: 'How often its sockets are lent to workers.',
  },
  supervise_log_lines_total: { type: 'counter', labels: ['app', 'stream'], help: 'Lines that workers wrote.' },
  supervise_log_bytes_total: { type: 'counter', labels: ['app', 'stream'], help: 'Bytes in them.' },
  supervise_log_dropped_lines_total: {
    type: 'counter',
    labels: [],
    help: "Lines that were dropped because their reader was too slow or gone; the supervisor's own among them.",
  },
  supervise_slo_error_budget_ratio: {
    type: 'gauge',
    labels: ['app', 'objective'],
    help: 'What is left of the error budget of the last three days: 1 is all of it, below 0 the objective is missed.',
  },
  supervise_slo_burn_rate: {
    type: 'gauge',
    labels: ['app', 'objective', 'window'],
    help: 'How many times as fast as allowed the error budget is used up.',
  },
  supervise_probe_success: {
    type: 'gauge',
    labels: ['app', 'probe', 'target'],
    help: 'Whether the last answer to a probe (option `probes`) was good: 1 or 0; `target` is url, public, or a worker such as `blue 1`.',
  },
  supervise_probe_failing: {
    type: 'gauge',
    labels: ['app', 'probe', 'target'],
    help: '1 while so many answers in a row were bad as the option `probes` allows (`failures`), else 0.',
  },
  supervise_probe_duration_seconds: {
    type: 'gauge',
    labels: ['app', 'probe', 'target'],
    help: 'How long the last answer to a probe took, up to its time-out.',
  },
  supervise_probes_total: {
    type: 'counter',
    labels: ['app', 'probe', 'target', 'outcome'],
    help: 'Answers to probes by outcome: ok, status, body, timeout, refused, unreachable, tls, cut, error; `target` is url, public or worker.',
  },
  supervise_chaos_faults_total: {
    type: 'counter',
    labels: ['app', 'kind'],
    help: 'Faults that were rehearsed (`supervise chaos`): kill, stop, hang, memory, delay, supervisor.',
  },
  supervise_control_requests_total: {
    type: 'counter',
    labels: ['method', 'status_class'],
    help: 'Requests to the control API.',
  },
  supervise_memory_limit_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Least memory that a control group around the supervisor allows; not there without a limit.',
  },
  supervise_memory_limit_used_bytes: {
    type: 'gauge',
    labels: [],
    help: 'What is used of it by all that are in that group, without the cache that would give way.',
  },
  supervise_cpu_limit_cores: {
    type: 'gauge',
    labels: [],
    help: 'Fewest CPUs that a control group around the supervisor allows; not there without a limit.',
  },
  supervise_cpu_throttled_seconds_total: {
    type: 'counter',
    labels: [],
    help: 'How long all in that group had to wait since it was made, their CPUs used up; not there without a limit.',
  },
  supervise_zombies: {
    type: 'gauge',
    labels: [],
    help: 'Dead processes that nobody waits for; only there where the supervisor is the first process of its container.',
  },
  supervise_supervisor_restarts_total: {
    type: 'counter',
    labels: [],
    help: 'Supervisors of this instance that followed one which had died.',
  },
  supervise_supervisor_upgrades_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Upgrades of the supervisor by outcome: upgraded, or refused with the one before in charge.',
  },
  supervise_process_cpu_seconds_total: { type: 'counter', labels: [], help: 'CPU time of the supervisor.' },
  supervise_process_resident_memory_bytes: { type: 'gauge', labels: [], help: 'Resident memory of the supervisor.' },
  supervise_process_heap_used_bytes: { type: 'gauge', labels: [], help: 'JavaScript heap of the supervisor in use.' },
  supervise_process_open_fds: { type: 'gauge', labels: [], help: 'Open descriptors of the supervisor.' },
  supervise_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the supervisor was started, as Unix time.',
  },
  supervise_process_event_loop_utilization_ratio: {
    type: 'gauge',
    labels: [],
    help: "Share of the time since the last scrape in which the supervisor's event loop was busy.",
  },
  supervise_merged_series: {
    type: 'gauge',
    labels: GROUP,
    help: "Series of the app's own metrics that are merged in, each bucket of a histogram by itself.",
  },
  supervise_merge_timeouts_total: {
    type: 'counter',
    labels: GROUP,
    help: "How often a worker did not tell the app's own metrics in time; what it told before was shown.",
  },
  supervise_build_info: { type: 'gauge', labels: ['version', 'node_version'], help: '1, with the versions as labels.' },
} as const satisfies Readonly<Record<string, MetricSpec>>

export type MetricName = keyof typeof METRICS
