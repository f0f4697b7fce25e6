// What is measured, as the control API tells it: requests, objectives, what processes take and may take.

import type { GroupName } from '../protocol/messages.ts'

/** What a group has answered in the last minute, and how long it took. */
export interface TrafficStatus {
  readonly requestsPerSecond: number
  /** Share of answers with 5xx. */
  readonly errorRatio: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
}

/** How an objective of the option `slo` is kept. */
export interface ObjectiveStatus {
  readonly objective: 'availability' | 'latency'
  /** Percentage of the requests. */
  readonly target: number
  /** What is left of the error budget of the last three days: 1 is all of it, below 0 it is missed; null without a request. */
  readonly budgetLeft: number | null
  /** How many times as fast as allowed the budget is used up, by window. */
  readonly burnRates: Readonly<Record<'5m' | '30m' | '1h' | '6h' | '3d', number | null>>
  /** The burn rate that is too high now. */
  readonly burning: {
    readonly severity: 'page' | 'ticket'
    readonly long: string
    readonly short: string
    readonly rate: number
  } | null
}

/** What a worker has started, and what these have, as far as they live. */
export interface ChildrenStatus {
  readonly count: number
  readonly rssBytes: number
}

/** What the control groups around the supervisor (a container, a systemd unit) allow to all in them; null is no limit. */
export interface LimitsStatus {
  readonly memoryBytes: number | null
  /** Of the group with that limit, without the cache that would give way. */
  readonly memoryUsedBytes: number | null
  /** Of one CPU: 1.5 is one and a half. */
  readonly cpuCores: number | null
}

export interface Spread {
  readonly min: number
  readonly avg: number
  readonly max: number
}

/** What a process and its children took in the last hour, or in its life when that is shorter. */
export interface WorkerResources {
  readonly id: number
  readonly pid: number
  readonly overSeconds: number
  readonly cpuPercent: Spread | null
  /** With its children. */
  readonly rssBytes: Spread
  /** Of these its children; null where the system does not say. */
  readonly childrenRssBytes: Spread | null
  readonly loopDelayMs: Spread | null
}

/** The same point by point, oldest first; all lists have one length. Null is not known. */
export interface WorkerSeries {
  readonly id: number
  readonly pid: number
  readonly group: GroupName
  readonly release: string
  readonly secondsAgo: readonly number[]
  readonly cpuPercent: readonly (number | null)[]
  readonly rssBytes: readonly number[]
  readonly childrenRssBytes: readonly (number | null)[]
  readonly loopDelayMs: readonly (number | null)[]
}

/** `GET /v1/apps/:app/samples` */
export interface AppSamples {
  readonly app: string
  readonly everySeconds: number
  readonly workers: readonly WorkerSeries[]
}
