// One instance: its apps, and what the control API, signals and watches may ask of them. One method a command.

import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import { diffConfig } from '../config/diff.ts'
import { readConfig } from '../config/read-config.ts'
import { nearest } from '../config/suggest.ts'
import type {
  AppDescription,
  AppSamples,
  ConfigDiff,
  CrashList,
  EventRecord,
  InstanceStatus,
  LogRecord,
  OperationResult,
  Pong,
  ReloadRequest,
  RestartRequest,
  RolloutStatus,
  ScaleRequest,
  SignalRequest,
  StartRequest,
  StopRequest,
} from '../control/messages.ts'
import { appIsStopped, appNotStopped, instanceIsEnding, unknownApp, appRenamed } from '../errors/app.ts'
import { textOf } from '../errors.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { Samples } from '../telemetry/samples.ts'
import { AlertDesk } from './alert-desk.ts'
import { App } from './app.ts'
import { recycle, reloadBody, restartBody, scaleBody, startBody, stopBody } from './app-operations.ts'
import { appDescription } from './app-status.ts'
import { AppWatches } from './app-watches.ts'
import { BootGate } from './boot-gate.ts'
import { ChaosDesk } from './chaos-desk.ts'
import { CrashDesk } from './crash-desk.ts'
import type { Instance, Places } from './instance.ts'
import { instanceStatus } from './instance-status.ts'
import type { Hello } from './link-desk.ts'
import { MetricsDesk } from './metrics-desk.ts'
import { Occupation } from './occupation.ts'
import { checkNames } from './names-to-start.ts'
import { adoptOrphan, findOrphans, Orphans } from './orphans.ts'
import type {
  EventQuery,
  Feed,
  LogQuery,
  OperationContext,
  SupervisorOperations,
  UpgradeOperations,
} from './operations.ts'
import { NO_UPGRADES } from './no-upgrades.ts'
import { ProbeDesk } from './probe-desk.ts'
import { ReleaseBooks } from './release-books.ts'
import { firstGeneration, lastGoodOf, tellFirst } from './release-start.ts'
import { ReleaseDesk } from './release-desk.ts'
import { SampleDesk } from './sample-desk.ts'
import { signalWorkers } from './signal-workers.ts'
import { StateSaver } from './state-saver.ts'
import { NO_HURRY, StopDesk } from './stop-desk.ts'
import { StoppableClock } from './stoppable-clock.ts'
import type { SupervisorOptions } from './supervisor-options.ts'
import { Ticker } from './ticker.ts'
import type { WorkerChannel, WorkerHandle } from './worker-handle.ts'
import { workerShareBytes } from './worker-share.ts'
import { configAsGiven } from './worker-spec.ts'

export class Supervisor implements SupervisorOperations, Instance {
  readonly name: string
  readonly clock = new StoppableClock()
  readonly gate = new BootGate()
  readonly orphans = new Orphans(this.clock)
  readonly eventLog: EventLog
  readonly resources: SampleDesk
  readonly crashDesk: CrashDesk
  readonly metrics: MetricsDesk
  readonly releases: ReleaseDesk
  readonly probes = new ProbeDesk(this)
  readonly chaos = new ChaosDesk(this)
  readonly places: Places
  upgrades: UpgradeOperations = NO_UPGRADES
  readonly readConfig = readConfig
  readonly recycle = recycle
  readonly workerShareBytes = () => workerShareBytes(this.apps)
  isEnding = false
  isBeginning = true
  readonly #apps = new Map<string, App>()
  readonly #options: SupervisorOptions
  readonly watches: AppWatches
  readonly #saver: StateSaver
  readonly #startedAt = new Date().toISOString()
  readonly #occupation: Occupation
  readonly #alerts: AlertDesk
  readonly #stops: StopDesk
  readonly #ticker: Ticker

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.name = options.name
    this.eventLog = options.events
    this.places = options.places
    const complain = (problem: string) => this.internalError(problem)
    this.metrics = new MetricsDesk(options.stateDirectory, options.logs, complain)
    this.resources = new SampleDesk(
      this.clock,
      () => this.#processes(),
      (samples) => this.metrics.sampled(samples),
    )
    this.crashDesk = new CrashDesk(this, options.stateDirectory, () => this.#processes(), complain)
    this.releases = new ReleaseDesk(
      {
        find: (name) => this.#find(name),
        running: (name, wish) => this.#running(name, wish),
        whileBusy: (body) => this.#occupation.during(body),
      },
      new ReleaseBooks(options.releasesFile, (type, text, level) =>
        options.events.record({ type, app: null, text, cause: 'supervisor' }, level),
      ),
    )
    this.metrics.follow(this)
    this.#alerts = new AlertDesk(this, (name) => this.#apps.get(name)?.config ?? null)
    this.#stops = new StopDesk(this, options.stop ?? NO_HURRY)
    this.#saver = new StateSaver(() => options.save(this.apps, this.isEnding))
    const reload = (app: App, file: string) => this.#reloadBecause(app, `watch ${file}`)
    this.watches = new AppWatches(this.clock, reload, options.places.handed ?? null)
    this.#occupation = new Occupation(() =>
      // In the foreground it lives for its apps; detached until the last of them is deleted.
      options.detached ? this.#apps.size === 0 : this.apps.every((app) => app.isStopped),
    )
    this.#ticker = new Ticker(this.clock, (stalledMs) => this.#tick(stalledMs))
  }

  // ---- looking --------------------------------------------------------------------------------------

  /** Resolves when nothing is left to run. */
  get ended(): Promise<void> {
    return this.#occupation.ended
  }

  get apps(): readonly App[] {
    return [...this.#apps.values()]
  }

  get samples(): Samples {
    return this.resources.samples
  }

  get measures(): Measures {
    return this.metrics.measures
  }

  get version(): string {
    return this.#options.version
  }

  rolloutOf(app: App): RolloutStatus | null {
    return this.releases.statusOf(app)
  }

  ping(): Pong {
    const uptimeSeconds = Math.round(process.uptime() * 10) / 10
    return { instance: this.name, pid: process.pid, version: this.#options.version, uptimeSeconds }
  }

  status(): InstanceStatus {
    return instanceStatus(this, this.#options, this.#startedAt)
  }

  describe(name: string): AppDescription {
    const app = this.#find(name)
    return appDescription(app, this, this.releases.newsOf(app), this.eventLog.feed(name, 20).recent)
  }

  samplesOf(name: string): AppSamples {
    return this.resources.of(this.#find(name))
  }

  crashes(name: string | null): CrashList {
    if (name !== null) this.#find(name)
    return this.crashDesk.list(name)
  }

  async diff(name: string): Promise<ConfigDiff> {
    const app = this.#find(name)
    const { generation } = app.activeGroup
    const config = await app.readConfig(() => (generation.isPinned ? generation.given : null))
    return { app: name, changes: diffConfig(configAsGiven(generation), config) }
  }

  logs(query: LogQuery): Feed<LogRecord> {
    if (query.app !== null) this.#find(query.app)
    return this.#options.logs.feed(query)
  }

  async reopenLogs(app: string | null): Promise<readonly string[]> {
    if (app !== null) this.#find(app)
    return this.#options.logs.reopen(app)
  }

  async events(query: EventQuery): Promise<Feed<EventRecord>> {
    if (query.app !== null) this.#find(query.app)
    return this.eventLog.query(query)
  }

  // ---- acting ---------------------------------------------------------------------------------------

  async start(request: StartRequest, context: OperationContext): Promise<readonly OperationResult[]> {
    const elsewhere = ({ name }: AppConfig) => (request.fresh === true ? null : lastGoodOf(this.releases.books, name))
    // All of them are read before any of them is started: a mistake in one changes nothing.
    const wanted = await Promise.all(
      request.sources.map(async (source) => ({ source, config: await readConfig(source, elsewhere) })),
    )
    this.#refuseWhenEnding()
    checkNames(wanted, this.#apps)
    this.isBeginning = false
    if (request.fresh === true) for (const { config } of wanted) this.releases.books.forget(config.name)
    return this.#occupation.during(() =>
      Promise.all(
        wanted.map(
          ({ source, config }) =>
            this.#apps.get(config.name)?.takenOverBy(source) ?? this.#add(source, config, context),
        ),
      ),
    )
  }

  async resume(name: string, context: OperationContext): Promise<OperationResult> {
    return this.#occupation.during(async () => {
      const config = await this.#stopped(name).readConfig(() => lastGoodOf(this.releases.books, name))
      // Looked at only now: an end, or the same wish of somebody else, may have come while it was read.
      this.#refuseWhenEnding()
      if (config.name !== name) throw appRenamed(name, config.name)
      return this.#add(this.#stopped(name).source, config, context)
    })
  }

  async reload(name: string, request: ReloadRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#running(name, 'reload')
    const cause = request.cause === undefined ? context.cause : `${context.cause}: ${request.cause}`
    return this.#occupation.during(() => app.operations.run('reload', '', { ...context, cause }, reloadBody(app)))
  }

  async restart(name: string, request: RestartRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#running(name, 'restart')
    const subject = request.workers?.toSorted((a, b) => a - b).join(',') ?? 'all'
    return this.#occupation.during(() => app.operations.run('restart', subject, context, restartBody(app, request)))
  }

  async scale(name: string, request: ScaleRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#running(name, 'scale')
    return this.#occupation.during(() => app.operations.run('scale', request.workers, context, scaleBody(app, request)))
  }

  async stop(name: string, request: StopRequest, context: OperationContext): Promise<OperationResult> {
    const app = this.#find(name)
    const stopped = this.#occupation.during(() => app.operations.run('stop', '', context, stopBody(app, request)))
    // A stop that drains may be under way already, and this one is the same to it.
    if (request.now === true) for (const worker of app.processes()) worker.handle('stopWanted')
    return stopped
  }

  async delete(name: string, context: OperationContext): Promise<OperationResult> {
    const app = this.#find(name)
    return this.#occupation.during(async () => {
      const result = await app.operations.run('stop', '', context, stopBody(app, {}))
      this.#forget(app)
      this.releases.books.forget(name)
      this.crashDesk.books.forget(name)
      return { ...result, kind: 'delete', text: 'deleted' }
    })
  }

  async signal(name: string, request: SignalRequest, context: OperationContext): Promise<OperationResult> {
    return signalWorkers(this.#running(name, 'signal'), request, context.cause)
  }

  async shutdown(request: StopRequest, context: OperationContext): Promise<readonly OperationResult[]> {
    this.isEnding = true
    this.saveNow()
    return this.#stops.end(request, context).finally(() => this.#occupation.end())
  }

  // ---- what apps share ------------------------------------------------------------------------------

  log(record: LogRecord): void {
    this.#options.logs.take(record)
  }

  saveSoon(): void {
    this.#saver.soon()
  }

  saveNow(): void {
    this.#saver.now()
  }

  appChanged(app: App): void {
    this.#options.logs.configure(app.name, app.config.log)
    this.watches.follow(app)
    this.#stops.look(app)
  }

  // ---- what the outside says ------------------------------------------------------------------------

  /** A worker dialled in. */
  hello(hello: Hello, channel: WorkerChannel): boolean {
    const app = this.#apps.get(hello.settings.app)
    if (app === undefined) return this.orphans.receive(hello, channel, this.eventLog)
    this.orphans.found(hello.settings.incarnation)
    const isTaken = app.hello(hello, channel) || adoptOrphan(app, hello, channel)
    if (isTaken) this.probes.greet(app, channel)
    return isTaken
  }

  /** An app as an earlier supervisor left it. */
  restore(app: App): void {
    this.#apps.set(app.name, app)
    this.appChanged(app)
  }

  internalError(error: unknown): void {
    this.eventLog.record({ type: 'internalError', app: null, text: textOf(error), cause: 'supervisor' }, 'error')
  }

  /** Stops the instance's own timers and watches. */
  async close(): Promise<void> {
    this.#saver.close()
    this.#ticker.close()
    this.samples.stop()
    this.crashDesk.close()
    this.metrics.close()
    this.releases.books.close()
    await Promise.all([this.watches.close(), this.#alerts.close()])
  }

  // ---- inside ---------------------------------------------------------------------------------------

  async #add(source: ConfigSource, config: AppConfig, context: OperationContext): Promise<OperationResult> {
    const first = firstGeneration(this.releases.books, config)
    const app = new App(config.name, source, first.generation, config.workers, this)
    tellFirst(first, app, this.releases.books, context.cause)
    this.#apps.set(app.name, app)
    this.#options.logs.configure(app.name, config.log)
    app.begin()
    app.beginAdoption()
    await findOrphans(app, this.orphans)
    const result = await app.operations.run('start', '', context, startBody(app))
    if (result.ok) this.releases.started(app)
    this.appChanged(app)
    this.saveSoon()
    return this.releases.withRelease(app, result)
  }

  #forget(app: App): void {
    if (this.#apps.get(app.name) === app) this.#apps.delete(app.name)
    this.watches.forget(app.name)
    this.#options.logs.forget(app.name)
    this.metrics.forget(app.name)
    this.saveSoon()
  }

  #reloadBecause(app: App, cause: string): void {
    this.reload(app.name, {}, { cause, progress: () => {} }).catch((error: unknown) => this.internalError(error))
  }

  #tick(stalledMs: number): void {
    for (const app of this.#apps.values()) app.tick(stalledMs)
    this.probes.tick(this.apps)
  }

  *#processes(): Iterable<WorkerHandle> {
    for (const app of this.#apps.values()) yield* app.processes()
  }

  #find(name: string): App {
    const app = this.#apps.get(name)
    if (app === undefined) throw unknownApp(name, [...this.#apps.keys()], nearest(name, [...this.#apps.keys()]))
    return app
  }

  #stopped(name: string): App {
    const app = this.#find(name)
    if (!app.isStopped) throw appNotStopped(name, app.state)
    return app
  }

  #running(name: string, wish: string): App {
    this.#refuseWhenEnding()
    const app = this.#find(name)
    if (app.isStopped) throw appIsStopped(name, wish)
    return app
  }

  #refuseWhenEnding(): void {
    if (this.isEnding) throw instanceIsEnding(this.name)
  }
}
