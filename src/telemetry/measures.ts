// What an instance counts of its apps: told by those who know, kept across the supervisor's death, read by metrics and views.

import type { CrashRecord } from '../control/messages.ts'
import type { RolloutOutcome } from '../core/rollout.ts'
import type { RequestCounts } from '../protocol/request-counts.ts'
import { Counters, type SavedCounters } from './counters.ts'
import { Growing, type SavedGrowing } from './growing.ts'
import { MergedMetrics, type SavedMerged } from './merged-metrics.ts'
import type { MetricName } from './metric-table.ts'
import { Percentiles } from './percentiles.ts'
import { SloBook, type MaybePromised, type Present, type SavedObjectives } from './slo-book.ts'
import { RequestBook, type RequestOwner, type SavedRequests } from './request-book.ts'

export interface SavedMeasures {
  readonly counters: SavedCounters
  readonly growing: SavedGrowing
  readonly requests: SavedRequests
  /** Not there where an earlier version has saved them. */
  readonly objectives?: SavedObjectives
  /** Null when there was too much of it. */
  readonly merged?: SavedMerged | null
}

/** A process, by its labels and by the name that no other has. */
export interface Process extends RequestOwner {
  readonly worker: number
  readonly incarnation: string
}

export interface DrainFigures {
  readonly tookMs: number
  readonly requestsCut: number
  readonly connectionsCut: number
}

export type OperationOutcome = 'succeeded' | 'failed'

/** As tables, so that none can be left out. */
const REASONS: Readonly<Record<CrashRecord['reason'], true>> = {
  exit: true,
  signal: true,
  'out-of-memory': true,
  hang: true,
  'start-failure': true,
  liveness: true,
}

const OUTCOMES: Readonly<Record<RolloutOutcome, true>> = {
  promoted: true,
  aborted: true,
  rolledBack: true,
  failed: true,
  superseded: true,
}

export class Measures {
  readonly counters = new Counters()
  readonly requests = new RequestBook()
  /** Of each group's last minute. */
  readonly percentiles = new Percentiles()
  readonly objectives = new SloBook()
  /** What apps count by themselves. */
  readonly merged = new MergedMetrics()
  readonly #growing: Growing
  /** Of this supervisor's own life, and so never saved. */
  readonly #own: Growing
  readonly #changed: () => void
  readonly #gone: () => void

  /**
   * `changed` is called at what happens seldom and should not be lost, `gone` when a process has ended: nobody can tell what
   * it told a second time.
   */
  constructor(changed: () => void = () => {}, gone: () => void = () => {}) {
    this.#gone = gone
    this.#changed = changed
    this.#growing = new Growing(this.counters)
    this.#own = new Growing(this.counters)
  }

  /** What is rare and alarming begins at 0: a series that first appears with its count has not grown to whoever watches it. */
  appBegan(app: string): void {
    for (const outcome of Object.keys(OUTCOMES)) this.counters.add('supervise_rollouts_total', { app, outcome }, 0)
  }

  workerBegan(process: Process): void {
    const labels = ownerLabels(process)
    for (const reason of Object.keys(REASONS))
      this.counters.add('supervise_worker_crashes_total', { ...labels, reason }, 0)
    this.counters.add('supervise_drain_requests_cut_total', labels, 0)
    this.counters.add('supervise_drain_connections_cut_total', labels, 0)
  }

  workerReady(process: Process, startMs: number): void {
    this.counters.time('supervise_worker_start_duration_seconds', ownerLabels(process), startMs / 1000)
  }

  workerCrashed(process: Process, reason: string): void {
    this.#count('supervise_worker_crashes_total', { ...ownerLabels(process), reason })
  }

  workerRestarted(owner: RequestOwner): void {
    this.#count('supervise_worker_restarts_total', ownerLabels(owner))
  }

  /** It tells nothing any more. */
  workerGone({ incarnation }: Process): void {
    this.#gone()
    this.requests.forget(incarnation)
    this.#growing.forget(incarnation)
    this.merged.forget(incarnation)
  }

  /**
   * The processes that live: what others had told is let go of. They ended while no supervisor was there, and without this
   * what is saved would grow with each supervisor's life.
   */
  keepOnly(incarnations: ReadonlySet<string>): void {
    this.requests.keepOnly(incarnations)
    this.#growing.keepOnly(incarnations)
    this.merged.keepOnly(incarnations)
  }

  drained(process: Process, { tookMs, requestsCut, connectionsCut }: DrainFigures): void {
    const labels = ownerLabels(process)
    this.counters.time('supervise_drain_duration_seconds', labels, tookMs / 1000)
    this.#count('supervise_drain_requests_cut_total', labels, requestsCut)
    this.#count('supervise_drain_connections_cut_total', labels, connectionsCut)
  }

  /** A process that was killed in its drain tells nothing; these it had under way by its last word. */
  cutUntold(process: Process, requests: number): void {
    this.#count('supervise_drain_requests_cut_total', ownerLabels(process), requests)
  }

  operationEnded(app: string, operation: string, outcome: OperationOutcome, tookMs: number): void {
    this.#count('supervise_operations_total', { app, operation, outcome })
    this.counters.time('supervise_operation_duration_seconds', { app, operation }, tookMs / 1000)
  }

  flipped(app: string, tookMs: number): void {
    this.counters.time('supervise_flip_duration_seconds', { app }, tookMs / 1000)
  }

  rolloutEnded(app: string, outcome: string): void {
    this.#count('supervise_rollouts_total', { app, outcome })
  }

  probed(labels: Readonly<Record<'app' | 'probe' | 'target' | 'outcome', string>>): void {
    this.#count('supervise_probes_total', labels)
  }

  rehearsed(app: string, kind: string): void {
    this.#count('supervise_chaos_faults_total', { app, kind })
  }

  /** A process did not say in time what its app counts. */
  mergeTimedOut(owner: RequestOwner): void {
    this.counters.add('supervise_merge_timeouts_total', ownerLabels(owner))
  }

  /** What this supervisor has passed on of an app in its life so far. */
  linesWritten(app: string, stream: string, { lines, bytes }: Readonly<Record<'lines' | 'bytes', number>>): void {
    const whose = linesOf(app, stream)
    this.#own.tell('supervise_log_lines_total', { app, stream }, whose, lines)
    this.#own.tell('supervise_log_bytes_total', { app, stream }, whose, bytes)
  }

  linesDropped(lines: number): void {
    this.#own.tell('supervise_log_dropped_lines_total', {}, 'supervisor', lines)
  }

  /** This supervisor follows one that died, and may itself die in a moment. */
  supervisorRestarted(): void {
    this.counters.add('supervise_supervisor_restarts_total', {})
    this.#gone()
  }

  /** Whether another supervisor was to take over, and did. */
  supervisorUpgraded(outcome: 'upgraded' | 'refused'): void {
    this.counters.add('supervise_supervisor_upgrades_total', { outcome })
    if (outcome === 'upgraded') this.#gone()
  }

  controlRequest(method: string, status: number): void {
    const labels = { method, status_class: `${Math.floor(status / 100)}xx` }
    this.counters.add('supervise_control_requests_total', labels)
  }

  /** What a process says of its life so far. */
  told(process: Process, name: MetricName, value: number): void {
    this.#growing.tell(name, ownerLabels(process), process.incarnation, value)
  }

  /** Of the process and its children so far. */
  cpuTaken(process: Process, seconds: number): void {
    const name: MetricName = 'supervise_worker_cpu_seconds_total'
    this.#growing.tellTogether(name, workerLabels(process), process.incarnation, seconds)
  }

  answered(process: Process, counts: RequestCounts, promised: MaybePromised, nowMs: number): void {
    const growth = this.requests.take(process, process.incarnation, counts)
    this.percentiles.add(process, growth, nowMs)
    this.objectives.add(process.app, growth, promised, nowMs)
  }

  /** Requests that a crash has cut: some the process has counted as aborted, others it could not tell of any more. */
  // oxlint-disable-next-line max-params -- as `answered`
  cutByCrash(
    process: Process,
    { told, untold }: { readonly told: number; readonly untold: number },
    promised: MaybePromised,
    nowMs: number,
  ): void {
    if (untold > 0) this.requests.addAborted(process, untold)
    this.objectives.addFailed(process.app, { told, untold }, promised, nowMs)
  }

  /** One of the same name that comes later begins at 0. */
  forgetApp(app: string): void {
    for (const stream of ['stdout', 'stderr']) this.#own.forget(linesOf(app, stream))
    this.counters.forgetApp(app)
    this.requests.forgetApp(app)
    this.percentiles.forgetApp(app)
    this.objectives.forgetApp(app)
    this.merged.forgetApp(app)
  }

  save(present: Present): SavedMeasures {
    return {
      counters: this.counters.save(),
      growing: this.#growing.save(),
      requests: this.requests.save(),
      objectives: this.objectives.save(present),
      merged: this.merged.save(),
    }
  }

  restore({ counters, growing, requests, objectives, merged }: SavedMeasures, present: Present): void {
    this.merged.restore(merged)
    this.objectives.restore(objectives, present)
    this.counters.restore(counters)
    this.#growing.restore(growing)
    this.requests.restore(requests)
  }

  #count(name: MetricName, labels: Readonly<Record<string, string>>, by = 1): void {
    this.counters.add(name, labels, by)
    this.#changed()
  }
}

function linesOf(app: string, stream: string): string {
  return `lines ${app} ${stream}`
}

export function ownerLabels({ app, group, release }: RequestOwner): Record<'app' | 'group' | 'release', string> {
  return { app, group, release }
}

export function workerLabels(process: Process): Record<'app' | 'group' | 'release' | 'worker', string> {
  return { ...ownerLabels(process), worker: String(process.worker) }
}
