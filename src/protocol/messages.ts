// What supervisor and worker say to each other over the link: one JSON object per line, some with a
// socket beside it. Requests are imperative, facts are past tense. Nothing here knows what carries it.

import type { RegistryReport } from './registry-metrics.ts'
import type { RequestCounts } from './request-counts.ts'
import type { RouteTable } from './routes.ts'
import type { TracingSettings, TracingState } from './tracing.ts'

export type { TracingState } from './tracing.ts'

/** Raised when a message changes its meaning. What one side does not know it passes over, so more of it is no new version. */
export const PROTOCOL_VERSION = 1

/** The version before is always understood: workers keep their agent when the supervisor is upgraded, up or down. */
export const OLDEST_PROTOCOL = 1

/** Whether the two sides of a link understand each other: each names the newest protocol that it speaks, and the oldest. */
export function isSpoken({
  protocol,
  oldest = protocol,
}: {
  readonly protocol: number
  readonly oldest?: number
}): boolean {
  return protocol >= OLDEST_PROTOCOL && oldest <= PROTOCOL_VERSION
}

/**
 * What the supervisor puts into a worker's environment for the agent. The agent reads them and takes them out again
 * before the app runs.
 */
export const AGENT_ENV = {
  /** Path of the link's Unix socket. */
  link: 'SUPERVISE_AGENT_LINK',
  /** JSON: an `AgentSettings`. */
  settings: 'SUPERVISE_AGENT_SETTINGS',
} as const

/** What a worker is told when it is forked, once and for its whole life. */
export interface AgentSettings {
  readonly app: string
  readonly group: GroupName
  readonly release: string
  /** The worker's place in its group, 1-based; a replacement has the id of the worker that it replaces. */
  readonly worker: number
  /** Distinguishes the processes that had or have the same id; unique within the instance's life. */
  readonly incarnation: string
  /** Directory (0700) for the private endpoints; the agent names `<incarnation>-<n>.sock` in it. */
  readonly endpointDirectory: string
  readonly heartbeatMs: number
  /** Closes a keep-alive connection politely after this many requests; 0 is never. */
  readonly maxRequestsPerConnection: number
  /** How long connections may stay when the app closes its servers by itself, and over which time their ends are spread. */
  readonly drainTimeoutMs: number
  readonly drainSpreadMs: number
  /** Response header that names the release which answered; null is none. */
  readonly releaseHeader: string | null
  /** Null, or left out by an earlier supervisor: no spans. */
  readonly tracing?: TracingSettings | null
  /** Flags of Node that the supervisor added for this process alone: what it forks must not have them. */
  readonly addedFlags?: readonly string[]
}

/** Node's own length of the accept queue, for an app that asks for none. */
export const DEFAULT_BACKLOG = 511

export type GroupName = 'blue' | 'green'

/** What clients of a listener speak: HTTP/1 or HTTP/2, with TLS (`https`, `h2`) or without. */
export type Speech = 'http' | 'https' | 'h2c' | 'h2'

/** Names one listener for the whole app: equal keys are the same sockets. */
export type ListenerKey = string

/** What `server.listen()` asked for, as node:cluster passes it on. */
export interface ListenRequest {
  /** Address, or the path of a Unix socket; null is any address. */
  readonly address: string | null
  readonly port: number
  /** 4 and 6 are TCP, -1 is a Unix socket. */
  readonly addressType: 4 | 6 | -1
  /**
   * As for `uv_tcp_bind`: bit 0 is `ipv6Only`. For a Unix socket as for `uv_pipe_chmod`: bit 0 lets everybody read,
   * bit 1 lets everybody write.
   */
  readonly flags: number
  /** Queue length that the app asked for; null is Node's own default (511). */
  readonly backlog: number | null
}

/** What `getsockname` answers. */
export interface SocketName {
  readonly address?: string
  readonly family?: string
  readonly port?: number
}

/** A worker's view of one of its listeners, told whenever the link is dialled. */
export interface ListenerReport {
  readonly key: ListenerKey
  readonly request: ListenRequest
  readonly name: SocketName
  /** The app's server is open; otherwise the worker only keeps what it holds, and nothing can be lent to it. */
  readonly listening: boolean
  /** Slots that the worker accepts on. */
  readonly attached: readonly number[]
  /** Slots that it merely keeps. */
  readonly held: readonly number[]
  /** Path of the private endpoint; null when there is none. */
  readonly endpoint: string | null
  /** Null for what is no HTTP; left out where nothing listens. */
  readonly speaks?: Speech | null
}

/** Requests that the app itself has answered, by class of status, since the start of the process. */
export interface Responses {
  readonly '1xx': number
  readonly '2xx': number
  readonly '3xx': number
  readonly '4xx': number
  readonly '5xx': number
  /** Begun and never answered whole: the client left, the app has cut it, or it was cut at the end of a drain. */
  readonly aborted: number
}

export interface Vitals {
  /** How late the heartbeat's timer was, in milliseconds. */
  readonly loopDelayMs: number
  /** Share of the last interval in which the loop was busy, 0 to 1. */
  readonly loopUtilization: number
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  /** Open connections of all gated servers. */
  readonly connections: number
  /** HTTP requests begun since the start of the process. */
  readonly requests: number
  /** HTTP requests under way now. */
  readonly inFlight: number
  /** Without probes, smoke tests, previews, and requests of clients that chose their group by a header. */
  readonly responses?: Responses
  /** Requests that were passed to the other group; they count among `requests` of both workers. */
  readonly forwarded?: number
  /** Tries that failed and were made again, at another peer or here. */
  readonly forwardRetries?: number
  /** Requests that got a 502 for want of an answer of the other group. */
  readonly forwardFailures?: number
  /** How late the event loop was since the message before, in milliseconds. */
  readonly loopDelays?: Readonly<Record<'p50' | 'p90' | 'p99' | 'max', number>>
  /** Spent in garbage collection since the start of the process. */
  readonly gcMs?: number
  /** Open handles and requests of the event loop. */
  readonly handles?: number
}

/** What is still open in a draining worker. */
export interface DrainProgress {
  /** Connections with a request under way. */
  readonly busy: number
  /** Connections without one, kept for a last request or lingering after the last response. */
  readonly idle: number
  /** WebSockets and other connections that HTTP has left, and connections of plain `net` servers. */
  readonly upgraded: number
}

export interface DrainReport {
  readonly tookMs: number
  /** Requests that were cut at the deadline. */
  readonly requestsCut: number
  /** WebSockets, event streams and plain connections that were closed at the deadline. */
  readonly connectionsCut: number
  /** Requests answered between the order to drain and the end. */
  readonly served: number
}

export interface RequestUnderWay {
  readonly method: string
  /** Without its query. */
  readonly path: string
}

/** For how long a fault lasts from when it is heard of, and at most until then: see host-time.ts. */
interface FaultTime {
  readonly forMs: number
  /** A supervisor of an older version does not say it. */
  readonly untilMs?: number
}

/** A fault that is rehearsed in this worker; each takes the place of the one before. */
export type FaultOrder =
  /** Block the event loop. */
  | ({ readonly fault: 'hang' } & FaultTime)
  /** Delay the event loop again and again. */
  | ({ readonly fault: 'delay'; readonly byMs: number } & FaultTime)
  /** Take so much memory, and let go of it afterwards. */
  | ({ readonly fault: 'memory'; readonly bytes: number } & FaultTime)
  | { readonly fault: 'none' }

export type WorkerMessage =
  /** First line of every connection, also after the link was dialled again. */
  | {
      readonly type: 'hello'
      readonly protocol: number
      /** The oldest that the agent understands as well. */
      readonly oldest?: number
      readonly pid: number
      readonly settings: AgentSettings
      /** The link was up before: the supervisor of that time is gone. */
      readonly again: boolean
      readonly draining: boolean
      /** The app said `process.send('ready')` at some time. */
      readonly saidReady: boolean
      readonly listeners: readonly ListenerReport[]
      /** The route table in force: a new supervisor learns from it what was committed last. */
      readonly route?: { readonly epoch: number; readonly active: GroupName } | null
    }
  | {
      readonly type: 'listen'
      readonly id: number
      readonly key: ListenerKey
      readonly request: ListenRequest
      /** What node:cluster keeps from the first server of an address and gives to all others: TLS ticket keys. */
      readonly shared?: unknown
    }
  /** The app's server listens on its gate; with an empty key, on a socket that is not gated. */
  | {
      readonly type: 'listening'
      readonly key: ListenerKey
      readonly endpoint: string | null
      readonly speaks?: Speech | null
    }
  | { readonly type: 'listenerClosed'; readonly key: ListenerKey }
  /** All `listen()` calls of the first tick after the first one are bound: what `ready: 'listen'` waits for. */
  | { readonly type: 'allListening' }
  /** With an error (a negative errno) the worker does not accept on it: its server is closed, or it is saturated. */
  | { readonly type: 'attached'; readonly key: ListenerKey; readonly slot: number; readonly error?: number }
  | { readonly type: 'detached'; readonly key: ListenerKey; readonly slot: number }
  /** Answers `give`, with the slot's socket beside it. */
  | { readonly type: 'slot'; readonly key: ListenerKey; readonly slot: number }
  | { readonly type: 'noSlot'; readonly key: ListenerKey; readonly slot: number }
  /** Descriptors are running out (or are there again): all loans are given up, lend this worker nothing until then. */
  | { readonly type: 'saturated'; readonly descriptors: number; readonly limit: number }
  | { readonly type: 'unsaturated' }
  | ({ readonly type: 'vitals' } & Vitals)
  /** Of the process's whole life: what has changed since it was told last, or all of it on a new connection. */
  | ({ readonly type: 'answers' } & RequestCounts)
  /** Answers `collect`; also said, with the last `id`, at the end of a drain. */
  | ({ readonly type: 'appMetrics'; readonly id: number } & RegistryReport)
  /** The app has registered metrics of its own through `supervise/runtime`. */
  | { readonly type: 'metricsOffered' }
  | ({ readonly type: 'drainProgress' } & DrainProgress)
  | ({ readonly type: 'drained' } & DrainReport)
  | { readonly type: 'undrained' }
  /** Answers `route`: from now on requests follow the table of this epoch; 0 is no table. */
  | { readonly type: 'routed'; readonly epoch: number }
  /** Answers `ask`. */
  | { readonly type: 'answered' }
  /** What the app gave to `process.send` when node:cluster's own channel was gone. */
  | { readonly type: 'message'; readonly body: unknown }
  /**
   * The process's `exit` event: the exit code of a worker that is not our child is known by this alone. `cut` are the requests
   * that end with it, counted in `answers` by then; an earlier agent does not count them.
   */
  | { readonly type: 'exiting'; readonly code: number; readonly cut?: number }
  /** An exception that nobody caught, before Node prints it and exits. */
  | {
      readonly type: 'uncaught'
      readonly origin: string
      readonly stack: string
      /** The same by source maps, where there are any. */
      readonly mapped?: string
      /** Some of what was under way. */
      readonly requests?: readonly RequestUnderWay[]
    }
  /** Whenever it changes, and on each new connection. */
  | ({ readonly type: 'tracing' } & TracingState)
  /** Something that a person should know, such as a missing internal of Node. */
  | { readonly type: 'notice'; readonly text: string }

export type SupervisorMessage =
  | { readonly type: 'listenReply'; readonly id: number; readonly errno: number }
  | {
      readonly type: 'listenReply'
      readonly id: number
      readonly errno: 0
      readonly name: SocketName
      /** The listener's `shared` of the first worker that listened. */
      readonly shared?: unknown
    }
  /** With the slot's socket beside it: keep it, do not listen. */
  | { readonly type: 'hold'; readonly key: ListenerKey; readonly slot: number }
  /** With the slot's socket beside it: accept on it. Answered by `attached`. */
  | { readonly type: 'attach'; readonly key: ListenerKey; readonly slot: number; readonly backlog: number }
  /** Accept no more on it; the hold stays. Answered by `detached`. */
  | { readonly type: 'detach'; readonly key: ListenerKey; readonly slot: number }
  /** Send these slots' sockets: the supervisor that bound them is gone. */
  | { readonly type: 'give'; readonly key: ListenerKey; readonly slots: readonly number[] }
  /** The listener is no more: drop holds too. */
  | { readonly type: 'forget'; readonly key: ListenerKey }
  /** Detach everything and finish what is open. Answered by `drained`; `drainProgress` comes in between. */
  | { readonly type: 'drain'; readonly deadlineMs: number; readonly spreadMs: number }
  /** Serve as before; slots follow by `attach`. Answered by `undrained`. */
  | { readonly type: 'undrain' }
  /** Route each request by this table; null is not at all. Answered by `routed` at once; an older table changes nothing. */
  | { readonly type: 'route'; readonly table: RouteTable | null }
  /** Requests with this secret in the header of probe-header.ts are the supervisor's own: do not count them. */
  | { readonly type: 'expectProbes'; readonly secret: string }
  /** Tell the app's own metrics, those of prom-client's default registries too where `defaults` says so. Answered by `appMetrics`. */
  | { readonly type: 'collect'; readonly id: number; readonly defaults: boolean }
  /** Say that the loop turns. Answered by `answered`. */
  | { readonly type: 'ask' }
  | ({ readonly type: 'rehearse' } & FaultOrder)
  /** For the app's `process.on('message')` when node:cluster's own channel is gone. */
  | { readonly type: 'message'; readonly body: unknown }
