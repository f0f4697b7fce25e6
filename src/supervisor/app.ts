// One app: its groups, its listeners, what it was configured with, and what its workers say.

import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import type { AppState, CrashRecord, OperationResult, WorkerStep } from '../control/messages.ts'
import type { LifeState } from '../core/worker-lifecycle.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { EventDraft, EventLevel } from '../telemetry/events.ts'
import type { WorkerOutput } from '../telemetry/worker-output.ts'
import { closeListeners, closeUnused } from './app-listeners.ts'
import { AppReports, type Explanation } from './app-reports.ts'
import { CommandSockets } from './command-sockets.ts'
import type { Clock } from './clock.ts'
import { Group, type GroupOwner, type RestartKind } from './group.ts'
import { HealthWatch, type HealthOwner, type LimitName } from './health-watch.ts'
import type { Instance } from './instance.ts'
import type { LaunchSteps } from './launch.ts'
import type { Hello } from './link-desk.ts'
import { Lending } from './lending.ts'
import { OperationRunner } from './operation-runner.ts'
import { removeEndpoints } from './private-endpoint.ts'
import { drainStep } from './replacement.ts'
import { Preview, standbyEndpoints } from './preview.ts'
import { Routing } from './routing.ts'
import { isCrash, type WorkerExit } from './worker-exit.ts'
import type { Identity, WorkerChannel, WorkerHandle } from './worker-handle.ts'
import { WorkerFactory, type Found } from './worker-factory.ts'
import { WorkerOutputs } from './worker-outputs.ts'
import { WorkerVoices } from './worker-voices.ts'
import { isSameSource, numberAfter, type Generation } from './worker-spec.ts'

const LONGEST_WITHDRAWAL_MS = 1000

export class App implements GroupOwner, HealthOwner {
  readonly name: string
  readonly startedAt = new Date().toISOString()
  readonly clock: Clock
  readonly lending: Lending
  readonly sockets: CommandSockets
  readonly operations: OperationRunner
  readonly outputs: WorkerOutputs
  readonly groups: { blue: Group | null; green: Group | null }
  active: GroupName = 'blue'
  readonly routing: Routing
  readonly preview: Preview
  source: ConfigSource
  /** Ended by a person's will, or never started. */
  isStopped = true
  /** Its workers were taken over from an earlier supervisor, or are about to be; null once they are of this one's making. */
  adoption: Promise<OperationResult> | null = null
  /** Why its last start failed; null when it did not. */
  failure: string | null = null
  #lastGeneration: number
  readonly #instance: Instance
  readonly reports: AppReports
  readonly #health: HealthWatch
  readonly #voices: WorkerVoices
  readonly #factory: WorkerFactory

  constructor(name: string, source: ConfigSource, generation: Generation, wanted: number, instance: Instance) {
    this.name = name
    this.source = source
    this.clock = instance.clock
    this.#instance = instance
    this.reports = new AppReports(name, instance)
    this.#lastGeneration = generation.number
    const notice = (text: string) => this.record('listenNotice', text, 'sockets', 'warn')
    this.sockets = new CommandSockets(instance.places.inherited, notice)
    this.lending = new Lending(
      this.clock,
      () => this.config,
      (text) => this.record('portShared', text, 'sockets', 'warn'),
      instance.places.inherited,
    )
    this.routing = new Routing(this)
    this.preview = new Preview(
      () => standbyEndpoints(this),
      (problem) => this.record('previewFailed', problem, 'option preview', 'warn'),
    )
    this.operations = new OperationRunner(name, this.clock, (...ended) => this.reports.operationEnded(...ended))
    this.outputs = new WorkerOutputs(name, (record) => this.#instance.log(record))
    this.#health = new HealthWatch(this, instance)
    this.#factory = new WorkerFactory(instance, this.sockets, (hello, channel) => this.hello(hello, channel))
    this.#voices = new WorkerVoices(this.lending, this.routing, this.clock, this.reports)
    this.groups = { blue: null, green: null }
    this.active = generation.group
    this.groups[this.active] = new Group(this.active, generation, wanted, this)
  }

  // ---- looking --------------------------------------------------------------------------------------

  get activeGroup(): Group {
    return this.groups[this.active] as Group
  }

  /** The other group, warm or on its way in or out; null when there is one alone. */
  get standbyGroup(): Group | null {
    return this.groups[this.standby]
  }

  get standby(): GroupName {
    return this.active === 'blue' ? 'green' : 'blue'
  }

  get config(): AppConfig {
    return this.activeGroup.generation.config
  }

  crashes(last: number): readonly CrashRecord[] {
    return this.#instance.crashDesk.books.recent(this.name, last)
  }

  get groupSecret(): string | null {
    return this.config.groupHeader
  }
  bothGroups(): readonly Group[] {
    return [this.groups.blue, this.groups.green].filter((group) => group !== null)
  }

  *processes(): Iterable<WorkerHandle> {
    for (const group of this.bothGroups()) yield* group.processes()
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
    return (this.#lastGeneration = numberAfter(this.#lastGeneration, [...this.bothGroups(), ...this.processes()]))
  }

  readConfig(elsewhere?: Parameters<Instance['readConfig']>[1]): Promise<AppConfig> {
    return this.#instance.readConfig(this.source, elsewhere)
  }

  generationChanged(): void {
    this.#instance.saveSoon()
    this.#instance.appChanged(this)
  }

  begin(): void {
    this.isStopped = false
    this.failure = null
  }

  /** A place for another release, beside the active one and without public traffic. There must be room for it. */
  addGroup(generation: Generation, wanted: number): Group {
    if (this.groups[generation.group] !== null) throw new Error(`"${this.name}" has a group ${generation.group}`)
    const group = new Group(generation.group, generation, wanted, this)
    this.groups[generation.group] = group
    void this.preview.follow(generation.config.preview)
    return group
  }

  /** Ends the release beside the active one, if it is the named one; false when it stays after all, or has come to serve. */
  async retireStandby(release = this.standbyGroup?.generation.release.id): Promise<boolean> {
    const group = this.standbyGroup
    if (group?.generation.release.id !== release) return release !== this.activeGroup.generation.release.id
    if (group === null) return true
    if (!(await group.stop('drain')) || group !== this.standbyGroup) return this.groups[group.name] !== group
    this.groups[group.name] = null
    this.routing.end()
    this.preview.close()
    closeUnused(this)
    this.generationChanged()
    return true
  }

  /** The other group has the public traffic from now on; its routing is committed already. */
  activate(to: GroupName): void {
    this.active = to
    this.#instance.saveNow()
    this.#instance.appChanged(this)
    for (const worker of this.processes()) {
      worker.handle(worker.generation.group === to ? 'lendWanted' : 'shelveWanted')
    }
  }

  failedToStart(why: string): void {
    this.isStopped = true
    this.failure = why
  }

  /** Ends every process and closes the listeners. */
  async end(how: 'drain' | 'now', gone: (worker: WorkerHandle) => void = () => {}): Promise<void> {
    this.#instance.releases.ends(this)
    const groups = this.bothGroups()
    const leaving = groups.flatMap((group) =>
      [...group.processes()].map(async (worker) => group.whenGone([worker]).then(() => gone(worker))),
    )
    await Promise.all([...groups.map((group) => group.stop(how)), ...leaving])
    closeListeners(this)
    this.groups[this.standby] = null
    this.routing.end()
    this.preview.close()
    this.isStopped = true
    this.#instance.saveSoon()
    this.#instance.releases.stopped(this)
    this.#instance.appChanged(this)
  }

  drainStep(worker: WorkerHandle): WorkerStep {
    return drainStep(worker, this.clock.now())
  }

  record(type: EventDraft['type'], text: string, cause: string, level: EventLevel = 'info'): void {
    this.reports.record(type, text, cause, level)
  }

  /** What a failed start or reload tells a person. */
  explain(failed: { readonly worker: number; readonly why: string } | null): Explanation {
    return this.reports.explain(failed)
  }

  tick(stalledMs: number): void {
    this.#health.tick(this.processes(), stalledMs)
  }

  // ---- what workers say -----------------------------------------------------------------------------

  /** A dialled connection said whose it is. False when nobody waits for such a worker. */
  hello(message: Hello, channel: WorkerChannel): boolean {
    const worker = [...this.processes()].find(({ incarnation }) => incarnation === message.settings.incarnation)
    return worker !== undefined && this.#voices.hello(worker, message, channel)
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
      prepare: ({ config }) => this.sockets.open(config),
      makeOutput: (incarnation) => this.outputs.make(this.#instance.places.outputDirectory, incarnation),
      fork: (identity, output) => this.#fork(identity, output),
    }
  }

  #fork(identity: Identity, output: WorkerOutput): WorkerHandle {
    const group = this.groups[identity.generation.group] as Group
    const worker = this.#factory.fork(this.name, identity, group, output)
    const notice = this.outputs.watch(worker, output)
    if (notice !== null) this.reports.note(worker, 'outputNotice', notice, 'warn')
    this.#voices.expect(worker)
    this.reports.forked(worker)
    this.#instance.saveSoon()
    return worker
  }

  /** A process that an earlier supervisor forked. */
  adopt(identity: Identity, found: Found): WorkerHandle {
    const group = this.groups[identity.generation.group] as Group
    const worker = this.#factory.adopt(identity, group, found)
    const { outputDirectory, handed } = this.#instance.places
    this.outputs.reopen(worker, outputDirectory, handed?.restsOf(worker.incarnation))
    group.adopt(worker)
    if (!worker.hasAgent) this.sockets.adopt(worker.generation.config)
    this.#voices.expect(worker)
    this.#instance.saveSoon()
    return worker
  }

  chance(): number {
    return Math.random()
  }

  lend(worker: WorkerHandle, done: () => void): void {
    if (worker.generation.group !== this.active) return worker.handle('shelved')
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
      this.reports.note(worker, 'workerDrains', 'takes nothing new and finishes what it has', 'debug')
    }
    // The drain's time runs already: a borrower that is slow to answer must not use it up. Connections wait meanwhile.
    const cancel = this.clock.wakeAt(this.clock.now() + LONGEST_WITHDRAWAL_MS, letGo)
    void this.lending.withdraw(worker.incarnation).then(letGo)
  }

  shelve(worker: WorkerHandle): void {
    this.lending.shelve(worker.incarnation)
  }

  settle(worker: WorkerHandle, done: () => void): void {
    this.lending.workerGone(worker.incarnation)
    this.routing.gone(worker)
    removeEndpoints(this.#instance.places.endpointDirectory, worker.incarnation)
    this.outputs.settle(worker, done)
  }

  moved(worker: WorkerHandle, from: LifeState): void {
    const isFound = worker.state === 'ready' && from === 'starting'
    // Should nobody be there when one ends that is on its way out, it had been asked to.
    if (isFound || !worker.isStaying) this.#instance.saveSoon()
    if (isFound) this.reports.ready(worker)
    this.routing.refresh()
    if (worker.state === 'serving') this.#instance.releases.serves(this, worker)
    // So that the first look at a new process has figures.
    if (worker.state === 'serving') void this.#instance.samples.fresh()
    if (worker.state === 'killing') this.reports.killed(worker)
    this.#instance.appChanged(this)
  }

  exited(worker: WorkerHandle, exit: WorkerExit): string {
    this.#instance.saveSoon()
    if (!isCrash(exit)) return this.reports.ended(worker)
    const crash = this.#instance.crashDesk.take(this, worker, exit, this.#voices.waitsFor(worker))
    const words = this.reports.crashed(worker, crash)
    this.#instance.releases.crashed(this, worker, words)
    return words
  }

  restartPlanned(worker: number, kind: RestartKind, delayMs: number, generation: Generation): void {
    this.reports.restartPlanned(worker, kind, delayMs, generation)
    this.#instance.appChanged(this)
  }

  launchFailed(worker: number, error: Error): void {
    this.reports.launchFailed(worker, error)
  }

  // ---- what the health watch finds ------------------------------------------------------------------

  sampleOf(pid: number) {
    return this.#instance.samples.of(pid)
  }

  async hangs(worker: WorkerHandle): Promise<void> {
    await this.#instance.crashDesk.diagnose(worker)
    this.reports.note(
      worker,
      'workerHangs',
      `its event loop has not answered for ${worker.generation.config.hangTimeoutMs / 1000} s`,
      'error',
    )
  }

  probeFailed(worker: WorkerHandle, problem: string, failures: number): void {
    this.reports.note(
      worker,
      'livenessFailed',
      `${worker.generation.config.liveness?.path} ${problem} (${failures} in a row)`,
      'warn',
    )
  }

  isOverLimit(worker: WorkerHandle, limit: LimitName, value: number): Promise<boolean> {
    return this.#instance.recycle(this, worker, limit, value)
  }
}
