// HTTP/1 on a leaving connection: `Connection: close` lands on exactly the last response. Earlier, and pipelined
// requests would be lost; later, and the client would never go.
//
// What makes it exact: the decision falls when a response's head is written, not when its request came; and requests
// are handed to the app one turn of the loop later, when everything that the kernel had for the connection is parsed.

import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:net'

import { connectionOf, countEnded, type Connection } from './connections.ts'
import { linger } from './drain-linger.ts'
import {
  activeParsers,
  headOf,
  isReadingPaused,
  parserOf,
  replaceMethod,
  restoreMethod,
  type ResponseHead,
} from './node-internals.ts'

/** Responses to requests that came after the close was announced: their handlers are not run. */
const unwanted = new WeakSet<ServerResponse>()
const lingeringEnds = new WeakMap<object, () => void>()

/** The connection begins to leave while requests are under way. */
export function leaveAfterLast(connection: Connection): void {
  if (connection.last === null) return
  connection.pipelined = connection.open > 1
  endByLingering(connection)
  announceCloseIfLast(connection, connection.last)
}

/** A request was parsed on a leaving connection; its event comes next. */
export function requestArrived(connection: Connection, response: ServerResponse): void {
  const isTooLate = connection.closeAnnounced || (connection.last !== null && headOf(connection.last)._last)
  if (isTooLate || connection.phase === 'lingering') {
    unwanted.add(response)
    countEnded(connection, false)
    return
  }
  connection.quietSince = 0
  if (connection.last !== null) connection.pipelined = true
  connection.last = response
  endByLingering(connection)
  announceCloseIfLast(connection, response)
}

/** Serves on as if nothing had been. What has announced its close must still end. */
export function returnToServing(connection: Connection): boolean {
  if (connection.closeAnnounced || connection.phase === 'lingering') return false
  const end = lingeringEnds.get(connection.socket)
  if (end !== undefined) restoreMethod(connection.socket, 'destroySoon', end)
  connection.phase = 'serving'
  // The time-out that was ignored does not come again by itself.
  if (connection.timedOut) connection.socket.setTimeout(connection.socket.timeout ?? 0)
  connection.timedOut = false
  return true
}

/** No request is under way, and none has begun to come in. */
export function isIdle(connection: Connection, active: ReadonlySet<unknown>): boolean {
  const { socket } = connection
  const parser = parserOf(socket)
  if (connection.open > 0 || isReadingPaused(socket) || parser?.incoming) return false
  // Node counts a connection that has not sent anything yet as active.
  return socket.bytesRead === 0 || !active.has(parser)
}

/** After a `Connection: close` response Node calls `destroySoon`, which would answer late bytes with a reset. */
function endByLingering(connection: Connection): void {
  const { socket } = connection
  if (lingeringEnds.has(socket) && Object.hasOwn(socket, 'destroySoon')) return
  const end = () => linger(connection)
  lingeringEnds.set(socket, end)
  replaceMethod(socket, 'destroySoon', end)
}

function announceCloseIfLast(connection: Connection, response: ServerResponse): void {
  const head = headOf(response)
  const store = head._storeHeader
  if (head._header !== null) return
  if (store === undefined) {
    head.shouldKeepAlive = false
    return
  }
  replaceMethod(response, '_storeHeader', (firstLine: string, headers: unknown) => {
    const isLast = isLastResponse(connection, response)
    if (isLast) head.shouldKeepAlive = false
    store.call(head, firstLine, headers)
    if (isLast) sayClose(head)
    if (head._last) connection.closeAnnounced = true
  })
}

function isLastResponse(connection: Connection, response: ServerResponse): boolean {
  if (connection.phase !== 'leaving' || connection.last !== response) return false
  // 101 is no answer: the app goes on with the connection by itself.
  return response.statusCode !== 101 && !isNextBegun(connection, response)
}

/** The head of a further request has come in part. Only a client that pipelines does that. */
function isNextBegun(connection: Connection, response: ServerResponse): boolean {
  if (!connection.pipelined || !response.req.complete) return false
  if (isReadingPaused(connection.socket)) return true
  return activeParsers(connection.server).includes(parserOf(connection.socket))
}

/** Overrules a `Connection: keep-alive` of the app's own, or Node's silence where the app removed the header. */
function sayClose(head: ResponseHead): void {
  head._last = true
  if (head._header === null || /^connection:.*\bclose\b/im.test(head._header)) return
  const kept = head._header
    .replace(/^connection:[ \t]*keep-alive[ \t]*\r\n/gim, '')
    .replace(/^keep-alive:.*\r\n/gim, '')
  head._header = `${kept.slice(0, -2)}Connection: close\r\n\r\n`
}

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean
interface Interception {
  readonly inner: Emit
  readonly outer: Emit
  readonly wasOwn: boolean
}
const interceptions = new WeakMap<Server, Interception>()

/** Puts an own `emit` on the server that defers the requests of leaving connections and keeps Node from cutting them. */
export function interceptEvents(server: Server): void {
  if (interceptions.has(server)) return
  const inner = Reflect.get(server, 'emit') as Emit
  const outer: Emit = function (event, ...args) {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        if (deferRequest(args, () => void inner.call(this, event, ...args))) return true
        break
      case 'timeout':
        if (ignoreTimeout(args[0])) return true
    }
    return inner.call(this, event, ...args)
  }
  interceptions.set(server, { inner, outer, wasOwn: Object.hasOwn(server, 'emit') })
  replaceMethod(server, 'emit', outer)
}

/** Somebody else's wrapper around ours stays, and ours with it: it lets everything through. */
export function restoreEvents(server: Server): void {
  const interception = interceptions.get(server)
  if (interception === undefined || server.emit !== (interception.outer as unknown)) return
  interceptions.delete(server)
  if (interception.wasOwn) replaceMethod(server, 'emit', interception.inner)
  else restoreMethod(server, 'emit', interception.outer)
}

function deferRequest(args: readonly unknown[], run: () => void): boolean {
  const [request, response] = args as [IncomingMessage, ServerResponse]
  if (request.httpVersionMajor !== 1) return false
  const connection = connectionOf(request.socket)
  if (connection === undefined || connection.phase === 'serving') return false
  if (unwanted.has(response)) return true
  const resume = AsyncResource.bind(() => {
    if (!connection.socket.destroyed) run()
  })
  setImmediate(resume)
  return true
}

/** Node destroys a connection whose idle time is over; a leaving one ends politely, at the end of its grace. */
function ignoreTimeout(socket: unknown): boolean {
  const connection = typeof socket === 'object' ? connectionOf(socket) : undefined
  if (connection === undefined || connection.phase === 'serving' || connection.open > 0) return false
  const parser = parserOf(connection.socket)
  if (parser === null || parser.incoming !== null) return false
  connection.timedOut = true
  return true
}
