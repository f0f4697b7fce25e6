// What the app has answered: how often with which status, and how long it took.
//
// Left out is
// 1. what the other group's worker answers, since it is counted there; a 502 of our own is no answer of the app's at all;
// 2. what comes through the private endpoint without a client behind it: probes, smoke tests, previews;
// 3. a request that chose its group by a header: somebody tries a release, and it says nothing of the public;
// 4. what the supervisor asks at the public address (public-probes.ts).

import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'

import type { Responses } from '../protocol/messages.ts'
import { ABORTED, type RequestCounts } from '../protocol/request-counts.ts'
import { connections, type Connection } from './connections.ts'
import { isProbe } from './private-connections.ts'
import { durationOf, methodOf } from './request-clock.ts'
import { traceAnswer } from './request-trace.ts'
import { RequestTally } from './request-tally.ts'

const tally = new RequestTally()

type Exchange = ServerResponse | ServerHttp2Stream

/**
 * Answered by the other group's worker; by its app, but for a client that has chosen, or for a probe; by us, in the app's place.
 * As bits: there may be several reasons.
 */
const WHY = { forwarded: 1, chosen: 2, probe: 4, ours: 8 } as const

export type LeftOut = keyof typeof WHY

const leftOut = new WeakMap<Exchange, number>()
/** The one check that an app without routes pays. */
let hasLeftOut = false

export function leaveOut(exchange: Exchange, why: LeftOut): void {
  hasLeftOut = true
  leftOut.set(exchange, (leftOut.get(exchange) ?? 0) | WHY[why])
}

/** Nobody over there could be reached: it is answered here. A probe, or who has chosen the group, is left out all the same. */
export function takeIn(exchange: Exchange): void {
  const others = (leftOut.get(exchange) ?? 0) & ~WHY.forwarded
  if (others === 0) leftOut.delete(exchange)
  else leftOut.set(exchange, others)
}

export function countAnswer(connection: Connection, exchange: Exchange, status: number): void {
  if (isTracedHere(connection, exchange)) traceAnswer(exchange, status)
  if (isLeftOut(connection, exchange)) return
  tally.count(methodOf(exchange), status < 100 ? ABORTED : status, durationOf(exchange))
}

export function countCut(connection: Connection, exchange: Exchange): void {
  countAnswer(connection, exchange, 0)
}

/** The connection has ended with requests open. */
export function countAllCut(connection: Connection): void {
  for (const exchange of underWay(connection)) countCut(connection, exchange)
}

/** The process ends, and every connection with it. Returns how many requests that cuts; the heartbeat after it tells of them. */
export function countCutByExit(): number {
  let cut = 0
  for (const connection of connections) {
    for (const exchange of underWay(connection)) {
      if (isLeftOut(connection, exchange)) continue
      tally.countCut(methodOf(exchange), durationOf(exchange))
      cut++
    }
  }
  return cut
}

function* underWay({ last, open, session }: Connection): Iterable<Exchange> {
  if (session !== null) {
    for (const [stream, kind] of session.streams) if (kind === 'request') yield stream
    return
  }
  // One after the other: what is true of the last is true of those before it.
  if (last !== null) for (let left = open; left > 0; left--) yield last
}

/** What has changed since it was asked last, or all of it; null when there is nothing to tell. */
export function answersToTell(all: boolean): RequestCounts | null {
  return tally.tell(all)
}

/** By class of status, since the start of the process. */
export function responses(): Responses {
  return tally.responses()
}

function isLeftOut({ socket }: Connection, exchange: Exchange): boolean {
  return isProbe(socket) || (hasLeftOut && leftOut.has(exchange))
}

/** The span of a forwarded request is made over there; one that we have answered ourselves has none there. */
function isTracedHere({ socket }: Connection, exchange: Exchange): boolean {
  const why = hasLeftOut ? (leftOut.get(exchange) ?? 0) : 0
  const isElsewhere = (why & (WHY.forwarded | WHY.ours)) === WHY.forwarded
  return !isElsewhere && (why & WHY.probe) === 0 && !isProbe(socket)
}
