// A typed view of Node's undocumented names that the drain and the router need, each tested once: where one is missing,
// the step that needs it is skipped and `missingInternals` says so. No other file of theirs reaches into Node's objects.

import type * as httpModule from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** What reads an HTTP/1 connection. It is gone once the connection was upgraded. */
export interface HttpParser {
  /** The message whose head was parsed last, until its body is consumed. */
  incoming: (IncomingMessage & { upgrade?: boolean; _dump?(): void }) | null
  onIncoming: ((request: IncomingMessage & { upgrade?: boolean; _dump?(): void }, keepAlive: boolean) => number) | null
}

/** A response before and after its head was written. */
export interface ResponseHead {
  shouldKeepAlive: boolean
  /** The head as it goes over the wire; null before that. */
  _header: string | null
  /** The connection ends after this response. */
  _last: boolean
  _storeHeader?: (firstLine: string, headers: unknown) => void
  _writeRaw?: (data: string, encoding: BufferEncoding) => void
  useChunkedEncodingByDefault: boolean
  /** The server allows no further request on this connection. */
  maxRequestsOnConnectionReached: boolean
}

interface SocketInternals {
  parser?: HttpParser | null
  _paused?: boolean
  _parent?: Socket
}

interface ConnectionsList {
  active(): readonly unknown[]
}

const CONNECTIONS = 'http.server.connections'
const CHECKING_INTERVAL = 'http.server.connectionsCheckingInterval'
const SESSIONS = 'sessions'
const HEADERS_COUNT = 'kHeadersCount'

const symbols = new Map<string, symbol>()
const missing = new Set<string>()
let tested = false

/** Names that this Node does not have and what is skipped for it, in words for a notice; empty on the Nodes we know. */
export function missingInternals(): string[] {
  if (!tested) testInternals()
  return [...missing]
}

/** Adds what only use can show. */
export function noteMissing(what: string): void {
  missing.add(what)
}

export function parserOf(socket: Duplex): HttpParser | null {
  return (socket as SocketInternals).parser ?? null
}

/** Reading has stopped because too much is waiting to be written: more requests may be in the kernel. */
export function isReadingPaused(socket: Duplex): boolean {
  return (socket as SocketInternals)._paused === true
}

/** The socket below a TLS socket. */
export function rawSocketOf(socket: Duplex): Duplex | undefined {
  return (socket as SocketInternals)._parent
}

export function headOf(response: ServerResponse): ResponseHead {
  // ServerResponse has these properties; its types leave out what is not documented.
  return response as unknown as ResponseHead
}

/** The parsers of connections that are in the middle of a message, or have not begun their first one. */
export function activeParsers(server: Server): readonly unknown[] {
  const list = propertyOf(server, CONNECTIONS)?.value as ConnectionsList | undefined
  return typeof list?.active === 'function' ? list.active() : []
}

/** Runs a server's own `close` so that time-outs stay enforced and HTTP/2 sessions are left alone. */
export function closeWithoutCutting<Result>(server: Server, close: () => Result): Result {
  const interval = propertyOf(server, CHECKING_INTERVAL)
  const sessions = propertyOf(server, SESSIONS)
  interval?.set(undefined)
  sessions?.set(new Set())
  try {
    return close()
  } finally {
    interval?.set(interval.value)
    sessions?.set(sessions.value)
    if (interval !== undefined) server.once('close', () => clearInterval(interval.value as NodeJS.Timeout | undefined))
  }
}

/** Cuts the end off a request's headers, where we have put ours. The parsed ones are made from the raw ones when asked for. */
export function cutHeaders(request: IncomingMessage, length: number): void {
  const count = propertyOf(request, HEADERS_COUNT)
  if (count === undefined) return
  request.rawHeaders.length = length
  count.set(length)
  Object.assign(request, { headers: null, headersDistinct: null })
}

/** Writes a whole 1xx response ahead of the one that is being made. */
export function writeInformation(response: ServerResponse, head: string): void {
  headOf(response)._writeRaw?.(head, 'latin1')
}

/** The parser of a connection takes so many bytes more of a head than the app has allowed. */
export function withRoomForHeader(server: Server, bytes: number, connect: () => void): void {
  const limits = server as { maxHeaderSize?: number }
  if (!('maxHeaderSize' in limits)) return connect()
  const { maxHeaderSize } = limits
  limits.maxHeaderSize = (maxHeaderSize ?? process.getBuiltinModule('node:http').maxHeaderSize) + bytes
  try {
    connect()
  } finally {
    Object.assign(limits, { maxHeaderSize })
  }
}

/** A connection counts as another server's from now on. */
export function moveToServer(socket: Socket, from: Server, to: Server): void {
  addToCount(from, -1)
  addToCount(to, 1)
  Object.assign(socket, { _server: to, server: to })
}

function addToCount(server: Server, change: number): void {
  const counted = server as unknown as { _connections?: number }
  if (counted._connections !== undefined) counted._connections += change
}

/** Reads on where reading has been stopped below the stream. */
export function startReading(socket: Socket): void {
  const { _handle: handle } = socket as { _handle?: { readStart?(): void } | null }
  handle?.readStart?.()
}

/** Replaces a method on one object; `restoreMethod` shows the original again. */
export function replaceMethod(object: object, name: string, method: (...args: never[]) => unknown): void {
  Object.defineProperty(object, name, { value: method, writable: true, configurable: true, enumerable: false })
}

/** Does nothing if somebody else has replaced the method again in the meantime. */
export function restoreMethod(object: object, name: string, method: unknown): void {
  const own = Object.getOwnPropertyDescriptor(object, name)
  if (own?.value === method) Reflect.deleteProperty(object, name)
}

/** A property that has a symbol of this description; symbols of Node's own are the same on all objects. */
function propertyOf(object: object, description: string) {
  let key = symbols.get(description)
  if (key === undefined || !(key in object)) {
    key = Object.getOwnPropertySymbols(object).find((symbol) => symbol.description === description)
    if (key === undefined) return undefined
    symbols.set(description, key)
  }
  const found = key
  return {
    value: Reflect.get(object, found) as unknown,
    set: (value: unknown) => void Reflect.set(object, found, value),
  }
}

function testInternals(): void {
  tested = true
  const http = process.getBuiltinModule('node:http')
  const response = http.ServerResponse.prototype as unknown as ResponseHead
  expectName(typeof response._storeHeader === 'function', '_storeHeader: responses announce the close too early')
  expectName('_header' in new http.OutgoingMessage(), '_header: event streams are cut instead of ended')
  expectName('_last' in new http.OutgoingMessage(), '_last: an own `Connection: keep-alive` of the app stays')
  expectName('destroySoon' in process.getBuiltinModule('node:net').Socket.prototype, 'destroySoon: no lingering close')
  expectName('_dump' in http.IncomingMessage.prototype, '_dump: late requests stay unread')
  expectName(typeof response._writeRaw === 'function', '_writeRaw: forwarded 1xx responses get lost')
  testRequest(http)
  testServer(http)
}

/** Headers are parsed when they are asked for, and again once they are gone. */
function testRequest(http: typeof httpModule): void {
  const request = new http.IncomingMessage(new (process.getBuiltinModule('node:net').Socket)())
  request.rawHeaders.push('a', '1', 'b', '2')
  propertyOf(request, HEADERS_COUNT)?.set(4)
  const before = Object.keys(request.headers)
  cutHeaders(request, 2)
  const isCut = before.length === 2 && Object.keys(request.headers).join() === 'a'
  expectName(isCut, `${HEADERS_COUNT}: forwarded requests show a header of ours`)
  request.destroy()
}

/** Node sets these up when a server listens and when it gets a connection: both can be had without a socket. */
function testServer(http: typeof httpModule): void {
  const server = http.createServer()
  server.emit('listening')
  const interval = propertyOf(server, CHECKING_INTERVAL)
  expectName(interval !== undefined, `${CHECKING_INTERVAL}: no time-outs after close()`)
  expectName(propertyOf(server, CONNECTIONS) !== undefined, `${CONNECTIONS}: half-received requests look idle`)
  expectName(Array.isArray(activeParsers(server)), 'ConnectionsList.active: half-received requests look idle')
  expectName('shouldUpgradeCallback' in server, 'shouldUpgradeCallback: WebSockets get no close frame')
  expectName('maxHeaderSize' in server, 'maxHeaderSize: forwarded requests may have less header')
  expectName('_connections' in server, '_connections: close() does not wait for private connections')

  const { PassThrough } = process.getBuiltinModule('node:stream')
  const socket = new PassThrough()
  server.emit('connection', socket)
  expectName(typeof parserOf(socket)?.onIncoming === 'function', 'parser.onIncoming: requests look like upgrades')
  expectName('_paused' in socket, '_paused: pipelined requests in the kernel are not seen')
  socket.destroy()
  clearInterval(interval?.value as NodeJS.Timeout | undefined)
}

function expectName(found: boolean, consequence: string): void {
  if (!found) missing.add(consequence)
}
