// Every option of an app: its flag, help line, parser and default. What it means is told in app-options.ts.
// Loads nothing but parsers, since the command line reads it at every start.

import type {
  Hook,
  HookName,
  ListenAddress,
  PreviewAddress,
  Probe,
  ReadyMode,
  Receiver,
  RestartMode,
  SmokeCheck,
  ServiceLevel,
  Strategy,
  Surge,
} from './app-config.ts'
import { receivers } from './alert-parsers.ts'
import { probes } from './probe-parsers.ts'
import { serviceLevel } from './slo-parser.ts'
import type { AppOptions, BackoffOptions, LivenessOptions, WatchOptions } from './app-options.ts'
import type { HookOptions } from './deploy-options.ts'
import type { LogOptions } from './log-options.ts'
import type { MetricsOptions } from './metrics-options.ts'
import type { TracingOptions } from './tracing-options.ts'
import { otlpUrl } from './tracing-parsers.ts'
import { logLevel, redactPaths, sizeOrZero, type LogLevel } from './log-parsers.ts'
import { headerSecret, hook, previewAddress, responseHeader, share, smokeChecks } from './deploy-parsers.ts'
import {
  environmentVariables,
  maxSurge,
  name,
  readyMode,
  stopSignal,
  urlPath,
  watch,
  workers,
} from './option-parsers.ts'
import { commandWords, listenAddresses } from './command-parsers.ts'
import type { Parser } from './parser.ts'
import { autoOr, boolean, duration, integer, limit, oneOf, path, paths, sizeLimit, words } from './parsers.ts'

export const GROUPS = [
  'App',
  'Ready and well',
  'Stop',
  'Restart',
  'Recycle',
  'Reload and sockets',
  'Deploy',
  'Logs',
  'Crashes and alerts',
  'Tracing',
  'Watch',
] as const

export interface OptionSpec<Value> {
  readonly group: (typeof GROUPS)[number]
  /** As commander takes it. */
  readonly flag: string
  readonly help: string
  readonly parser: Parser<Value>
  readonly byDefault: () => Value
  /** Says the default where its value does not. */
  readonly otherwise?: string
  /** The flag may be given several times. */
  readonly repeatable?: true
  /** There is no SUPERVISE_ variable for it. */
  readonly flagOnly?: true
}

/** Options that are objects: each of their keys is an option of its own. */
export interface NestedOptions {
  readonly liveness: LivenessOptions
  readonly backoff: BackoffOptions
  readonly hooks: HookOptions
  readonly log: LogOptions
  readonly metrics: MetricsOptions
  readonly tracing: TracingOptions
  readonly watch: WatchOptions
}

type NestedKey = { [Key in keyof NestedOptions]: `${Key}.${keyof NestedOptions[Key] & string}` }[keyof NestedOptions]

/** `watch` is both: an object, or paths at once. */
export type OptionKey =
  | Exclude<keyof AppOptions, 'liveness' | 'backoff' | 'hooks' | 'log' | 'metrics' | 'tracing'>
  | NestedKey

type HookValues = { [Name in HookName as `hooks.${Name}`]: Hook | null }

/** What each option is once it is parsed. Durations are milliseconds, sizes bytes, paths absolute. */
export interface OptionValues extends HookValues {
  name: string | null
  script: string | null
  command: readonly string[] | null
  listen: readonly ListenAddress[]
  args: readonly string[]
  cwd: string | null
  nodeArgs: readonly string[]
  node: string | null
  env: Readonly<Record<string, string | null>>
  envFile: readonly string[]
  port: number | null
  workers: number
  ready: ReadyMode
  readyTimeout: number
  minReady: number
  hangTimeout: number
  'liveness.http': string | null
  'liveness.every': number
  'liveness.within': number
  'liveness.failures': number
  drainTimeout: number
  drainSpread: number
  stopSignal: NodeJS.Signals
  killTimeout: number
  treeKill: boolean
  restart: RestartMode
  'backoff.first': number
  'backoff.max': number
  minUptime: number
  maxRestarts: number
  window: number
  failedRetry: number
  maxMemory: number | 'auto' | null
  maxAge: number | null
  maxRequests: number | null
  replaceAdopted: number
  maxRequestsPerConnection: number
  maxSurge: Surge
  slots: number
  loansPerSlot: number
  strategy: Strategy
  autoPromote: boolean
  bake: number
  bakeMinRequests: number
  maxErrorRatio: number | null
  abortDelay: number
  rollbackWindow: number
  progressDeadline: number
  preview: PreviewAddress | null
  groupHeader: string | null
  releaseHeader: string | false
  smoke: readonly SmokeCheck[]
  'log.level': LogLevel | null
  'log.file': string | null
  'log.stdout': boolean | null
  'log.maxSize': number
  'log.every': number
  'log.keep': number
  'log.maxTotal': number
  'log.gzip': boolean
  'log.multiline': boolean
  'log.redact': readonly string[]
  heapSnapshotNearLimit: number
  notify: readonly Receiver[]
  slo: ServiceLevel | null
  probes: readonly Probe[]
  'metrics.merge': boolean
  'tracing.otlp': string | null
  'tracing.ratio': number
  watch: boolean | readonly string[]
  'watch.paths': readonly string[] | null
  'watch.ignore': readonly string[]
  'watch.quiet': number
}

export const HOOK_NAMES: readonly HookName[] = [
  'pre-rollout',
  'confirm-promotion',
  'post-rollout',
  'rollback',
  'event',
  'expand',
  'contract',
]

const SMALLEST_MEMORY = 16 * 1024 ** 2
const MANY = 1_000_000_000
/** Smaller log files would be rotated all the time. */
const SMALLEST_LOG = 4 * 1024

/** A new option does not compile until it has a flag, a help line, a parser and a default. */
// oxfmt-ignore
export const OPTIONS: { readonly [Key in OptionKey]: OptionSpec<OptionValues[Key]> } = {
  name: { group: 'App', flag: '-n, --name <name>', help: 'what the app is called', parser: orNone(name), byDefault: none, otherwise: 'from the script' },
  script: { group: 'App', flag: '--script <file>', help: "the app's main module", parser: orNone(path), byDefault: none },
  command: { group: 'App', flag: '--command <words>', help: 'a program to run instead of a script; also all that follows -- where no script is named', parser: orNone(commandWords), byDefault: none, flagOnly: true },
  listen: { group: 'App', flag: '--listen <address>', help: 'port, host:port or path that a command is given as an open socket', parser: listenAddresses, byDefault: () => [], repeatable: true },
  args: { group: 'App', flag: '--args <words>', help: 'arguments for the app; also all that follows --', parser: words, byDefault: () => [] },
  cwd: { group: 'App', flag: '--cwd <directory>', help: 'directory that the app runs in', parser: orNone(path), byDefault: none },
  nodeArgs: { group: 'App', flag: '--node-args <words>', help: 'flags for Node itself', parser: words, byDefault: () => [] },
  node: { group: 'App', flag: '--node <file>', help: 'Node binary that the app runs with', parser: orNone(path), byDefault: none, otherwise: "the supervisor's own" },
  env: { group: 'App', flag: '--env <NAME=value>', help: 'environment variable of the app', parser: environmentVariables, byDefault: () => ({}), repeatable: true, flagOnly: true },
  envFile: { group: 'App', flag: '--env-file <file>', help: 'file of environment variables', parser: paths('resolve'), byDefault: () => [], repeatable: true },
  port: { group: 'App', flag: '--port <number>', help: 'sets PORT for the app', parser: orNone(integer(0, 65_535)), byDefault: none },
  workers: { group: 'App', flag: '-i, --workers <count>', help: 'how many processes serve the app, or max', parser: workers, byDefault: oneForEachCpu, otherwise: 'one per CPU, 1 for a command' },

  ready: { group: 'Ready and well', flag: '--ready <how>', help: 'listen, message, a path such as /readyz, or a time such as 2s', parser: readyMode, byDefault: () => ({ by: 'listen' }) },
  readyTimeout: { group: 'Ready and well', flag: '--ready-timeout <duration>', help: 'how long a worker may take to get ready', parser: duration('30s', 'no-zero'), byDefault: () => 30_000 },
  minReady: { group: 'Ready and well', flag: '--min-ready <duration>', help: 'how long a new worker must stay up before a reload goes on', parser: duration('1s', 'zero'), byDefault: () => 1000 },
  hangTimeout: { group: 'Ready and well', flag: '--hang-timeout <duration>', help: 'replaces a worker whose event loop is blocked for so long', parser: duration('30s', 'zero'), byDefault: () => 30_000 },
  'liveness.http': { group: 'Ready and well', flag: '--liveness-http <path>', help: 'asks each worker for this path again and again', parser: orNone(urlPath), byDefault: none, otherwise: 'no probe' },
  'liveness.every': { group: 'Ready and well', flag: '--liveness-every <duration>', help: 'time between two probes', parser: duration('10s', 'no-zero'), byDefault: () => 10_000 },
  'liveness.within': { group: 'Ready and well', flag: '--liveness-within <duration>', help: 'how long an answer may take', parser: duration('2s', 'no-zero'), byDefault: () => 2000 },
  'liveness.failures': { group: 'Ready and well', flag: '--liveness-failures <count>', help: 'failures in a row that replace the worker', parser: integer(1, 1000), byDefault: () => 3 },

  drainTimeout: { group: 'Stop', flag: '--drain-timeout <duration>', help: 'how long a worker may finish its open requests', parser: duration('30s', 'zero'), byDefault: () => 30_000 },
  drainSpread: { group: 'Stop', flag: '--drain-spread <duration>', help: 'time over which left WebSockets are closed', parser: duration('5s', 'zero'), byDefault: () => 5000 },
  stopSignal: { group: 'Stop', flag: '--stop-signal <signal>', help: 'asks a drained worker to end', parser: stopSignal, byDefault: () => 'SIGTERM' },
  killTimeout: { group: 'Stop', flag: '--kill-timeout <duration>', help: 'time between the stop signal and SIGKILL', parser: duration('10s', 'zero'), byDefault: () => 10_000 },
  treeKill: { group: 'Stop', flag: '--no-tree-kill', help: "SIGKILL spares the worker's own children", parser: boolean, byDefault: () => true },

  restart: { group: 'Restart', flag: '--restart <when>', help: 'always, on-failure or never', parser: oneOf<RestartMode>(['always', 'on-failure', 'never']), byDefault: () => 'always' },
  'backoff.first': { group: 'Restart', flag: '--backoff-first <duration>', help: 'wait after the first crash, doubled by each', parser: duration('100ms', 'no-zero'), byDefault: () => 100 },
  'backoff.max': { group: 'Restart', flag: '--backoff-max <duration>', help: 'longest wait after a crash', parser: duration('15s', 'no-zero'), byDefault: () => 15_000 },
  minUptime: { group: 'Restart', flag: '--min-uptime <duration>', help: 'a worker that was up for so long is well again', parser: duration('10s', 'zero'), byDefault: () => 10_000 },
  maxRestarts: { group: 'Restart', flag: '--max-restarts <count>', help: 'more crashes than this in the window make a worker fail', parser: integer(0, MANY), byDefault: () => 10 },
  window: { group: 'Restart', flag: '--window <duration>', help: 'time in which crashes count', parser: duration('60s', 'no-zero'), byDefault: () => 60_000 },
  failedRetry: { group: 'Restart', flag: '--failed-retry <duration>', help: 'how long a failed worker rests before it is tried again', parser: duration('5m', 'no-zero'), byDefault: () => 300_000 },

  maxMemory: { group: 'Recycle', flag: '--max-memory <size>', help: "replaces a worker with more resident memory; auto is its share of the container's", parser: autoOr(sizeLimit('300M', SMALLEST_MEMORY)), byDefault: none, otherwise: 'no limit' },
  maxAge: { group: 'Recycle', flag: '--max-age <duration>', help: 'replaces a worker that is older', parser: limit(duration('12h', 'zero')), byDefault: none, otherwise: 'no limit' },
  maxRequests: { group: 'Recycle', flag: '--max-requests <count>', help: 'replaces a worker that answered more', parser: limit(integer(0, MANY)), byDefault: none, otherwise: 'no limit' },
  replaceAdopted: { group: 'Recycle', flag: '--replace-adopted <duration>', help: 'replaces a worker of an earlier supervisor after this time', parser: duration('1m', 'zero'), byDefault: () => 60_000 },
  maxRequestsPerConnection: { group: 'Recycle', flag: '--max-requests-per-connection <count>', help: 'closes a keep-alive connection after so many', parser: integer(0, MANY), byDefault: () => 0, otherwise: 'no limit' },

  maxSurge: { group: 'Reload and sockets', flag: '--max-surge <count>', help: 'extra processes during a reload, a number or a share', parser: maxSurge, byDefault: () => ({ percent: 100 }) },
  slots: { group: 'Reload and sockets', flag: '--slots <count>', help: 'sockets behind each TCP listener', parser: integer(1, 256), byDefault: () => 12 },
  loansPerSlot: { group: 'Reload and sockets', flag: '--loans-per-slot <count>', help: 'workers that accept on each slot', parser: integer(1, 16), byDefault: () => 2 },

  strategy: { group: 'Deploy', flag: '--strategy <how>', help: 'blue-green or rolling', parser: oneOf<Strategy>(['blue-green', 'rolling']), byDefault: () => 'blue-green' },
  autoPromote: { group: 'Deploy', flag: '--no-auto-promote', help: 'a release that passed waits for `supervise promote`', parser: boolean, byDefault: () => true },
  bake: { group: 'Deploy', flag: '--bake <duration>', help: 'how long a new release is watched once it serves', parser: duration('10m', 'zero'), byDefault: () => 600_000 },
  bakeMinRequests: { group: 'Deploy', flag: '--bake-min-requests <count>', help: 'requests that must be seen before the watch can end', parser: integer(0, MANY), byDefault: () => 0 },
  maxErrorRatio: { group: 'Deploy', flag: '--max-error-ratio <share>', help: 'share of 5xx that is never accepted, such as 5%', parser: orNone(share), byDefault: none, otherwise: 'no worse than the old release' },
  abortDelay: { group: 'Deploy', flag: '--abort-delay <duration>', help: 'how long a release that was refused stays up to be looked at', parser: duration('10m', 'zero'), byDefault: () => 0 },
  rollbackWindow: { group: 'Deploy', flag: '--rollback-window <duration>', help: 'how long the old release stays warm after that', parser: duration('10m', 'zero'), byDefault: () => 600_000 },
  progressDeadline: { group: 'Deploy', flag: '--progress-deadline <duration>', help: 'how long a new release may take to get ready', parser: duration('2m', 'no-zero'), byDefault: () => 120_000 },
  preview: { group: 'Deploy', flag: '--preview <address>', help: 'reaches only the release without public traffic', parser: orNone(previewAddress), byDefault: none },
  groupHeader: { group: 'Deploy', flag: '--group-header <secret>', help: 'lets a request choose its release by x-supervise-group', parser: orNone(headerSecret), byDefault: none },
  releaseHeader: { group: 'Deploy', flag: '--release-header <name>', help: 'response header that names the release, or false', parser: responseHeader, byDefault: () => 'x-supervise-release' },
  smoke: { group: 'Deploy', flag: '--smoke <command>', help: 'must succeed before a release gets the public traffic', parser: smokeChecks, byDefault: () => [], repeatable: true },
  'hooks.pre-rollout': { group: 'Deploy', flag: '--hook-pre-rollout <command>', help: 'command or URL, asked before a release is started', parser: orNone(hook), byDefault: none },
  'hooks.confirm-promotion': { group: 'Deploy', flag: '--hook-confirm-promotion <command>', help: 'command or URL, asked before the public traffic moves', parser: orNone(hook), byDefault: none },
  'hooks.post-rollout': { group: 'Deploy', flag: '--hook-post-rollout <command>', help: 'command or URL, told when a release is promoted', parser: orNone(hook), byDefault: none },
  'hooks.rollback': { group: 'Deploy', flag: '--hook-rollback <command>', help: 'command or URL, told when a rollout went back', parser: orNone(hook), byDefault: none },
  'hooks.event': { group: 'Deploy', flag: '--hook-event <command>', help: 'command or URL, told of every step', parser: orNone(hook), byDefault: none },
  'hooks.expand': { group: 'Deploy', flag: '--hook-expand <command>', help: 'command or URL that makes room for a new version of the data', parser: orNone(hook), byDefault: none },
  'hooks.contract': { group: 'Deploy', flag: '--hook-contract <command>', help: 'command or URL that takes the room for an old version away', parser: orNone(hook), byDefault: none },

  'log.level': { group: 'Logs', flag: '--log-level <level>', help: 'leaves out lines below: trace, debug, info, warn, error or fatal', parser: orNone(logLevel), byDefault: none, otherwise: 'all lines' },
  'log.file': { group: 'Logs', flag: '--log-file <file>', help: "a file for the app's lines, rotated", parser: orNone(path), byDefault: none },
  'log.stdout': { group: 'Logs', flag: '--log-stdout <yes|no>', help: "whether the app's lines go to stdout", parser: orNone(boolean), byDefault: none, otherwise: 'yes without a file, or on a terminal' },
  'log.maxSize': { group: 'Logs', flag: '--log-max-size <size>', help: 'rotates a larger file', parser: sizeOrZero('20M', SMALLEST_LOG), byDefault: () => 20 * 1024 ** 2 },
  'log.every': { group: 'Logs', flag: '--log-every <duration>', help: 'rotates after so much time, from midnight on', parser: duration('1d', 'zero'), byDefault: () => 0 },
  'log.keep': { group: 'Logs', flag: '--log-keep <count>', help: 'so many rotated files stay', parser: integer(0, 10_000), byDefault: () => 10 },
  'log.maxTotal': { group: 'Logs', flag: '--log-max-total <size>', help: 'all files together take no more', parser: sizeOrZero('1G', SMALLEST_LOG), byDefault: () => 1024 ** 3 },
  'log.gzip': { group: 'Logs', flag: '--no-log-gzip', help: 'rotated files are not compressed', parser: boolean, byDefault: () => true },
  'log.multiline': { group: 'Logs', flag: '--no-log-multiline', help: 'stack traces are taken apart line by line', parser: boolean, byDefault: () => true },
  'log.redact': { group: 'Logs', flag: '--log-redact <path>', help: "field of the supervisor's own lines to hide", parser: redactPaths, byDefault: () => [], repeatable: true },
  heapSnapshotNearLimit: { group: 'Crashes and alerts', flag: '--heap-snapshot-near-limit <count>', help: 'heap snapshots of a worker that runs out of memory', parser: integer(0, 5), byDefault: () => 0 },
  notify: { group: 'Crashes and alerts', flag: '--notify <command>', help: 'command or URL that is told of every alert', parser: receivers, byDefault: () => [], repeatable: true },
  slo: { group: 'Crashes and alerts', flag: '--slo <objective>', help: 'what is promised: "99.9", "500ms 99", or both with a comma', parser: orNone(serviceLevel), byDefault: none },
  probes: { group: 'Crashes and alerts', flag: '--probes <place>', help: 'path or URL that is asked again and again, from outside', parser: probes, byDefault: () => [], repeatable: true },
  'metrics.merge': { group: 'Crashes and alerts', flag: '--merge-metrics', help: "exposes the app's own metrics of prom-client, summed over its workers", parser: boolean, byDefault: () => false },

  'tracing.otlp': { group: 'Tracing', flag: '--tracing-otlp <url>', help: 'collector that gets a span for each request and rollout step', parser: orNone(otlpUrl), byDefault: none },
  'tracing.ratio': { group: 'Tracing', flag: '--tracing-ratio <share>', help: 'share of the requests without a traceparent that get one', parser: share, byDefault: () => 1 },

  watch: { group: 'Watch', flag: '-w, --watch', help: 'reloads the app when its files change', parser: watch, byDefault: () => false },
  'watch.paths': { group: 'Watch', flag: '--watch-paths <path>', help: 'what to watch', parser: orNone(paths('resolve')), byDefault: none, otherwise: 'cwd', repeatable: true },
  'watch.ignore': { group: 'Watch', flag: '--watch-ignore <path>', help: 'what to overlook besides node_modules and .git', parser: paths('keep'), byDefault: () => [], repeatable: true },
  'watch.quiet': { group: 'Watch', flag: '--watch-quiet <duration>', help: 'reloads when nothing has changed for so long', parser: duration('200ms', 'zero'), byDefault: () => 200 },
}

// The table's own keys: nothing else can be in it, or it would not have compiled.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const OPTION_KEYS = Object.keys(OPTIONS) as readonly OptionKey[]

function none(): null {
  return null
}

function oneForEachCpu(): number {
  const parsed = workers.parse('max', '')
  return parsed.ok ? parsed.value : 1
}

/** For options that mean something else when they are left out: their value can be null, though nobody can write it. */
function orNone<Value>(parser: Parser<Value>): Parser<Value | null> {
  return { ...parser, format: (value) => (value === null ? '' : parser.format(value)) }
}

/** `backoff.max` → `SUPERVISE_BACKOFF_MAX`; null for options that have flags alone. */
export function variableOf(key: OptionKey): string | null {
  if (OPTIONS[key].flagOnly) return null
  return `SUPERVISE_${key
    .replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll(/[.-]/g, '_')
    .toUpperCase()}`
}

/** `-i, --workers <count>` → `--workers` */
export function flagOf(key: OptionKey): string {
  return /--[a-z-]+/.exec(OPTIONS[key].flag)?.[0] ?? key
}

/** The default as the help shows it; null when it is nothing at all. */
export function defaultText(key: OptionKey): string | null {
  const { otherwise, parser, byDefault }: OptionSpec<unknown> = OPTIONS[key]
  const text = otherwise ?? parser.format(byDefault())
  return text === '' ? null : text
}

export interface FlagSpec {
  /** As commander takes it. */
  readonly flags: string
  readonly description: string
  readonly group: string
  readonly repeatable: boolean
  /** The key in `FlagValues`. */
  readonly key: string
}

/** Flags that take no value: their help says what they do, and a default would be the opposite of it. */
const SWITCHES: readonly OptionKey[] = ['treeKill', 'autoPromote', 'log.gzip', 'log.multiline', 'watch']

/** The per-app flags of `supervise start`, in the order in which the help shows them. */
export function flagSpecs(): readonly FlagSpec[] {
  return OPTION_KEYS.map((key) => {
    const { flag, help, group, repeatable } = OPTIONS[key]
    const text = SWITCHES.includes(key) ? null : defaultText(key)
    const description = text === null ? help : `${help} (default: ${text})`
    return { flags: flag, description, group, repeatable: repeatable === true, key }
  })
}
