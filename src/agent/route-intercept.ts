// Where requests are routed: an own `emit` on each of the app's HTTP servers, below the one that a drain puts on it. What
// belongs to the other group is forwarded, everything else reaches the app as if nothing were there; that a connection
// is to move to the other group's workers is left to the drain's way of ending connections.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'

import type { ListenerKey } from '../protocol/messages.ts'
import type { RouteTable } from '../protocol/routes.ts'
import { leaveOut } from './answers.ts'
import { connectionOf } from './connections.ts'
import { leave } from './drain-leave.ts'
import { forwardHttp1 } from './forward-http1.ts'
import { forwardHttp2 } from './forward-http2.ts'
import { forwardUpgrade } from './forward-upgrade.ts'
import { takeOffHop } from './hop-header.ts'
import { replaceMethod } from './node-internals.ts'
import { isPrivate } from './private-connections.ts'
import { nameRelease, nameReleaseOfStream } from './release-header.ts'
import { isChosenByClient, isStandby, peersFor, routing, takeTable } from './route-state.ts'
import { endUnusedUpstreams } from './upstream.ts'

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean

/** A server whose requests are routed. */
interface Routed {
  /** A server can be closed and listen again elsewhere. */
  key: ListenerKey
}

/** One event of a server. */
interface Event {
  readonly key: ListenerKey
  readonly name: string
  readonly args: readonly unknown[]
  /** Goes on to the app. */
  readonly runHere: () => void
}

const routed = new WeakMap<Server, Routed>()

/** Routes the requests of a server that listens; with no table that is one check for each of its events. */
export function routeServer(server: Server, key: ListenerKey): void {
  const known = routed.get(server)
  if (known !== undefined) known.key = key
  else if ('closeIdleConnections' in server || 'updateSettings' in server) intercept(server, key)
}

/** Puts a table in force, or none; answers with the epoch that is in force then. */
export function setRoutes(table: RouteTable | null): number {
  takeTable(table)
  endUnusedUpstreams()
  return routing.table?.epoch ?? 0
}

function intercept(server: Server, key: ListenerKey): void {
  const state: Routed = { key }
  routed.set(server, state)
  const inner = Reflect.get(server, 'emit') as Emit
  const emit: Emit = function (name, ...args) {
    if (!routing.isOn) return inner.call(this, name, ...args)
    const isTaken = take({ key: state.key, name, args, runHere: () => void inner.call(this, name, ...args) })
    return isTaken || inner.call(this, name, ...args)
  }
  replaceMethod(server, 'emit', emit)
}

/** True if the app shall not see the event. */
function take(event: Event): boolean {
  switch (event.name) {
    case 'request':
    case 'checkContinue':
    case 'checkExpectation':
      return takeRequest(event)
    case 'upgrade':
    case 'connect':
      return takeUpgrade(event)
    case 'stream':
      return takeStream(event)
    case 'timeout':
      return isIdlePrivate(event.args[0] as Socket)
    default:
      return false
  }
}

function takeRequest({ key, name, args, runHere }: Event): boolean {
  const [request, response] = args as [IncomingMessage, ServerResponse]
  // Streams were routed before.
  if (request.httpVersionMajor >= 2) return nameRelease(response)
  const isFinal = isPrivate(request.socket)
  if (isFinal) takeOffHop(request, response)
  if (isChosenByClient(request.headers)) leaveOut(response, 'chosen')
  if (!isFinal) {
    const peers = peersFor(key, request.headers)
    if (peers !== null) {
      moveClient(request.socket)
      forwardHttp1({ event: name, request, response, peers, runHere: () => nameRelease(response) || runHere() })
      return true
    }
  }
  return nameRelease(response)
}

function takeUpgrade({ key, args, runHere }: Event): boolean {
  const [request, client, head] = args as [IncomingMessage, Socket, Buffer]
  if (request.httpVersionMajor >= 2) return false
  if (isPrivate(request.socket)) {
    takeOffHop(request, null)
    return false
  }
  const peers = peersFor(key, request.headers)
  if (peers === null) return false
  forwardUpgrade({ request, client, head, peers, runHere })
  return true
}

function takeStream({ key, args, runHere }: Event): boolean {
  const [stream, headers, flags] = args as [ServerHttp2Stream, IncomingHttpHeaders, number]
  const socket = stream.session?.socket
  if (isChosenByClient(headers)) leaveOut(stream, 'chosen')
  const peers = isPrivate(socket) ? null : peersFor(key, headers)
  if (peers === null) return nameReleaseOfStream(stream)
  // Later: GOAWAY must not be sent from within nghttp2's own callback.
  setImmediate(moveClient, socket)
  forwardHttp2({ stream, headers, flags, peers, runHere: () => nameReleaseOfStream(stream) || runHere() })
  return true
}

/** A client of the other group's requests shall come to that group's workers by itself: this connection ends. */
function moveClient(socket: Socket | undefined): void {
  if (!isStandby()) return
  const connection = connectionOf(socket)
  if (connection?.phase === 'serving') leave(connection, 'moved')
}

/** How long a connection between workers may be idle is for the one that opened it to say: closing it races with a request. */
function isIdlePrivate(socket: Socket): boolean {
  const connection = connectionOf(socket)
  return connection?.open === 0 && isPrivate(socket)
}
