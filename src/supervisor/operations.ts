// What the control API may ask of a running supervisor: one method a command, of the command's name.
// Each refuses with a SuperviseError when the app, the worker or a value is wrong.

import type { LogLevel } from '../config/log-parsers.ts'
import type { SuperviseError } from '../errors.ts'
import type { Family } from '../telemetry/exposition.ts'
import type {
  AppDescription,
  AppSamples,
  ChaosOutlook,
  ChaosRequest,
  ConfigDiff,
  CrashAnswer,
  CrashList,
  EventRecord,
  InstanceStatus,
  LogRecord,
  OperationResult,
  Pong,
  ProgressLine,
  ReleaseStatus,
  ReloadRequest,
  RestartRequest,
  ScaleRequest,
  SignalRequest,
  StartRequest,
  StopRequest,
  UpgradeRequest,
  UpgradeResult,
} from '../control/messages.ts'
import type { DeployRequest, PreviewStatus, RollbackRequest } from '../control/release-messages.ts'
import type { GroupName } from '../protocol/messages.ts'

export interface OperationContext {
  /** Who asked, for the event: `command by root`, `signal SIGHUP`, `watch src/a.js`. */
  readonly cause: string
  /** Sees the operation's lines but its result. Must not throw. */
  readonly progress: (line: ProgressLine) => void
  /** Aborted when whoever asked has gone: what must not go on without them ends. */
  readonly left?: AbortSignal
}

export interface LogQuery {
  readonly app: string | null
  /** By id. */
  readonly release: string | null
  readonly worker: number | null
  readonly stream: 'stdout' | 'stderr' | null
  readonly group: GroupName | null
  /** One process of a worker, such as the one that crashed. */
  readonly pid: number | null
  /** ISO 8601, in UTC and to the millisecond, as records have it. */
  readonly since: string | null
  /** This loud or louder; a line that does not say is `info` on stdout and `error` on stderr. */
  readonly level: LogLevel | null
  /** How many of the latest lines. */
  readonly lines: number
}

export interface EventQuery {
  readonly app: string | null
  readonly lines: number
  /** ISO 8601, in UTC; null is from the first on. */
  readonly since: string | null
  /** Empty is all. */
  readonly types: readonly string[]
}

/** What has been, and what comes from now on; nothing is lost or doubled between the two. */
export interface Feed<Item> {
  readonly recent: readonly Item[]
  /** Calls `listener` for every later item until the returned function is called. */
  follow(listener: (item: Item) => void): () => void
}

/** Moving an app between releases. */
export interface ReleaseOperations {
  history(app: string): readonly ReleaseStatus[]
  /** Refuses when no release is beside the one that serves. */
  preview(app: string): PreviewStatus
  /** Resolves when the new release serves, waits for a person, or was refused. */
  deploy(app: string, request: DeployRequest, context: OperationContext): Promise<OperationResult>
  /** Resolves when the rollout that is under way is decided. */
  watch(app: string, context: OperationContext): Promise<OperationResult>
  flip(app: string, context: OperationContext): Promise<OperationResult>
  rollback(app: string, request: RollbackRequest, context: OperationContext): Promise<OperationResult>
  promote(app: string, context: OperationContext): Promise<OperationResult>
  pause(app: string, context: OperationContext): Promise<OperationResult>
  resume(app: string, context: OperationContext): Promise<OperationResult>
  abort(app: string, context: OperationContext): Promise<OperationResult>
}

/** Rehearsing failures. */
export interface ChaosOperations {
  outlook(app: string, forMs: number): ChaosOutlook
  /** Resolves when it is over, or whoever asked has gone, and everything that can be undone is. */
  run(app: string, request: ChaosRequest, context: OperationContext): Promise<OperationResult>
}

export interface CrashOperations {
  /** One record, by its id. */
  crash(id: string): CrashAnswer
}

export interface Condition {
  readonly ok: boolean
  /** In words. */
  readonly why: string
}

/** As load balancers and orchestrators ask for it. */
export interface Health {
  readonly live: Condition
  /** Every app has come up once, or was given up. */
  readonly started: Condition
  /** Every app that is not stopped serves. */
  readonly ready: Condition
}

/** Figures of all apps. */
export interface MetricOperations {
  /** Of one app, or with null of all and the instance itself. Throws for an app that is unknown. */
  families(app: string | null): Promise<readonly Family[]>
  /** The same as Prometheus reads it. */
  expose(app: string | null): Promise<{ readonly text: string; readonly contentType: string }>
  health(): Health
  /** One was answered. */
  controlRequest(method: string, status: number): void
}

/** Being followed by another supervisor. */
export interface UpgradeOperations {
  /** Resolves when the new one has everything, or could have it; rejects when this one is in charge as before. */
  upgrade(request: UpgradeRequest, cause: string): Promise<UpgradeResult>
  /** Resolves at once, but for the moments of a hand-over; rejects when another supervisor is in charge. */
  whenInCharge(): Promise<void>
  /** Told once another supervisor has everything: what this one would still answer never comes. Returns what unsubscribes. */
  onReplaced(listener: (error: SuperviseError) => void): () => void
}

export interface SupervisorOperations {
  readonly version: string
  readonly upgrades: UpgradeOperations
  readonly metrics: MetricOperations
  readonly releases: ReleaseOperations
  readonly chaos: ChaosOperations
  readonly crashDesk: CrashOperations
  ping(): Pong
  status(): InstanceStatus
  describe(app: string): AppDescription
  /** What its processes took in the last hour. */
  samplesOf(app: string): AppSamples
  crashes(app: string | null): CrashList
  diff(app: string): Promise<ConfigDiff>
  logs(query: LogQuery): Feed<LogRecord>
  /** Opens the log files of one app, or with null all of them, by their names again; resolves with the paths. */
  reopenLogs(app: string | null): Promise<readonly string[]>
  events(query: EventQuery): Promise<Feed<EventRecord>>

  start(request: StartRequest, context: OperationContext): Promise<readonly OperationResult[]>
  /** Starts an app that was stopped. */
  resume(app: string, context: OperationContext): Promise<OperationResult>
  reload(app: string, request: ReloadRequest, context: OperationContext): Promise<OperationResult>
  restart(app: string, request: RestartRequest, context: OperationContext): Promise<OperationResult>
  scale(app: string, request: ScaleRequest, context: OperationContext): Promise<OperationResult>
  stop(app: string, request: StopRequest, context: OperationContext): Promise<OperationResult>
  delete(app: string, context: OperationContext): Promise<OperationResult>
  signal(app: string, request: SignalRequest, context: OperationContext): Promise<OperationResult>
  /** Stops every app and ends the instance. */
  shutdown(request: StopRequest, context: OperationContext): Promise<readonly OperationResult[]>
}
