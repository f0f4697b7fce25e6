// What is told of one app and its workers: events, crash records, and why the last start of a worker failed.

import { basename } from 'node:path'
import type { EventType } from '../config/event-types.ts'
import type { CrashRecord } from '../control/messages.ts'
import type { OperationKind } from '../core/operation-queue.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import type { EventDraft, EventLevel, EventLog } from '../telemetry/events.ts'
import type { Measures, Process } from '../telemetry/measures.ts'
import type { Clock } from './clock.ts'
import { requestsCutWith } from './cut-requests.ts'
import { drainData, drainWords, killWords, lossWords, restartNotice } from './ending-words.ts'
import type { CrashDescription } from './instance.ts'
import type { RestartKind } from './group.ts'
import { RolloutTraces } from './rollout-traces.ts'
import { TraceReports } from './trace-reports.ts'
import type { MergeDesk } from './merge-desk.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { Generation } from './worker-spec.ts'

/** Why something failed, for people: one sentence, what to do, and the lines that show it. */
export interface Explanation {
  readonly text: string
  readonly advice: string | null
  readonly lines: readonly string[]
}

/** Whom it is told to. */
export interface Telling {
  readonly eventLog: EventLog
  readonly measures: Measures
  readonly clock: Clock
  readonly metrics: { readonly merge: Pick<MergeDesk, 'greet' | 'heard'> }
}

export class AppReports {
  readonly #gone = new WeakSet<WorkerHandle>()
  /** By worker id: of several that fail together, each for itself. */
  readonly #lastCrash = new Map<number, CrashDescription>()
  readonly #app: string
  readonly #events: EventLog
  readonly #measures: Measures
  readonly #clock: Clock
  readonly traces = new TraceReports((...event) => this.record(...event))
  readonly rolloutTraces: RolloutTraces
  readonly #merge: Pick<MergeDesk, 'greet' | 'heard'>

  constructor(app: string, { eventLog, measures, clock, metrics }: Telling) {
    this.#app = app
    this.#events = eventLog
    this.#measures = measures
    this.#clock = clock
    measures.appBegan(app)
    this.rolloutTraces = new RolloutTraces(app, clock, this.traces)
    this.#merge = metrics.merge
  }

  record(type: EventType, text: string, cause: string, level: EventLevel = 'info'): void {
    this.#events.record({ type, app: this.#app, text, cause }, level)
  }

  /** An event of one process. */
  // oxlint-disable-next-line max-params
  note(
    worker: WorkerHandle,
    type: EventType,
    text: string,
    level: EventLevel = 'info',
    data?: EventDraft['data'],
  ): void {
    const { generation, id, pid } = worker
    const { release, group } = generation
    const whose = { app: this.#app, group, release: release.id, worker: id, pid }
    const told = { type, ...whose, text: `worker ${id} ${text}`, cause: 'worker' }
    this.#events.record(data === undefined ? told : { ...told, data }, level)
  }

  /** What a worker says of its figures. */
  heard(worker: WorkerHandle, message: WorkerMessage): void {
    // Its counts were closed: taken for those of a new process, they would be added again.
    if (this.#gone.has(worker)) return
    const process = this.#processOf(worker)
    if (message.type === 'tracing') return this.traces.heard(worker.incarnation, message)
    if (message.type === 'answers')
      return this.#measures.answered(process, message, worker.generation.config.slo, this.#clock.now())
    if (message.type === 'appMetrics') return this.#merge.heard(worker, message)
    if (message.type === 'metricsOffered') {
      this.#measures.merged.offered(worker.incarnation)
      return this.#merge.greet(worker)
    }
    if (message.type !== 'vitals') return
    const { forwarded = 0, forwardRetries = 0, forwardFailures = 0, gcMs = 0 } = message
    this.#measures.told(process, 'supervise_forwarded_requests_total', forwarded)
    this.#measures.told(process, 'supervise_forward_retries_total', forwardRetries)
    this.#measures.told(process, 'supervise_forward_failures_total', forwardFailures)
    this.#measures.told(process, 'supervise_worker_gc_seconds_total', gcMs / 1000)
  }

  forked(worker: WorkerHandle): void {
    this.note(worker, 'workerForked', `runs ${basename(worker.generation.config.script)}`, 'debug')
    this.#measures.workerBegan(this.#processOf(worker))
  }

  ready(worker: WorkerHandle): void {
    // How long it took is not known of one that was found: it may have served for days.
    if (worker.adopted) return this.note(worker, 'workerReady', 'is ready')
    const tookMs = worker.uptimeMs()
    this.note(worker, 'workerReady', `ready after ${Math.round(tookMs)} ms`)
    this.#measures.workerReady(this.#processOf(worker), tookMs)
    this.#merge.greet(worker)
  }

  killed(worker: WorkerHandle): void {
    this.note(worker, 'workerKilled', `sent SIGKILL: ${killWords(worker)}`, 'warn')
  }

  operationEnded(kind: OperationKind, isOk: boolean, tookMs: number): void {
    this.#measures.operationEnded(this.#app, kind, isOk ? 'succeeded' : 'failed', tookMs)
  }

  flipped(tookMs: number): void {
    this.#measures.flipped(this.#app, tookMs)
  }

  rolloutEnded(outcome: string): void {
    this.#measures.rolloutEnded(this.#app, outcome)
  }

  /** Returns what it was in words. */
  ended(worker: WorkerHandle): string {
    this.#end(worker)
    this.note(worker, 'workerExited', `ended as asked${drainWords(worker)}`, 'info', drainData(worker))
    return 'ended as asked'
  }

  /** Returns what it was in words. */
  crashed(worker: WorkerHandle, crash: CrashDescription): string {
    const { record } = crash
    this.#end(worker)
    this.#measures.workerCrashed(this.#processOf(worker), record.reason)
    const { slo } = worker.generation.config
    this.#measures.cutByCrash(this.#processOf(worker), requestsCutWith(worker), slo, this.#clock.now())
    this.#lastCrash.set(worker.id, crash)
    const { id, fingerprint, reason, code, signal } = record
    const data = { crash: id, fingerprint, reason, code, signal, ...drainData(worker) }
    this.note(worker, 'workerCrashed', `${record.words}${lossWords(worker)}`, 'error', data)
    return record.words
  }

  /** It ended while no supervisor was there. */
  lost(process: Process, pid: number, record: CrashRecord): void {
    this.#measures.workerCrashed(process, record.reason)
    const { app, group, release, worker } = process
    const { id, fingerprint, reason, code, signal, words } = record
    const data = { crash: id, fingerprint, reason, code, signal }
    const text = `worker ${worker} ${words}`
    const told = {
      type: 'workerCrashed',
      app,
      group,
      release,
      worker,
      pid,
      text,
      cause: 'supervisor start',
      data,
    } as const
    this.#events.record(told, 'error')
  }

  restartPlanned(worker: number, kind: RestartKind, delayMs: number, generation: Generation): void {
    const { type, text, level } = restartNotice(worker, kind, delayMs, generation.config)
    this.#events.record(
      { type, app: this.#app, worker, text, cause: `policy restart ${generation.config.restart}` },
      level,
    )
  }

  /** What was planned is done: a stop in between would have cancelled it. */
  restarted({ release, group }: Generation): void {
    this.#measures.workerRestarted({ app: this.#app, group, release: release.id })
  }

  launchFailed(worker: number, error: Error): void {
    this.#lastCrash.delete(worker)
    const text = `cannot start a process: ${error.message}`
    this.#events.record({ type: 'launchFailed', app: this.#app, worker, text, cause: 'system' }, 'error')
  }

  #end(worker: WorkerHandle): void {
    this.#gone.add(worker)
    this.traces.gone(worker.incarnation)
    const process = this.#processOf(worker)
    if (worker.drainReport !== null) this.#measures.drained(process, worker.drainReport)
    else if (worker.requestsLost > 0) this.#measures.cutUntold(process, worker.requestsLost)
    this.#measures.workerGone(process)
  }

  #processOf({ generation, id, incarnation }: WorkerHandle): Process {
    const { release, group } = generation
    return { app: this.#app, group, release: release.id, worker: id, incarnation }
  }

  /** What a failed start or reload tells a person. */
  explain(failed: { readonly worker: number; readonly why: string } | null): Explanation {
    if (failed === null) return { text: 'it was given up', advice: null, lines: [] }
    const text = `worker ${failed.worker} ${failed.why}`
    const crash = this.#lastCrash.get(failed.worker)
    if (crash === undefined) return { text, advice: null, lines: [] }
    return { text, advice: crash.advice, lines: crash.saysAll ? [] : tellingLines(crash.record.stderr) }
  }
}

/** The last lines of stderr, without the frames of Node itself, which help nobody here. */
function tellingLines(stderr: readonly string[]): readonly string[] {
  return stderr.filter((line) => line.trim() !== '' && !/^ +at .*\(?node:/.test(line)).slice(-12)
}
