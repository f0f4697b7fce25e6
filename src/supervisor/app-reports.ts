// What is told of one app and its workers: events, crash records, and why the last start of a worker failed.

import type { AppConfig } from '../config/app-config.ts'
import type { EventDraft, EventLevel, EventLog } from '../telemetry/events.ts'
import { drainWords, lossWords, restartNotice } from './ending-words.ts'
import type { CrashDescription } from './instance.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Why something failed, for people: one sentence, what to do, and the lines that show it. */
export interface Explanation {
  readonly text: string
  readonly advice: string | null
  readonly lines: readonly string[]
}

export class AppReports {
  /** By worker id: of several that fail together, each for itself. */
  readonly #lastCrash = new Map<number, CrashDescription>()
  readonly #app: string
  readonly #events: EventLog

  constructor(app: string, events: EventLog) {
    this.#app = app
    this.#events = events
  }

  record(type: string, text: string, cause: string, level: EventLevel = 'info'): void {
    this.#events.record({ type, app: this.#app, text, cause }, level)
  }

  /** An event of one process. */
  // oxlint-disable-next-line max-params
  note(worker: WorkerHandle, type: string, text: string, level: EventLevel = 'info', data?: EventDraft['data']): void {
    const { generation, id, pid } = worker
    const { release, group } = generation
    const whose = { app: this.#app, group, release: release.id, worker: id, pid }
    const told = { type, ...whose, text: `worker ${id} ${text}`, cause: 'worker' }
    this.#events.record(data === undefined ? told : { ...told, data }, level)
  }

  /** Returns what it was in words. */
  ended(worker: WorkerHandle): string {
    this.note(worker, 'workerExited', `ended as asked${drainWords(worker)}`)
    return 'ended as asked'
  }

  /** Returns what it was in words. */
  crashed(worker: WorkerHandle, crash: CrashDescription): string {
    const { record } = crash
    this.#lastCrash.set(worker.id, crash)
    const { id, fingerprint, reason, code, signal } = record
    const data = { crash: id, fingerprint, reason, code, signal }
    this.note(worker, 'workerCrashed', `${record.words}${lossWords(worker)}`, 'error', data)
    return record.words
  }

  restartPlanned(worker: number, kind: 'backoff' | 'failed' | 'ended', delayMs: number, config: AppConfig): void {
    const { type, text, level } = restartNotice(worker, kind, delayMs, config)
    this.#events.record({ type, app: this.#app, worker, text, cause: `policy restart ${config.restart}` }, level)
  }

  launchFailed(worker: number, error: Error): void {
    this.#lastCrash.delete(worker)
    const text = `cannot start a process: ${error.message}`
    this.#events.record({ type: 'launchFailed', app: this.#app, worker, text, cause: 'system' }, 'error')
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
