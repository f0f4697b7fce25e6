// What is known of processes that hang or have crashed, from the moment it can be seen to the record that is kept.

import { join } from 'node:path'
import type { CrashAnswer, CrashList } from '../control/messages.ts'
import { unknownCrash } from '../errors/app.ts'
import { makeDirectories } from '../config/make-directories.ts'
import { diagnose } from '../telemetry/diagnosis.ts'
import { DiagnosticFiles } from '../telemetry/diagnostic-files.ts'
import type { Samples } from '../telemetry/samples.ts'
import { LOOK_EVERY_MS, VitalsHistory } from '../telemetry/vitals-history.ts'
import type { App } from './app.ts'
import type { Clock } from './clock.ts'
import { CrashBooks } from './crash-books.ts'
import { describeCrash } from './crash-description.ts'
import type { CrashDescription } from './instance.ts'
import type { WorkerExit } from './worker-exit.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Apps may write reports whenever they like, and crash never. */
const PRUNE_EVERY_MS = 5 * 60_000

export interface CrashSource {
  readonly samples: Samples
  readonly clock: Pick<Clock, 'now'>
}

export class CrashDesk {
  readonly books: CrashBooks
  readonly diagnostics: DiagnosticFiles
  readonly #source: CrashSource
  readonly #processes: () => Iterable<WorkerHandle>
  /** What each process that hung was doing. */
  readonly #doing = new WeakMap<WorkerHandle, string>()
  readonly #histories = new WeakMap<WorkerHandle, VitalsHistory>()
  readonly #timer: NodeJS.Timeout
  readonly #pruning: NodeJS.Timeout

  /** `processes` are those that there are, and looked at. */
  constructor(
    source: CrashSource,
    stateDirectory: string,
    processes: () => Iterable<WorkerHandle>,
    complain: (problem: string) => void,
  ) {
    this.#source = source
    this.#processes = processes
    this.books = new CrashBooks(stateDirectory, complain)
    this.diagnostics = new DiagnosticFiles(join(stateDirectory, 'reports'))
    // Node does not make it. Where it cannot be made there are no reports, and the books complain of the same place.
    try {
      makeDirectories(this.diagnostics.directory)
    } catch {}
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
    this.#pruning = setInterval(() => this.diagnostics.prune(), PRUNE_EVERY_MS).unref()
  }

  /** Notes what a process that hangs is doing, before it is ended. */
  async diagnose(worker: WorkerHandle): Promise<void> {
    const doing = await diagnose(worker.pid)
    if (doing !== null) this.#doing.set(worker, doing)
  }

  /** Describes the crash and keeps its record. */
  take(app: App, worker: WorkerHandle, exit: WorkerExit, waitedFor: string | null): CrashDescription {
    const { samples, clock } = this.#source
    const { report, snapshots } = this.diagnostics.claim(worker.pid, performance.timeOrigin + worker.startedAt)
    this.#lookAt(worker)
    const described = describeCrash({
      app: app.name,
      worker,
      exit,
      stderr: app.outputs.tailOf(worker),
      sample: samples.of(worker.pid),
      curve: this.#histories.get(worker)?.curve(clock.now()) ?? [],
      reportPath: report,
      heapSnapshots: snapshots,
      waitedFor,
      doing: this.#doing.get(worker) ?? null,
      kernelKilled: exit.signal === 'SIGKILL' ? samples.kernelKills.grewLately() : null,
    })
    return { ...described, record: this.books.add(described.record) }
  }

  /** Of one app, or of all that are remembered. */
  list(app: string | null): CrashList {
    const crashes = app === null ? this.books.allRecent() : this.books.recent(app)
    return { groups: this.books.groups(app), crashes }
  }

  /** One record, by its id. */
  crash(id: string): CrashAnswer {
    const crash = this.books.find(id)
    if (crash === null) throw unknownCrash(id)
    const group = this.books.groups(crash.app).find(({ fingerprint }) => fingerprint === crash.fingerprint)
    return { crash, group: group ?? null }
  }

  close(): void {
    clearInterval(this.#timer)
    clearInterval(this.#pruning)
    this.books.close()
  }

  #look(): void {
    for (const worker of this.#processes()) this.#lookAt(worker)
  }

  #lookAt(worker: WorkerHandle): void {
    if (worker.vitals === null) return
    const history = this.#histories.get(worker) ?? new VitalsHistory()
    this.#histories.set(worker, history)
    const { samples, clock } = this.#source
    history.add(clock.now(), worker.vitals, samples.of(worker.pid)?.rssBytes ?? null)
  }
}
