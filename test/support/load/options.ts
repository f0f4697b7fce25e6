// What a run of the load client is asked to do: lanes of like connections, and the bounds of the whole.

export type Target = { readonly host: string; readonly port: number } | { readonly path: string }

export type LaneKind =
  | 'once' // one request a connection
  | 'keepAlive'
  | 'pipelined' // `depth` requests in one write
  | 'webSocket' // echoes
  | 'http2'
  | 'tcpEcho' // plain bytes there and back

export interface LaneRequest {
  readonly kind: LaneKind
  readonly connections: number
  /** Default: the run's own. */
  readonly target?: Target
  readonly tls?: boolean
  readonly path?: string
  readonly postPath?: string
  /** Share of requests that are a POST of `postBytes`, whose answer must be their length. */
  readonly postShare?: number
  readonly postBytes?: number
  /** Body that a GET must have: this text, so many bytes of the pattern, or anything. */
  readonly expect?: Expectation
  /** Status that a GET must have: 200 when left out. Only HTTP/1. */
  readonly status?: number
  /** Pause between an answer and the next request on the same connection, chosen evenly between the two. */
  readonly thinkMs?: readonly [number, number]
  /** The client closes a connection of its own after so many requests; 0 is never. */
  readonly requestsPerConnection?: number
  /** Requests in one write when pipelining, streams at a time for HTTP/2. */
  readonly depth?: number
  readonly headers?: Readonly<Record<string, string>>
}

export type Expectation = { readonly text: string } | { readonly patternBytes: number } | 'anything'

export interface LoadRequest {
  readonly target?: Target
  readonly lanes: readonly LaneRequest[]
  /** At most 10 minutes. */
  readonly durationMs?: number
  /** Ends the run after so many requests. */
  readonly requests?: number
  /** Requests a second of all lanes together; 0 is as many as possible. */
  readonly ratePerSecond?: number
  /** For one answer, from the first byte sent (or the start of connecting). */
  readonly timeoutMs?: number
  /** Print a `progress` line five times a second. */
  readonly progress?: boolean
}

export interface Lane {
  readonly kind: LaneKind
  readonly connections: number
  readonly target: Target
  readonly tls: boolean
  readonly path: string
  readonly postPath: string
  readonly postShare: number
  readonly postBytes: number
  readonly expect: Expectation
  readonly status: number
  readonly thinkMs: readonly [number, number]
  readonly requestsPerConnection: number
  readonly depth: number
  readonly headers: Readonly<Record<string, string>>
}

export interface LoadPlan {
  readonly lanes: readonly Lane[]
  readonly durationMs: number
  readonly requests: number
  readonly ratePerSecond: number
  readonly timeoutMs: number
  readonly progress: boolean
}

const LONGEST_RUN_MS = 600_000
const MOST_REQUESTS = 100_000_000
const MOST_CONNECTIONS = 4_000

/** Fills in defaults and refuses a run without bounds. */
export function planOf(request: LoadRequest): LoadPlan {
  const lanes = request.lanes.map((lane) => laneOf(lane, request.target))
  const connections = lanes.reduce((sum, lane) => sum + lane.connections, 0)
  if (connections < 1 || connections > MOST_CONNECTIONS) {
    throw new RangeError(`Cannot load with ${connections} connections: 1 to ${MOST_CONNECTIONS} are possible`)
  }
  return {
    lanes,
    durationMs: Math.min(request.durationMs ?? 10_000, LONGEST_RUN_MS),
    requests: Math.min(request.requests ?? MOST_REQUESTS, MOST_REQUESTS),
    ratePerSecond: request.ratePerSecond ?? 0,
    timeoutMs: request.timeoutMs ?? 10_000,
    progress: request.progress ?? false,
  }
}

function laneOf(lane: LaneRequest, common: Target | undefined): Lane {
  const target = lane.target ?? common
  if (target === undefined) throw new TypeError(`Cannot load the lane "${lane.kind}": it has no target`)
  return {
    kind: lane.kind,
    connections: lane.connections,
    target,
    tls: lane.tls ?? false,
    path: lane.path ?? '/',
    postPath: lane.postPath ?? '/echo',
    postShare: lane.postShare ?? 0,
    postBytes: lane.postBytes ?? 16_384,
    expect: lane.expect ?? 'anything',
    status: lane.status ?? 200,
    thinkMs: lane.thinkMs ?? [0, 0],
    requestsPerConnection: lane.requestsPerConnection ?? 0,
    depth: lane.depth ?? (lane.kind === 'pipelined' ? 3 : 4),
    headers: lane.headers ?? {},
  }
}

/** The lane as reports name it. */
export function nameOf(lane: Lane): string {
  const { tls, target, kind, status } = lane
  const words = [tls ? 'tls' : '', 'path' in target ? 'unix' : '', kind, status === 200 ? '' : String(status)]
  return words.filter((word) => word !== '').join(' ')
}
