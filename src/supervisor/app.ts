// One app: its groups, its listeners, what it was configured with, and what its workers say.

import { basename } from 'node:path'
import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import type { AppState, CrashRecord, OperationResult, WorkerStep } from '../control/messages.ts'
import type { LifeState } from '../core/worker-lifecycle.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { EventLevel } from '../telemetry/events.ts'
import { Ring } from '../telemetry/ring.ts'
import type { WorkerOutput } from '../telemetry/worker-output.ts'
import type { Clock } from './clock.ts'
import { drainWords, killWords, lossWords } from './ending-words.ts'
import { Group, type GroupOwner } from './group.ts'
import { HealthWatch, type HealthOwner } from './health-watch.ts'
import type { CrashDescription, Instance } from './instance.ts'
import type { LaunchSteps } from './launch.ts'
import type { Hello } from './link-desk.ts'
import { Lending } from './lending.ts'
import { OperationRunner } from './operation-runner.ts'
import { removeEndpoints } from './private-endpoint.ts'
import { drainStep } from './replacement.ts'
import { isCrash, type WorkerExit } from './worker-exit.ts'
import type { Identity, WorkerChannel, WorkerHandle } from './worker-handle.ts'
import { WorkerFactory, type Found } from './worker-factory.ts'
import { WorkerOutputs } from './worker-outputs.ts'
import { WorkerVoices } from './worker-voices.ts'
import { isSameSource, type Generation } from './worker-spec.ts'

/** Why something failed, for people: one sentence, what to do, and the lines that show it. */
export interface Explanation {
  readonly text: string
  readonly advice: string | null
  readonly lines: readonly string[]
}

const KEPT_CRASHES = 100
const LONGEST_WITHDRAWAL_MS = 1000

export class App implements GroupOwner, HealthOwner {
  readonly name: string
  readonly clock: Clock
  readonly lending: Lending
  readonly operations: OperationRunner
  readonly outputs: WorkerOutputs
  readonly crashes = new Ring<CrashRecord>({ items: KEPT_CRASHES })
  readonly groups: { blue: Group | null; green: Group | null }
  readonly active: GroupName = 'blue'
  source: ConfigSource
  /** Ended by a person's will, or never started. */
  isStopped = true
  /** Its workers were taken over from an earlier supervisor, or are about to be; null once they are of this one's making. */
  adoption: Promise<OperationResult> | null = null
  /** Why its last start failed; null when it did not. */
  failure: string | null = null
  #lastGeneration: number
  /** By worker id: of several that fail together, each for itself. */
  readonly #lastCrash = new Map<number, CrashDescription>()
  readonly #instance: Instance
  readonly #health: HealthWatch
  readonly #voices: WorkerVoices
  readonly #factory: WorkerFactory

  constructor(name: string, source: ConfigSource, generation: Generation, wanted: number, instance: Instance) {
    this.name = name
    this.source = source
    this.clock = instance.clock
    this.#instance = instance
    this.#lastGeneration = generation.number
    this.lending = new Lending(
      this.clock,
      () => this.config,
      (text) => this.record('portShared', text, 'sockets', 'warn'),
    )
    this.operations = new OperationRunner(name, this.clock)
    this.outputs = new WorkerOutputs(name, (record) => this.#instance.log(record))
    this.#health = new HealthWatch(this)
    this.#factory = new WorkerFactory(instance, (hello, channel) => this.hello(hello, channel))
    this.#voices = new WorkerVoices(this.lending, this.clock, (...said) => this.#note(...said))
    this.groups = { blue: new Group('blue', generation, wanted, this), green: null }
  }

  // ---- looking --------------------------------------------------------------------------------------

  get activeGroup(): Group {
    return this.groups[this.active] as Group
  }

  get config(): AppConfig {
    return this.activeGroup.generation.config
  }

  *processes(): Iterable<WorkerHandle> {
    if (this.groups.blue !== null) yield* this.groups.blue.processes()
    if (this.groups.green !== null) yield* this.groups.green.processes()
  }

  counts(): { serving: number; wanted: number; failed: number } {
    const group = this.activeGroup
    let serving = 0
    let failed = 0
    for (let id = 1; id <= group.wanted; id += 1) {
      const current = group.current(id)
      if (current?.state === 'serving') serving += 1
      else if (current === null && group.places.get(id)?.waiting?.kind === 'failed') failed += 1
    }
    return { serving, wanted: group.wanted, failed }
  }

  /** Typed again after the supervisor was killed, the same start is what took the workers over. */
  takenOverBy(source: ConfigSource): Promise<OperationResult> | null {
    return this.isStopped || !isSameSource(source, this.source) ? null : this.adoption
  }

  /** ` on 0.0.0.0:3000, /run/app.sock`, or nothing for an app that does not listen. */
  placesInWords(): string {
    const places = this.lending
      .status()
      .map(({ address, port, path }) => path ?? `${address?.includes(':') === true ? `[${address}]` : address}:${port}`)
    return places.length === 0 ? '' : ` on ${places.join(', ')}`
  }

  get state(): AppState {
    const operation = this.operations.current?.kind
    if (operation === 'stop') return 'stopping'
    if (operation === 'start') return 'starting'
    if (this.isStopped) return this.failure === null ? 'stopped' : 'failed'
    if (operation === 'reload' || operation === 'restart' || operation === 'recycle') return 'reloading'
    const { serving, wanted, failed } = this.counts()
    if (serving >= wanted) return 'online'
    return serving === 0 && failed === wanted ? 'failed' : 'degraded'
  }

  // ---- what operations need -------------------------------------------------------------------------

  nextGenerationNumber(): number {
    this.#lastGeneration += 1
    return this.#lastGeneration
  }

  readConfig(): Promise<AppConfig> {
    return this.#instance.readConfig(this.source)
  }

  generationChanged(): void {
    this.#instance.saveSoon()
    this.#instance.appChanged(this)
  }

  begin(): void {
    this.isStopped = false
    this.failure = null
  }

  failedToStart(why: string): void {
    this.isStopped = true
    this.failure = why
  }

  /** Ends every process and closes the listeners. */
  async end(how: 'drain' | 'now', gone: (worker: WorkerHandle) => void = () => {}): Promise<void> {
    const groups = [this.groups.blue, this.groups.green].filter((group) => group !== null)
    const leaving = groups.flatMap((group) =>
      [...group.processes()].map(async (worker) => group.whenGone([worker]).then(() => gone(worker))),
    )
    await Promise.all([...groups.map((group) => group.stop(how)), ...leaving])
    this.lending.closeAll()
    this.isStopped = true
    this.#instance.saveSoon()
    this.#instance.appChanged(this)
  }

  drainStep(worker: WorkerHandle): WorkerStep {
    return drainStep(worker, this.clock.now())
  }

  record(type: string, text: string, cause: string, level: EventLevel = 'info'): void {
    this.#instance.eventLog.record({ type, app: this.name, text, cause }, level)
  }

  /** What a failed start or reload tells a person. */
  explain(failed: { readonly worker: number; readonly why: string } | null): Explanation {
    if (failed === null) return { text: 'it was given up', advice: null, lines: [] }
    const text = `worker ${failed.worker} ${failed.why}`
    const crash = this.#lastCrash.get(failed.worker)
    if (crash === undefined) return { text, advice: null, lines: [] }
    return { text, advice: crash.advice, lines: crash.saysAll ? [] : tellingLines(crash.record.stderr) }
  }

  tick(stalledMs: number): void {
    this.#health.tick(this.processes(), stalledMs)
  }

  // ---- what workers say -----------------------------------------------------------------------------

  /** A dialled connection said whose it is. False when nobody waits for such a worker. */
  hello(message: Hello, channel: WorkerChannel): boolean {
    const worker = [...this.processes()].find(({ incarnation }) => incarnation === message.settings.incarnation)
    if (worker === undefined) return false
    this.#voices.hello(worker, message, channel)
    return true
  }

  /** Workers that an earlier supervisor left may dial in: what they listen on must not be bound a second time. */
  beginAdoption(): void {
    this.#voices.beginAdoption()
  }

  get isAdopting(): boolean {
    return this.#voices.isAdopting
  }

  /** Every worker that an earlier supervisor left has said what it has, or was waited for long enough. */
  adoptionOver(): void {
    this.#voices.adoptionOver(!this.isStopped)
  }

  // ---- what groups need -----------------------------------------------------------------------------

  get steps(): LaunchSteps {
    return {
      gate: this.#instance.gate,
      makeOutput: (incarnation) => this.outputs.make(this.#instance.outputDirectory, incarnation),
      fork: (identity, output) => this.#fork(identity, output),
    }
  }

  #fork(identity: Identity, output: WorkerOutput): WorkerHandle {
    const group = this.groups[identity.generation.group] as Group
    const worker = this.#factory.fork(this.name, identity, group, output)
    const notice = this.outputs.watch(worker, output)
    if (notice !== null) this.#note(worker, 'outputNotice', notice, 'warn')
    this.#voices.expect(worker)
    this.#note(worker, 'workerForked', `runs ${basename(identity.generation.config.script)}`, 'debug')
    this.#instance.saveSoon()
    return worker
  }

  /** A process that an earlier supervisor forked. */
  adopt(identity: Identity, found: Found): WorkerHandle {
    const group = this.groups[identity.generation.group] as Group
    const worker = this.#factory.adopt(identity, group, found)
    this.outputs.reopen(worker, this.#instance.outputDirectory)
    group.adopt(worker)
    this.#voices.expect(worker)
    this.#instance.saveSoon()
    return worker
  }

  chance(): number {
    return Math.random()
  }

  lend(worker: WorkerHandle, done: () => void): void {
    this.lending.addBorrower(worker)
    void this.lending.whenServing(worker.incarnation).then(done)
  }

  withdraw(worker: WorkerHandle, done: () => void): void {
    let isOver = false
    const letGo = (): void => {
      if (isOver) return
      isOver = true
      cancel()
      if (worker.state !== 'draining') return done()
      this.lending.letGo(worker.incarnation)
      done()
      this.#note(worker, 'workerDrains', 'takes nothing new and finishes what it has', 'debug')
    }
    // The drain's time runs already: a borrower that is slow to answer must not use it up. Connections wait meanwhile.
    const cancel = this.clock.wakeAt(this.clock.now() + LONGEST_WITHDRAWAL_MS, letGo)
    void this.lending.withdraw(worker.incarnation).then(letGo)
  }

  settle(worker: WorkerHandle, done: () => void): void {
    this.lending.workerGone(worker.incarnation)
    removeEndpoints(worker.endpoints.values())
    this.outputs.settle(worker, done)
  }

  moved(worker: WorkerHandle, from: LifeState): void {
    if (worker.state === 'ready' && from === 'starting') {
      this.#instance.saveSoon()
      this.#note(worker, 'workerReady', `ready after ${Math.round(worker.uptimeMs())} ms`)
    }
    // So that the first look at a new process has figures.
    if (worker.state === 'serving') void this.#instance.samples.fresh()
    if (worker.state === 'killing') this.#note(worker, 'workerKilled', `sent SIGKILL: ${killWords(worker)}`, 'warn')
    this.#instance.appChanged(this)
  }

  exited(worker: WorkerHandle, exit: WorkerExit): string {
    this.#instance.saveSoon()
    if (!isCrash(exit)) {
      this.#note(worker, 'workerExited', `ended as asked${drainWords(worker)}`)
      return 'ended as asked'
    }
    const crash = this.#instance.describeCrash(this, worker, exit, this.#voices.waitsFor(worker))
    const { record } = crash
    this.#lastCrash.set(worker.id, crash)
    this.crashes.push(record)
    this.#note(worker, 'workerCrashed', `${record.words}${lossWords(worker)}`, 'error')
    return record.words
  }

  restartPlanned(worker: number, kind: 'backoff' | 'failed' | 'ended', delayMs: number): void {
    const delay = delayMs < 1000 ? `${delayMs} ms` : `${(delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0)} s`
    const text =
      kind === 'failed'
        ? `worker ${worker} crashed more than ${this.config.maxRestarts} times within ${this.config.restartWindowMs / 1000} s: failed, tried again in ${delay}`
        : kind === 'ended'
          ? `worker ${worker} is not started again (restart: ${this.config.restart})`
          : `worker ${worker} is started again in ${delay}`
    this.#instance.eventLog.record(
      {
        type: kind === 'failed' ? 'workerFailed' : kind === 'ended' ? 'workerEnded' : 'restartPlanned',
        app: this.name,
        worker,
        text,
        cause: `policy restart ${this.config.restart}`,
      },
      kind === 'failed' ? 'error' : 'info',
    )
    this.#instance.appChanged(this)
  }

  launchFailed(worker: number, error: Error): void {
    this.#lastCrash.delete(worker)
    this.#instance.eventLog.record(
      {
        type: 'launchFailed',
        app: this.name,
        worker,
        text: `cannot start a process: ${error.message}`,
        cause: 'system',
      },
      'error',
    )
  }

  // ---- what the health watch finds ------------------------------------------------------------------

  rssBytes(pid: number): number | null {
    return this.#instance.samples.of(pid)?.rssBytes ?? null
  }

  async hangs(worker: WorkerHandle): Promise<void> {
    await this.#instance.diagnose(worker)
    this.#note(
      worker,
      'workerHangs',
      `its event loop has not answered for ${worker.generation.config.hangTimeoutMs / 1000} s`,
      'error',
    )
  }

  probeFailed(worker: WorkerHandle, problem: string, failures: number): void {
    this.#note(
      worker,
      'livenessFailed',
      `${worker.generation.config.liveness?.path} ${problem} (${failures} in a row)`,
      'warn',
    )
  }

  isOverLimit(worker: WorkerHandle, limit: 'maxMemory' | 'maxAge' | 'maxRequests', value: number): Promise<boolean> {
    return this.#instance.recycle(this, worker, limit, value)
  }

  // ---- events ---------------------------------------------------------------------------------------

  #note(worker: WorkerHandle, type: string, text: string, level: EventLevel = 'info'): void {
    const { release, group } = worker.generation
    this.#instance.eventLog.record(
      {
        type,
        app: this.name,
        group,
        release: release.id,
        worker: worker.id,
        pid: worker.pid,
        text: `worker ${worker.id} ${text}`,
        cause: 'worker',
      },
      level,
    )
  }
}

/** The last lines of stderr, without the frames of Node itself, which help nobody here. */
function tellingLines(stderr: readonly string[]): readonly string[] {
  return stderr.filter((line) => line.trim() !== '' && !/^ +at .*\(?node:/.test(line)).slice(-12)
}
