// The open connections of watched servers and what is known of each: one object per connection, and three numbers per
// request. It knows nothing of draining but the words for it.

import type { ServerResponse } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'

/** Why a connection is to end. */
export type LeaveReason =
  | 'drain' // the supervisor's order, which can be taken back
  | 'closed' // the app closed its server
  | 'asked' // the app asked for its idle connections to be closed
  | 'limit' // it has had its number of requests
  | 'moved' // its requests belong to the other group, whose workers its client shall find

export type Phase =
  | 'serving'
  | 'leaving' // ends after its last response, or after being idle for the grace
  | 'lingering' // FIN sent; reading on so that no reset overtakes what we sent

export interface Connection {
  /** The TLS socket once the handshake is over. */
  readonly socket: Socket
  readonly server: Server
  phase: Phase
  reason: LeaveReason
  /** HTTP requests begun, and those of them that have no whole response yet. */
  begun: number
  open: number
  /** HTTP/1: the last request's response, until it is finished. */
  last: ServerResponse | null
  /** HTTP/1: requests came before the one ahead was answered. */
  pipelined: boolean
  /** HTTP/1: a response has said `Connection: close`; what comes after it must not be run. */
  closeAnnounced: boolean
  /** HTTP/1: the protocol that it was upgraded to, in lower case. */
  upgrade: string | null
  /** Node's idle time-out came and was ignored: the connection is ours to end. */
  timedOut: boolean
  /** Time since when a leaving connection is idle, or a lingering one silent; 0 is not so. */
  quietSince: number
  /** Time of the FIN. */
  lingerSince: number
  bytesSeen: number
  session: Session | null
}

/** The HTTP/2 side of a connection. */
export interface Session {
  readonly http2: ServerHttp2Session
  /** Streams under way, with what the client asked each for. */
  readonly streams: Map<ServerHttp2Stream, StreamKind>
}

export type StreamKind = 'request' | 'websocket' | 'tunnel'

/** Every open connection of every watched server. */
export const connections = new Set<Connection>()

/** Counted from the first watched server on. */
export const counters = { begun: 0, inFlight: 0, answered: 0 }

const CONNECTION = Symbol('supervise.connection')
type Marked = { [CONNECTION]?: Connection }

export function connectionOf(socket: object | null | undefined): Connection | undefined {
  return (socket as Marked | undefined)?.[CONNECTION]
}

export function addConnection(socket: Socket, server: Server): Connection {
  const connection: Connection = {
    socket,
    server,
    phase: 'serving',
    reason: 'drain',
    begun: 0,
    open: 0,
    last: null,
    pipelined: false,
    closeAnnounced: false,
    upgrade: null,
    timedOut: false,
    quietSince: 0,
    lingerSince: 0,
    bytesSeen: 0,
    session: null,
  }
  Object.defineProperty(socket, CONNECTION, { value: connection, configurable: true, enumerable: false })
  connections.add(connection)
  return connection
}

export function removeConnection(connection: Connection): void {
  if (!connections.delete(connection)) return
  counters.inFlight -= connection.open
  connection.open = 0
  connection.last = null
}

export function countBegun(connection: Connection): void {
  counters.begun++
  counters.inFlight++
  connection.begun++
  connection.open++
}

/** A request has its whole response, or (`answered` false) will never get one. False when it was counted already. */
export function countEnded(connection: Connection, answered: boolean): boolean {
  if (connection.open === 0) return false
  connection.open--
  counters.inFlight--
  if (answered) counters.answered++
  return true
}
