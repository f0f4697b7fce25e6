// The whole conversation on the control socket, on one page but for what is about releases (release-messages.ts). Requests
// are HTTP with JSON below /v1; streams and long operations answer with newline-delimited JSON. docs/reference/control-api.md
// tells it to people. The supervisor's own answers are in its words: every folder but agent/ and core/ may import its types.

import type { ConfigSource } from '../config/app-config.ts'
import type { LogLevel } from '../config/log-parsers.ts'
import type { ErrorBody } from '../errors.ts'
import type { GroupName, TracingState } from '../protocol/messages.ts'
import type { ChaosLine, RehearsalStatus } from './chaos-messages.ts'
import type { ConfigDescription } from './config-description.ts'
import type { CrashRecord } from './crash-messages.ts'
import type {
  ChildrenStatus,
  LimitsStatus,
  ObjectiveStatus,
  TrafficStatus,
  WorkerResources,
} from './figure-messages.ts'
import type { ProbeStatus } from './probe-messages.ts'
import type { ReleaseNews, RolloutStage } from './release-messages.ts'
import type { SmokeStatus, WatchStatus } from './watch-status.ts'

export type {
  ChaosLine,
  ChaosOutlook,
  ChaosRequest,
  FaultOutlook,
  FaultStep,
  RehearsalStatus,
} from './chaos-messages.ts'
export type { CrashAnswer, CrashGroup, CrashList, CrashRecord, VitalsPoint } from './crash-messages.ts'
export type {
  AppSamples,
  LimitsStatus,
  ObjectiveStatus,
  Spread,
  TrafficStatus,
  WorkerResources,
  WorkerSeries,
} from './figure-messages.ts'
export type { InstanceStatus, KeptBy, UpgradeRequest, UpgradeResult } from './instance-messages.ts'
export type { ProbeStatus } from './probe-messages.ts'

/** Version of every JSON document that leaves the supervisor or the CLI; added as `schema` where it leaves. */
export const SCHEMA = 1

// ---- what is looked at ---------------------------------------------------------------------------

export type AppState =
  | 'starting' // no worker has been ready yet
  | 'online' // as many workers serve as are wanted
  | 'degraded' // some serve, fewer than wanted
  | 'reloading' // workers are being replaced
  | 'failed' // none serves, and a person must look
  | 'stopping'
  | 'stopped' // by a person's will

export type WorkerState =
  | 'starting'
  | 'ready'
  | 'serving'
  | 'standby'
  | 'draining'
  | 'stopping'
  | 'killing'
  | 'backoff' // exited; waits to start again
  | 'failed' // exited too often; retried slowly
  | 'exited'

export interface WorkerStatus {
  readonly id: number
  readonly pid: number | null
  readonly state: WorkerState
  readonly restarts: number
  readonly crashes: number
  /** Of one CPU, and resident memory: the worker's and its children's together. */
  readonly cpuPercent: number | null
  readonly rssBytes: number | null
  /** Its children's part; null where the system does not say. */
  readonly children: ChildrenStatus | null
  readonly uptimeSeconds: number | null
  readonly connections: number | null
  readonly requests: number | null
  readonly loopDelayMs: number | null
  /** Forked by an earlier supervisor. */
  readonly adopted: boolean
  /** Raised by each reload; all workers of an app that is not reloading have the same. */
  readonly generation: number
  /** When a worker in `backoff` or `failed` is started again, in seconds from now. */
  readonly retryInSeconds: number | null
}

export interface GroupStatus {
  readonly release: string
  readonly version: string | null
  readonly path: string
  readonly role: 'active' | 'standby'
  /** Of all its workers; null when it is not known yet. */
  readonly rssBytes: number | null
  /** Of the last minute; null when nothing was answered in it. */
  readonly traffic: TrafficStatus | null
  readonly workers: readonly WorkerStatus[]
}

export interface ListenerStatus {
  /** An address, or null with `path` for a Unix socket. */
  readonly address: string | null
  readonly port: number | null
  readonly path: string | null
  readonly slots: number
}

export interface OperationStatus {
  readonly kind: 'start' | 'reload' | 'restart' | 'scale' | 'stop' | 'deploy' | 'flip' | 'rollback'
  readonly step: string
  readonly sinceSeconds: number
  readonly queued: boolean
}

export interface AppStatus extends ReleaseNews {
  readonly name: string
  readonly state: AppState
  /** Why it is not online, in words. */
  readonly reason: string | null
  readonly active: GroupName
  readonly instances: number
  readonly listeners: readonly ListenerStatus[]
  readonly operation: OperationStatus | null
  /** The last one as long as there is anything left to do of it. */
  readonly rollout: RolloutStatus | null
  readonly watching: boolean
  /** A rehearsal of failures that is on. */
  readonly rehearsal: RehearsalStatus | null
  /** What the option `probes` has found out, for each place that is asked. */
  readonly probes: readonly ProbeStatus[]
  readonly groups: { readonly blue: GroupStatus | null; readonly green: GroupStatus | null }
}

export interface RolloutStatus {
  /** The release that is moved to, and the one to go back to. */
  readonly release: string
  readonly from: string
  /** Of docs/reference/machines.md. */
  readonly step: string
  readonly sinceSeconds: number
  /** What it waits for, in words. */
  readonly waitsFor: string
  /** When it goes on by itself; null when it does not. */
  readonly dueInSeconds: number | null
  readonly paused: boolean
  readonly outcome: string | null
  readonly why: string | null
  /** From the command to the last worker's answer. */
  readonly flipMs: number | null
  /** While it is watched: what was seen so far. */
  readonly watch: WatchStatus | null
}

/** One release of an app, as `supervise history` lists them. */
export interface ReleaseStatus {
  readonly release: string
  readonly version: string | null
  readonly path: string
  /** The Node binary that it runs with; null is the supervisor's own. */
  readonly node: string | null
  readonly createdAt: string
  readonly deployedBy: string
  /** `next` is what a start begins with, of an app that is stopped. */
  readonly role: 'active' | 'standby' | 'next' | null
  /** How its last rollout ended; null when it has not. */
  readonly outcome: string | null
  readonly why: string | null
  readonly endedAt: string | null
  readonly smoke: SmokeStatus | null
  readonly watch: WatchStatus | null
  /** The hook `contract`, where the release has one to run: `due`, `running`, `done` or `failed`. */
  readonly contract: string | null
}

export interface AppDescription extends AppStatus {
  readonly config: ConfigDescription
  readonly crashes: readonly CrashRecord[]
  readonly events: readonly EventRecord[]
  readonly objectives: readonly ObjectiveStatus[]
  /** Of the last hour, process by process. */
  readonly resources: readonly WorkerResources[]
  readonly limits: LimitsStatus
  readonly tracing: TracingState | null
}

// ---- what happened -------------------------------------------------------------------------------

/** One line of `supervise events`. `type` is a fact in the past tense, such as `workerExited`. */
export interface EventRecord {
  readonly seq: number
  readonly time: string
  readonly type: string
  readonly app: string | null
  readonly group?: GroupName
  readonly release?: string
  readonly worker?: number
  readonly pid?: number
  /** In words, for people. */
  readonly text: string
  /** What caused it: `signal SIGHUP`, `command by root`, `watch src/a.js`, `policy maxMemory`. */
  readonly cause: string
  /** The same for programs: who caused it. */
  readonly actor: {
    readonly kind: 'signal' | 'command' | 'policy' | 'watch' | 'hook' | 'worker' | 'system' | 'supervisor'
    /** Of the signal, the user, the policy, the file, the hook. */
    readonly name: string | null
  }
  readonly data?: Readonly<Record<string, unknown>>
}

/** One record that a worker wrote: a line, or several that belong together, such as a stack trace. */
export interface LogRecord {
  readonly time: string
  readonly app: string
  readonly group: GroupName
  readonly release: string
  readonly worker: number
  readonly pid: number
  readonly stream: 'stdout' | 'stderr'
  readonly line: string
  /** What the line, which is JSON, says of itself. */
  readonly level?: LogLevel
  /** A piece of a line that is longer than 256 KiB; the next record goes on with it. */
  readonly continues?: boolean
}

// ---- what is done --------------------------------------------------------------------------------

/** `POST /v1/apps`: add an app, or the apps of a config file, to this instance and start them. */
export interface StartRequest {
  readonly sources: readonly ConfigSource[]
  /** Forgets what the apps' past releases were, and starts what the sources say. */
  readonly fresh?: boolean
}

export interface ReloadRequest {
  readonly cause?: string
}

export interface RestartRequest {
  /** Ids of the workers to replace; all of them when left out. */
  readonly workers?: readonly number[]
}

export interface ScaleRequest {
  /** `4`, `+1`, `-2` or `max`. */
  readonly workers: string
}

/** `POST /v1/logs/reopen`: something has moved the log files. */
export interface ReopenLogs {
  /** Only this app's; all of them when left out. */
  readonly app?: string
}

export interface SignalRequest {
  readonly signal: string
  readonly workers?: readonly number[]
}

export interface StopRequest {
  /** Do not wait for open requests. */
  readonly now?: boolean
}

/** How one worker fared in an operation; the live progress is drawn from these. */
export interface WorkerStep {
  readonly worker: number
  readonly state:
    | 'waiting'
    | 'starting'
    | 'ready'
    | 'serving'
    | 'draining'
    | 'drained'
    | 'failed'
    | 'stopped'
    | 'restored'
  /** Milliseconds that the new process took to get ready, once it is. */
  readonly readyMs?: number
  /** Milliseconds that the old process took to drain, once it has. */
  readonly drainMs?: number
  readonly served?: number
  readonly requestsCut?: number
  readonly connectionsCut?: number
  /** What it waits for, such as `/readyz`, or why it failed. */
  readonly note?: string
}

/** Answer of every operation on an app. */
export interface OperationResult {
  readonly app: string
  readonly kind: OperationStatus['kind'] | 'signal' | 'delete' | 'rollout' | 'chaos'
  /** Which release it was about, where it was about one. */
  readonly release?: string
  readonly ok: boolean
  /** One sentence: what is so now. */
  readonly text: string
  readonly tookMs: number
  readonly workers: number
  readonly generation: number
  readonly requestsCut: number
  readonly steps: readonly WorkerStep[]
  readonly error: ErrorBody | null
}

/** A long operation, line by line, when `Accept: application/x-ndjson` asks for it; `result` is the last line. */
export type ProgressLine =
  | {
      readonly type: 'begin'
      readonly app: string
      readonly kind: OperationResult['kind']
      readonly text: string
      readonly workers: number
    }
  | { readonly type: 'queued'; readonly app: string; readonly behind: string }
  | ({ readonly type: 'step'; readonly app: string } & WorkerStep)
  | ({ readonly type: 'stage'; readonly app: string } & RolloutStage)
  | ChaosLine
  | { readonly type: 'result'; readonly result: OperationResult }

/** `GET /v1/apps/:app/diff`: what a reload would change. */
export interface ConfigDiff {
  readonly app: string
  readonly changes: readonly ConfigChange[]
}

export interface ConfigChange {
  /** Option name; an environment variable is `env.NAME`. */
  readonly option: string
  readonly kind: 'added' | 'removed' | 'changed'
  /** Shown values; those of environment variables are never sent. */
  readonly from: string | null
  readonly to: string | null
  /** What applies it: a reload replaces workers, `live` needs none. */
  readonly applies: 'reload' | 'live'
}

export interface Pong {
  readonly instance: string
  readonly pid: number
  readonly version: string
  readonly uptimeSeconds: number
}

/**
 * Path of each request, in one place for server and client. `:app` is the app's name, URI-encoded.
 *
 * GET    /v1/ping                     → Pong
 * GET    /v1/status                   → InstanceStatus
 * GET    /v1/metrics                  → text, as Prometheus reads it
 * GET    /v1/health                   → Health: { live, started, ready }, each { ok, why }
 * GET    /v1/apps/:app                → AppDescription
 * GET    /v1/apps/:app/diff           → ConfigDiff
 * GET    /v1/apps/:app/samples        → AppSamples
 * GET    /v1/logs?app&worker&stream&release&group&pid&since&level&lines&follow    → LogRecord, one a line
 * POST   /v1/logs/reopen              ReopenLogs     → { schema, reopened: paths }
 * GET    /v1/events?app&type&since&lines&follow             → EventRecord, one a line
 * GET    /v1/crashes?app              → CrashList
 * GET    /v1/crashes/:id              → CrashAnswer
 * POST   /v1/apps                     StartRequest   → { schema, results: OperationResult[] }, or ProgressLine, one a line
 * POST   /v1/apps/:app/start          {}             → OperationResult or ProgressLine (a stopped app)
 * POST   /v1/apps/:app/reload         ReloadRequest  → likewise
 * POST   /v1/apps/:app/restart        RestartRequest → likewise
 * POST   /v1/apps/:app/scale          ScaleRequest   → likewise
 * POST   /v1/apps/:app/stop           StopRequest    → likewise
 * POST   /v1/apps/:app/deploy         DeployRequest  → likewise: a new release into the other group
 * POST   /v1/apps/:app/flip           {}             → OperationResult: the other group gets the traffic
 * POST   /v1/apps/:app/rollback       RollbackRequest → likewise, or ProgressLine
 * GET    /v1/apps/:app/preview                       → PreviewStatus
 * GET    /v1/apps/:app/rollout                       → OperationResult or ProgressLine: when it is decided
 * POST   /v1/apps/:app/promote        {}             → OperationResult of the rollout
 * POST   /v1/apps/:app/pause          {}             → likewise
 * POST   /v1/apps/:app/resume         {}             → likewise
 * POST   /v1/apps/:app/abort          {}             → likewise
 * GET    /v1/apps/:app/chaos?forMs                   → ChaosOutlook: what a rehearsal of failures could do
 * POST   /v1/apps/:app/chaos          ChaosRequest   → OperationResult or ProgressLine: ends with the connection
 * GET    /v1/apps/:app/history                       → { schema, app, releases: ReleaseStatus[] }
 * POST   /v1/apps/:app/signal         SignalRequest  → OperationResult
 * DELETE /v1/apps/:app                               → OperationResult or ProgressLine
 * POST   /v1/upgrade                  UpgradeRequest → UpgradeResult: another installation's supervisor takes over
 * POST   /v1/stop                     StopRequest    → { schema, results }: the whole instance ends
 *
 * An error is `{ schema, error: ErrorBody }` with status 400 (usage), 404 (no such app or worker), 409 (busy),
 * 422 (invalid config) or 500. A result that is not `ok` has the status of its error. In a stream whose head is out
 * already, an error is a last line `{ schema, type: 'error', error }`.
 */
export const API = '/v1'

/** Of every answer: the version of the supervisor that gave it. */
export const VERSION_HEADER = 'x-supervise-version'
