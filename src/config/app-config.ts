// What an app's configuration means once every default is filled in and every value is parsed.
// Flags, environment and file are merged and checked elsewhere in this folder; inside, nothing is checked again.

import type { AlertKind } from './alert-kinds.ts'
import type { LogLevel } from './log-parsers.ts'

export type ReadyMode =
  /** All `listen()` calls of the first tick after the first are bound. */
  | { readonly by: 'listen' }
  /** `process.send('ready')`, as under PM2. */
  | { readonly by: 'message' }
  /** Asked through the worker's private endpoint until it answers 2xx. */
  | { readonly by: 'http'; readonly path: string }
  /** For an app that never listens. */
  | { readonly by: 'time'; readonly afterMs: number }

export interface LivenessProbe {
  readonly path: string
  readonly everyMs: number
  readonly withinMs: number
  /** This many failures in a row make the worker be replaced. */
  readonly failures: number
}

/** What is promised to users, as percentages of the requests; null is no promise. */
export interface ServiceLevel {
  /** Answered without 5xx. */
  readonly availability: number | null
  /** Answered within the threshold. */
  readonly latency: { readonly thresholdMs: number; readonly target: number } | null
}

/** What is asked from outside again and again, and what a good answer is. */
export interface Probe {
  readonly name: string
  readonly what:
    | { readonly by: 'url'; readonly url: string }
    /** At the app's public address, and of each worker that serves. */
    | { readonly by: 'path'; readonly path: string }
  readonly everyMs: number
  readonly withinMs: number
  /** So many bad answers in a row make it fail. */
  readonly failures: number
  /** Null is any 2xx. */
  readonly status: number | null
  /** A text that must be in the answer. */
  readonly body: string | null
}

/** Where spans go, and of how many requests that come without a decision. */
export interface TracingConfig {
  readonly otlp: string
  /** From 0 to 1. */
  readonly ratio: number
}

/** When a process that ended by itself is started again. */
export type RestartMode = 'always' | 'on-failure' | 'never'

export interface WatchConfig {
  /** Absolute. */
  readonly paths: readonly string[]
  /** Absolute paths, and bare names such as `node_modules` that are overlooked wherever they are. */
  readonly ignore: readonly string[]
  readonly quietMs: number
}

/** How a deploy moves an app to another release. */
export type Strategy = 'blue-green' | 'rolling'

/** Where the release without public traffic can be reached. A path is absolute. */
export type PreviewAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** What a new release must pass before it gets the public traffic. */
export type SmokeCheck =
  /** Run by `sh`; passes with exit code 0. */
  | { readonly by: 'command'; readonly command: string; readonly withinMs: number }
  /** Asked of each worker of the new group through its private endpoint. */
  | {
      readonly by: 'http'
      readonly path: string
      /** Null is any 2xx. */
      readonly status: number | null
      /** A text that must be in the answer. */
      readonly body: string | null
      /** For each attempt. */
      readonly withinMs: number
      readonly attempts: number
    }

/** What is told, or asked, at a moment of a rollout: yes is exit code 0, or a 2xx answer. */
export type Hook =
  | { readonly by: 'command'; readonly command: string; readonly withinMs: number }
  | { readonly by: 'url'; readonly url: string; readonly withinMs: number }

/** Who is told of alerts. */
export interface Receiver {
  /** Null is every kind. */
  readonly on: readonly AlertKind[] | null
  readonly hook: Hook
}

export type HookName =
  | 'pre-rollout'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'rollback'
  | 'event'
  | 'expand'
  | 'contract'

/** What is done with the lines of an app. */
export interface LogConfig {
  /** Null is every line of the app, and what the supervisor says from `info` on. */
  readonly level: LogLevel | null
  readonly file: LogFileConfig | null
  /** Null is yes without a file, or when stdout is a terminal. */
  readonly stdout: boolean | null
  readonly multiline: boolean
  readonly redact: readonly string[]
}

export interface LogFileConfig {
  /** Absolute. */
  readonly path: string
  /** 0 is no limit, as for `maxTotalBytes`. */
  readonly maxSizeBytes: number
  /** 0 is never. */
  readonly everyMs: number
  readonly keep: number
  readonly maxTotalBytes: number
  readonly gzip: boolean
}

/** How many processes more than `workers` a reload may run at a time. */
export type Surge = { readonly workers: number } | { readonly percent: number }

/** Where a command's clients come in. A path is absolute. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface AppConfig {
  readonly name: string
  /** Absolute path of the app's main module, or of the program of a command, symlinks not resolved. */
  readonly script: string
  /** It is a program that is not Node: there is no agent in its processes. */
  readonly isCommand: boolean
  /** What a command is given as open sockets. */
  readonly listen: readonly ListenAddress[]
  readonly args: readonly string[]
  /** Absolute path. */
  readonly cwd: string
  /** Flags for Node itself, before the script. */
  readonly nodeArgs: readonly string[]
  /** Absolute path of the binary, links resolved; null is the supervisor's own. */
  readonly node: string | null
  /** The app's whole environment: inherited, from files and from the config, merged in this order. */
  readonly env: Readonly<Record<string, string>>
  readonly workers: number

  readonly ready: ReadyMode
  readonly readyTimeoutMs: number
  readonly minReadyMs: number
  /** A worker whose event loop did not answer for so long is killed; 0 is never. */
  readonly hangTimeoutMs: number
  readonly liveness: LivenessProbe | null

  readonly drainTimeoutMs: number
  /** Over this time the closes of WebSockets are spread at the deadline, so that clients do not come back at once. */
  readonly drainSpreadMs: number
  readonly stopSignal: NodeJS.Signals
  readonly killTimeoutMs: number
  /** SIGKILL the worker's whole process group rather than the worker alone. */
  readonly treeKill: boolean

  readonly restart: RestartMode
  readonly backoffMs: number
  readonly maxBackoffMs: number
  readonly minUptimeMs: number
  readonly maxRestarts: number
  readonly restartWindowMs: number
  /** How long a failed worker rests before it is tried again. */
  readonly failedRetryMs: number

  /** Resident memory; null is no limit, and `auto` a share of what the container allows. */
  readonly maxMemoryBytes: number | 'auto' | null
  readonly maxAgeMs: number | null
  readonly maxRequests: number | null
  /** 0 keeps adopted workers; it is missing in what an older supervisor has remembered. */
  readonly replaceAdoptedMs?: number
  /** 0 is no limit. */
  readonly maxRequestsPerConnection: number

  readonly maxSurge: Surge
  /** Sockets behind each TCP listener, and how many workers each is lent to. */
  readonly slots: number
  readonly loansPerSlot: number

  readonly strategy: Strategy
  /** Whether a release that passed its smoke test is promoted by itself. */
  readonly autoPromote: boolean
  /** How long it is watched then; 0 is not at all. */
  readonly bakeMs: number
  /** Fewer requests are no proof; 0 asks for none. */
  readonly bakeMinRequests: number
  /** A larger share of 5xx is never accepted, from 0 to 1; null compares with the old release alone. */
  readonly maxErrorRatio: number | null
  /** How long a release that was refused stays up. */
  readonly abortDelayMs: number
  readonly rollbackWindowMs: number
  readonly progressDeadlineMs: number
  readonly preview: PreviewAddress | null
  /** The secret that lets a request choose its group by a header; null when none may. */
  readonly groupHeader: string | null
  /** In small letters; null for no header. */
  readonly releaseHeader: string | null
  readonly smoke: readonly SmokeCheck[]
  readonly hooks: Readonly<Partial<Record<HookName, Hook>>>

  readonly log: LogConfig
  /** 0 is none. */
  readonly heapSnapshotNearLimit: number
  readonly notify: readonly Receiver[]
  readonly slo: ServiceLevel | null
  readonly probes: readonly Probe[]
  readonly tracing: TracingConfig | null
  /** The app's own metrics, in prom-client's default registry, are exposed. */
  readonly mergeMetrics: boolean

  readonly watch: WatchConfig | null
}

/**
 * Where an app's configuration came from, kept so that a reload can read it again, whole.
 * `flags` are the app's flags as typed, which win over the file each time.
 */
export interface ConfigSource {
  /** Absolute path of the config file; null when the script was given on the command line. */
  readonly file: string | null
  /** Which app of the file. */
  readonly app: string | null
  readonly flags: FlagValues
  /** Directory the command was typed in: relative paths of flags belong to it. */
  readonly directory: string
  /** The environment that the command was typed in. */
  readonly environment: Readonly<Record<string, string>>
}

/** Flags as typed, by option name; parsed together with the file, by the same parsers. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[]>>
