// What a user may write about an app, deploys and alerts apart (deploy-options.ts, alert-options.ts), and what each option means. The pages of docs/reference and the JSON Schema take
// their words from the comments here; flag, help line, parser and default are in options.ts.

import type { AlertOptions } from './alert-options.ts'
import type { DeployOptions } from './deploy-options.ts'
import type { LogOptions } from './log-options.ts'
import type { TracingOptions } from './tracing-options.ts'
import type { MetricsOptions } from './metrics-options.ts'

/** Text such as `'30s'`, `'1m30s'` or `'250ms'` (units d, h, m, s, ms), or `0`. A number without a unit is refused. */
export type Duration = string | 0

/** Bytes, or text such as `'300M'`: K, M, G and T count in 1024s, as do KB and KiB. */
export type Size = string | number

/** One app. Relative paths belong to the file that they are written in. */
export interface AppOptions extends DeployOptions, AlertOptions {
  /**
   * What the app is called in every command, log line and metric: letters, digits, `.`, `_` and `-`, at most 64 characters.
   * @default the script's file name without its extension, or its directory's name when the script is an `index`
   */
  name?: string
  /**
   * The app's main module, run as `node script` would run it. An app has this or `command`.
   */
  script?: string
  /**
   * A program that is not Node, with its arguments: `['./server', '--flag']`. A name without a slash is looked for in `PATH`. A
   * text is split at its spaces, quotes respected.
   * @default none
   */
  command?: string | readonly string[]
  /**
   * Addresses that a `command` is given as open sockets (`LISTEN_FDS`, the first one in `PORT` and `HOST`, too): a port,
   * `host:port`, or the path of a Unix socket; one or several. Connections wait in them while the program is replaced.
   * @default none: the program opens its port by itself, and a reload ends the old process before it starts the new one
   */
  listen?: number | string | readonly (number | string)[]
  /**
   * Arguments for the app, `process.argv` from the third on. A text is split at its spaces, quotes respected.
   * @default none
   */
  args?: string | readonly string[]
  /**
   * The directory that the app runs in.
   * @default the config file's directory; without a config file, the directory that the command was typed in
   */
  cwd?: string
  /**
   * Flags for Node itself, such as `--max-old-space-size=400`. A text is split at its spaces, quotes respected.
   * @default none
   */
  nodeArgs?: string | readonly string[]
  /**
   * The Node binary that the app runs with, version 22.22 or later. Which file that is, is looked up once for each start, reload and
   * deploy, so a link that is switched changes nothing that runs.
   * @default the Node that the supervisor runs with
   */
  node?: string
  /**
   * Environment variables, on top of the inherited ones and of `envFile`. `null` takes an inherited variable away.
   * @default none
   */
  env?: Readonly<Record<string, string | number | boolean | null>>
  /**
   * Files of `NAME=value` lines; a later file wins over an earlier one, and all of them over the inherited environment.
   * Read again by every reload.
   * @default none
   */
  envFile?: string | readonly string[]
  /**
   * Sets `PORT` in the app's environment. The app must listen on it by itself.
   * @default `PORT` stays as it is inherited
   */
  port?: number

  /**
   * How many processes serve the app, 1 to 1000. `'max'` is one per CPU that this machine or container grants.
   * A `command` has one when nothing is said.
   * @default 'max'
   */
  workers?: number | 'max'

  /**
   * What makes a worker ready, so that it gets connections and a reload goes on: `'listen'` (its servers listen),
   * `'message'` (it called `process.send('ready')`), `{ http: '/readyz' }` (this path answers 2xx), or
   * `{ after: '2s' }` for an app that never listens. A `command` knows the last two; its path is asked at the first address
   * of `listen`, or at `port`; when nothing is said it is ready once it has lived for `minReady`.
   * @default 'listen'
   */
  ready?: 'listen' | 'message' | { readonly http: string } | { readonly after: Duration }
  /**
   * How long a worker may take to get ready. One that takes longer is killed, and the start or reload has failed.
   * @default '30s'
   */
  readyTimeout?: Duration
  /**
   * How long a new worker must stay up after it got ready before a reload trusts it. A worker that dies earlier stops
   * the reload, and the old workers serve on.
   * @default '1s'
   */
  minReady?: Duration
  /**
   * A worker whose event loop did not answer for so long is killed and replaced. `0` never does that.
   * @default '30s'
   */
  hangTimeout?: Duration
  /**
   * Asks each worker again and again whether it is well, and replaces one that is not.
   * @default no probe
   */
  liveness?: LivenessOptions

  /**
   * How long a draining worker may finish its open requests and connections. What is still open then is cut, counted
   * and reported.
   * @default '30s'
   */
  drainTimeout?: Duration
  /**
   * Over this time the WebSockets that are left at the end of a drain are closed, so that their clients do not all come
   * back in the same moment.
   * @default '5s'
   */
  drainSpread?: Duration
  /**
   * Asks a drained worker to end. The app's own handler runs with nothing in flight.
   * @default 'SIGTERM'
   */
  stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGUSR2' | 'SIGKILL'
  /**
   * How long a worker may take to end after the stop signal, before SIGKILL.
   * @default '10s'
   */
  killTimeout?: Duration
  /**
   * SIGKILL reaches the processes that the worker started, too. With `false` they live on.
   * @default true
   */
  treeKill?: boolean

  /**
   * When a worker that ended by itself is started again: `'always'`, `'on-failure'` (not after exit code 0) or `'never'`.
   * @default 'always'
   */
  restart?: 'always' | 'on-failure' | 'never'
  /**
   * The wait before a crashed worker is started again, doubled by each crash.
   */
  backoff?: BackoffOptions
  /**
   * A worker that was up for so long is well: the back-off begins anew.
   * @default '10s'
   */
  minUptime?: Duration
  /**
   * Restart intensity: more crashes than this within `window`, and the worker is `failed` and rests. The others serve on.
   * @default 10
   */
  maxRestarts?: number
  /**
   * The time in which `maxRestarts` counts.
   * @default '60s'
   */
  window?: Duration
  /**
   * How long a failed worker rests before it is tried again.
   * @default '5m'
   */
  failedRetry?: Duration

  /**
   * A worker with more resident memory than this is replaced first and drained then. Processes that it has started do not count.
   * `0` is no limit; else at least 16M. `'auto'` goes by the memory limit of the container: nine tenths of it without the supervisor's own,
   * shared by all workers and one more, since a replacement starts beside; it counts once a worker is five minutes old.
   * @default no limit
   */
  maxMemory?: Size
  /**
   * A worker older than this is replaced first and drained then. `0` is no limit.
   * @default no limit
   */
  maxAge?: Duration
  /**
   * A worker that has answered more requests than this is replaced first and drained then. `0` is no limit.
   * @default no limit
   */
  maxRequests?: number
  /**
   * A worker that an earlier supervisor forked is replaced so long after this one has taken it back, one at a time and only
   * while nothing else is going on: how such a worker ends is known less well. `0` keeps them until the next reload; a
   * command stays in any case.
   * @default 1m
   */
  replaceAdopted?: Duration
  /**
   * A keep-alive connection is closed politely after this many requests, so that its client meets other workers. `0` is
   * no limit.
   * @default 0
   */
  maxRequestsPerConnection?: number

  /**
   * How many processes more than `workers` a reload may run at a time: a number, or a share of `workers`, rounded up.
   * At 100 % every old worker serves until every new one has proven itself, so that going back costs nothing; less takes
   * less memory, and a worker that fails late is harder to go back from.
   * @default '100%'
   */
  maxSurge?: number | `${number}%`
  /**
   * Sockets behind each TCP listener. More spread connections more evenly and cost throughput.
   * @default 12
   */
  slots?: number
  /**
   * How many workers accept on each slot. With 1, clients wait for a busy worker; with more, they are spread less evenly.
   * @default 2
   */
  loansPerSlot?: number

  /**
   * What is done with the app's lines.
   */
  log?: LogOptions
  /** What is exposed of the app's own metrics. */
  metrics?: MetricsOptions

  /**
   * Sends traces to an OpenTelemetry collector.
   */
  tracing?: TracingOptions

  /**
   * Reloads the app when its files change: `true` for everything below `cwd`, a path, several, or an object.
   * @default false
   */
  watch?: boolean | string | readonly string[] | WatchOptions
}

export interface LivenessOptions {
  /**
   * The path to ask for; anything but a 2xx answer in time is a failure.
   * @default no probe
   */
  http?: string
  /**
   * How long to wait between two probes.
   * @default '10s'
   */
  every?: Duration
  /**
   * How long an answer may take.
   * @default '2s'
   */
  within?: Duration
  /**
   * So many failures in a row replace the worker.
   * @default 3
   */
  failures?: number
}

export interface BackoffOptions {
  /**
   * The wait after the first crash in a row; one that was up for `minUptime` comes back at once the first time. A little
   * chance is added to every wait.
   * @default '100ms'
   */
  first?: Duration
  /**
   * The longest wait.
   * @default '15s'
   */
  max?: Duration
}

export interface WatchOptions {
  /**
   * Files and directories to watch.
   * @default `cwd`
   */
  paths?: string | readonly string[]
  /**
   * What to overlook besides `node_modules` and `.git`: a path, or a bare name, which is overlooked everywhere.
   * @default none
   */
  ignore?: string | readonly string[]
  /**
   * The reload waits until nothing has changed for so long.
   * @default '200ms'
   */
  quiet?: Duration
}

/** A config file with several apps. */
export interface AppsConfig {
  /** For editors; it changes nothing. */
  $schema?: string
  /**
   * Which supervisor the apps belong to; `--instance` wins over it.
   * @default the name of the only app, or of the directory; 'default' with `--detach`
   */
  instance?: string
  apps: readonly AppOptions[]
}

/** A config file with one app. */
export interface SingleAppConfig extends AppOptions {
  /** For editors; it changes nothing. */
  $schema?: string
}

/** What a config file holds. */
export type Config = SingleAppConfig | AppsConfig | readonly AppOptions[]

/** What a config file's function gets. */
export interface ConfigContext {
  /** The environment that the command was typed in. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What a config file in JavaScript or TypeScript may export by default. */
export type ConfigExport = Config | Promise<Config> | ((context: ConfigContext) => Config | Promise<Config>)
