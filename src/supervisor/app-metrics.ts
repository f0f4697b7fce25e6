// The figures of one app at this moment, as metrics: what is counted over time comes from telemetry/measures.ts.

import type { ObjectiveStatus } from '../control/messages.ts'
import { wholeRssBytes, type Samples } from '../telemetry/samples.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { Families } from '../telemetry/families.ts'
import type { App } from './app.ts'
import type { Group, Place } from './group.ts'
import type { WorkerHandle } from './worker-handle.ts'

export function addApp(families: Families, app: App, samples: Samples): void {
  families.add('supervise_app_up', { app: app.name }, app.isStopped || app.counts().serving === 0 ? 0 : 1)
  for (const group of app.bothGroups()) addGroup(families, app, group, samples)
  const loans = app.lending.loans()
  for (const [at, { address, port, path, slots }] of app.lending.status().entries()) {
    const labels = { app: app.name, listener: path ?? `${address}:${port}` }
    families.add('supervise_slots', labels, slots)
    families.add('supervise_slot_loans', labels, loans[at])
  }
}

/** How an app's objectives are kept; none for an app without. */
export function objectivesOf(app: App, { objectives }: Measures): readonly ObjectiveStatus[] {
  return app.isStopped ? [] : objectives.of(app.name, app.config.slo, app.clock.now())
}

export function addObjectives(families: Families, app: App, measures: Measures): void {
  for (const { objective, budgetLeft, burnRates } of objectivesOf(app, measures)) {
    const labels = { app: app.name, objective }
    families.add('supervise_slo_error_budget_ratio', labels, budgetLeft)
    for (const [window, rate] of Object.entries(burnRates))
      families.add('supervise_slo_burn_rate', { ...labels, window }, rate)
  }
}

function addGroup(families: Families, app: App, group: Group, samples: Samples): void {
  const labels = { app: app.name, group: group.name, release: group.generation.release.id }
  families.add('supervise_workers_wanted', labels, app.isStopped ? 0 : group.wanted)
  const states = new Map<string, number>()
  const count = (state: string): void => void states.set(state, (states.get(state) ?? 0) + 1)
  for (const place of group.places.values()) {
    for (const worker of place.processes) count(worker.state)
    addPlace(families, app, place, samples)
    if (place.processes.size === 0 && place.waiting !== null) {
      count(place.waiting.kind)
      addWaiting(families, labels, place, group.clock.now())
    }
  }
  for (const [state, workers] of states) families.add('supervise_workers', { ...labels, state }, workers)
}

function addWaiting(families: Families, labels: Readonly<Record<string, string>>, place: Place, now: number): void {
  const { waiting } = place
  if (waiting === null || !Number.isFinite(waiting.until)) return
  const state = waiting.kind
  const seconds = Math.max(0, waiting.until - now) / 1000
  families.add('supervise_worker_backoff_seconds', { ...labels, worker: String(place.id), state }, seconds)
}

/**
 * One set of figures a worker and release: while it is replaced there are two processes, and a series must not stand twice in a
 * scrape.
 */
function addPlace(families: Families, app: App, { processes }: Place, samples: Samples): void {
  const byRelease = Map.groupBy(processes, ({ generation }) => generation.release.id)
  for (const [release, workers] of byRelease) {
    const last = workers.findLast(({ isStaying }) => isStaying) ?? workers.at(-1)
    if (last === undefined) continue
    const labels = { app: app.name, group: last.generation.group, release, worker: String(last.id) }
    addSums(families, labels, workers, samples)
    addStaying(families, labels, last)
  }
}

type WorkerLabels = Readonly<Record<'app' | 'group' | 'release' | 'worker', string>>

/** What both processes take together. */
function addSums(families: Families, labels: WorkerLabels, workers: readonly WorkerHandle[], samples: Samples): void {
  const sampled = workers.map(({ pid }) => samples.of(pid)).filter((sample) => sample !== null)
  const children = sampled.map((sample) => sample.children).filter((known) => known !== null)
  const told = workers.map(({ vitals }) => vitals).filter((vitals) => vitals !== null)
  families.add('supervise_worker_resident_memory_bytes', labels, sumOf(sampled, wholeRssBytes))
  families.add(
    'supervise_worker_children',
    labels,
    sumOf(children, ({ count }) => count),
  )
  families.add(
    'supervise_worker_children_resident_memory_bytes',
    labels,
    sumOf(children, ({ rssBytes }) => rssBytes),
  )
  families.add(
    'supervise_worker_heap_used_bytes',
    labels,
    sumOf(told, ({ heapUsedBytes }) => heapUsedBytes),
  )
  families.add(
    'supervise_worker_open_connections',
    labels,
    sumOf(told, ({ connections }) => connections),
  )
  families.add(
    'supervise_worker_open_handles',
    labels,
    sumOf(told, ({ handles }) => handles),
  )
  families.add(
    'supervise_http_requests_in_flight',
    labels,
    sumOf(told, ({ inFlight }) => inFlight),
  )
}

/** What would mean nothing as a sum: of the process that stays. */
function addStaying(families: Families, labels: WorkerLabels, worker: WorkerHandle): void {
  const { vitals } = worker
  families.add('supervise_worker_uptime_seconds', labels, worker.uptimeMs() / 1000)
  if (vitals === null) return
  families.add('supervise_worker_heap_limit_bytes', labels, vitals.heapLimitBytes)
  families.add('supervise_worker_event_loop_utilization_ratio', labels, vitals.loopUtilization)
  for (const [statistic, ms] of Object.entries(vitals.loopDelays ?? {}))
    families.add('supervise_worker_event_loop_delay_seconds', { ...labels, statistic }, ms / 1000)
}

/** Null, which is left out, when nothing is known. */
function sumOf<Known>(all: readonly Known[], figure: (one: Known) => number | undefined): number | null {
  const figures = all.map(figure).filter((one) => one !== undefined)
  return figures.length === 0 ? null : figures.reduce((sum, one) => sum + one, 0)
}
