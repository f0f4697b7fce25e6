// How the drain learns of connections, TLS and HTTP/2 sessions, upgrades and requests: listeners on the watched servers
// and Node's diagnostics channels.

import { subscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'

import { countAnswer, countCut, leaveOut } from './answers.ts'
import { addConnection, connectionOf, countBegun, countEnded, type Connection, type StreamKind } from './connections.ts'
import { requestArrived } from './drain-http1.ts'
import { newSession } from './drain-http2.ts'
import { forget, leave } from './drain-leave.ts'
import { noteMissing, rawSocketOf, replaceMethod } from './node-internals.ts'
import { isPrivate } from './private-connections.ts'
import { isPublicProbe, isPublicProbeStream } from './public-probes.ts'
import { noteBegin, notePath } from './request-clock.ts'
import { noteHead, noteHeadOfStream } from './request-trace.ts'

/** What the drain wants to know of. */
export interface Watcher {
  /** A connection, or the HTTP/2 session on it, is new. */
  appeared(connection: Connection): void
  vanished(connection: Connection): void
}

let watcher: Watcher = { appeared() {}, vanished() {} }
let requestLimit = 0
let hasHttp1Channels = false
let hasHttp2Channels = false
const streamOwners = new WeakMap<ServerHttp2Stream, Connection>()

export function limitRequests(limit: number): void {
  requestLimit = limit
}

export function followConnections(server: Server, told: Watcher): void {
  watcher = told
  subscribeToHttp1()
  // Prepended: HTTP's own listener announces a session within the same event.
  const events: EventEmitter = server
  events.prependListener('connection', onConnection)
  if ('setSecureContext' in server) events.prependListener('secureConnection', onSecureConnection)
  if ('updateSettings' in server) events.prependListener('session', onSession)
  noticeUpgrades(server)
}

function onConnection(this: Server, socket: Socket): void {
  if (connectionOf(socket) === undefined && !socket.destroyed) follow(socket, this)
}

/** From here on the TLS socket is the connection. */
function onSecureConnection(this: Server, socket: Socket): void {
  const raw = rawSocketOf(socket)
  const handshake = connectionOf(raw)
  if (handshake !== undefined) forget(handshake)
  else if (raw === undefined && 'getPeerCertificate' in socket && !isPrivate(socket))
    noteMissing('_parent: TLS connections are counted twice')
  if (connectionOf(socket) === undefined) follow(socket, this)
}

function follow(socket: Socket, server: Server): void {
  const connection = addConnection(socket, server)
  socket.once('close', () => {
    forget(connection)
    watcher.vanished(connection)
  })
  watcher.appeared(connection)
}

function onSession(this: Server, http2: ServerHttp2Session): void {
  subscribeToHttp2()
  const connection = connectionOf(http2.socket)
  if (connection === undefined) return
  connection.session = newSession(http2)
  watcher.appeared(connection)
}

/** A listener for `upgrade` would change what Node does with such requests; this callback is asked for each. */
function noticeUpgrades(server: Server): void {
  type Callback = (this: unknown, request: IncomingMessage) => boolean
  const { shouldUpgradeCallback } = server as { shouldUpgradeCallback?: Callback }
  if (typeof shouldUpgradeCallback !== 'function') return
  const notice: Callback = function (request) {
    const upgrades = shouldUpgradeCallback.call(this, request)
    const connection = connectionOf(request.socket)
    if (upgrades && connection !== undefined) connection.upgrade = String(request.headers.upgrade).toLowerCase()
    return upgrades
  }
  replaceMethod(server, 'shouldUpgradeCallback', notice)
}

interface Http1Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
}

function subscribeToHttp1(): void {
  if (hasHttp1Channels) return
  hasHttp1Channels = true
  subscribe('http.server.request.start', (message) => {
    const { request, response, socket } = message as Http1Exchange
    const connection = connectionOf(socket)
    if (connection === undefined) return
    noteBegin(response, request.method ?? '')
    if (isPublicProbe(request)) leaveOut(response, 'probe')
    noteHead(request, response)
    requestBegan(connection, response)
  })
  subscribe('http.server.response.finish', (message) => {
    const { response, socket } = message as Http1Exchange
    const connection = connectionOf(socket)
    if (connection === undefined) return
    if (countEnded(connection, true)) countAnswer(connection, response, response.statusCode)
    // Kept, it would hold the app's request, body and all, until the next one.
    if (connection.last === response) connection.last = null
  })
}

function requestBegan(connection: Connection, response: ServerResponse): void {
  countBegun(connection)
  try {
    if (requestLimit !== 0 && connection.begun >= requestLimit) leave(connection, 'limit')
    if (connection.phase === 'serving') connection.last = response
    else requestArrived(connection, response)
  } catch (error) {
    noteMissing(`preparing a response failed: ${String(error)}`)
  }
}

/** Only once there is a session: an app without HTTP/2 shall not pay for these. */
function subscribeToHttp2(): void {
  if (hasHttp2Channels) return
  hasHttp2Channels = true
  subscribe('http2.server.stream.start', (message) => {
    const { stream, headers } = message as { stream: ServerHttp2Stream; headers: IncomingHttpHeaders }
    const connection = connectionOf(stream.session?.socket)
    // Streams with an even number are the server's own pushes.
    if (connection?.session == null || stream.id === undefined || stream.id % 2 === 0) return
    noteBegin(stream, String(headers[':method']))
    notePath(stream, String(headers[':path']))
    if (isPublicProbeStream(headers)) leaveOut(stream, 'probe')
    noteHeadOfStream(stream, headers)
    streamOwners.set(stream, connection)
    connection.session.streams.set(stream, streamKind(headers))
    countBegun(connection)
    // Later: GOAWAY must not be sent from within nghttp2's own callback.
    if (requestLimit !== 0 && connection.begun === requestLimit) setImmediate(leave, connection, 'limit')
  })
  subscribe('http2.server.stream.close', (message) => {
    const { stream } = message as { stream: ServerHttp2Stream }
    const connection = streamOwners.get(stream)
    const kind = connection?.session?.streams.get(stream)
    if (connection === undefined || kind === undefined) return
    connection.session?.streams.delete(stream)
    const isWhole = stream.headersSent && stream.rstCode === 0
    if (!countEnded(connection, isWhole) || kind !== 'request') return
    // The app may also destroy what it has begun, which is no error to HTTP/2.
    if (isWhole && !stream.aborted) countAnswer(connection, stream, Number(stream.sentHeaders[':status']))
    else countCut(connection, stream)
  })
}

function streamKind(headers: Readonly<Record<string, unknown>>): StreamKind {
  if (headers[':method'] !== 'CONNECT') return 'request'
  return headers[':protocol'] === 'websocket' ? 'websocket' : 'tunnel'
}
