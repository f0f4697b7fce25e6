// Connections that are to end: how each kind begins to leave, and the regular look at all of them that ends the idle
// ones after their grace.

import { countAllCut } from './answers.ts'
import { connections, removeConnection, type Connection, type LeaveReason } from './connections.ts'
import { interceptEvents, isIdle, leaveAfterLast, returnToServing } from './drain-http1.ts'
import { sayGoAway } from './drain-http2.ts'
import { isLingerOver, linger, startLinger } from './drain-linger.ts'
import { activeParsers, noteMissing, parserOf } from './node-internals.ts'

const SWEEP_MS = 50
/** An idle client that honours `Keep-Alive: timeout=5`, Node's default, has gone by itself by then. */
const GRACE_MS = 5000

export type Kind = 'http1' | 'http2' | 'handshake' | 'upgraded'

const leaving = new Set<Connection>()
let timer: NodeJS.Timeout | null = null
let afterSweep: ((now: number) => void) | null = null
type ActiveParsers = Map<Connection['server'], ReadonlySet<unknown>>

/** Called after each look, as long as anything leaves. */
export function onSweep(callback: (now: number) => void): void {
  afterSweep = callback
}

export function leavingConnections(): ReadonlySet<Connection> {
  return leaving
}

export function kindOf(connection: Connection): Kind {
  if (connection.session !== null) return 'http2'
  if (connection.upgrade === null && parserOf(connection.socket) !== null) return 'http1'
  const isTls = typeof (connection.server as { setSecureContext?: unknown }).setSecureContext === 'function'
  const isEncrypted = (connection.socket as { encrypted?: boolean }).encrypted === true
  return isTls && !isEncrypted ? 'handshake' : 'upgraded'
}

/** Lets a connection end as soon as it can without losing anything. */
export function leave(connection: Connection, reason: LeaveReason): void {
  if (connection.phase !== 'serving') {
    // What cannot be taken back wins.
    if (connection.reason === 'drain') connection.reason = reason
    return
  }
  connection.phase = 'leaving'
  connection.reason = reason
  connection.quietSince = 0
  leaving.add(connection)
  interceptEvents(connection.server)
  if (connection.session !== null) sayGoAway(connection.session)
  else leaveAfterLast(connection)
  startSweeping()
}

/** Takes `leave` back where that is still possible. */
export function stay(connection: Connection): void {
  if (connection.phase !== 'leaving' || connection.reason !== 'drain') return
  if (connection.session === null && returnToServing(connection)) leaving.delete(connection)
}

/** The connection has closed. */
export function forget(connection: Connection): void {
  if (connections.has(connection)) countAllCut(connection)
  removeConnection(connection)
  leaving.delete(connection)
}

function startSweeping(): void {
  if (timer !== null) return
  timer = setInterval(sweep, SWEEP_MS)
  timer.unref()
}

function sweep(): void {
  const now = performance.now()
  const active: ActiveParsers = new Map()
  const expired: Connection[] = []
  for (const connection of leaving) {
    attempt(() => {
      if (look(connection, now, active)) expired.push(connection)
    })
  }
  // The loop may have been blocked: what the kernel holds has been read once more when this runs.
  if (expired.length > 0) setImmediate(endIfStillQuiet, expired)
  afterSweep?.(now)
  if (leaving.size > 0 || timer === null) return
  clearInterval(timer)
  timer = null
}

/** True if the connection is idle and its grace is over. */
function look(connection: Connection, now: number, active: ActiveParsers): boolean {
  if (connection.socket.destroyed) return false
  if (connection.phase === 'lingering') {
    if (isLingerOver(connection, now)) connection.socket.destroy()
    return false
  }
  switch (kindOf(connection)) {
    case 'upgraded':
      return false
    case 'http2':
      if (connection.session?.http2.destroyed) startLinger(connection)
      return false
    case 'handshake': {
      const isSilent = connection.socket.bytesRead === connection.bytesSeen
      connection.bytesSeen = connection.socket.bytesRead
      return isGraceOver(connection, now, isSilent)
    }
    case 'http1':
      return isGraceOver(connection, now, isIdle(connection, activeOf(connection, active)))
  }
}

function isGraceOver(connection: Connection, now: number, idle: boolean): boolean {
  if (!idle) connection.quietSince = 0
  else if (connection.quietSince === 0) connection.quietSince = now
  return idle && now - connection.quietSince >= graceOf(connection)
}

function endIfStillQuiet(expired: readonly Connection[]): void {
  const active: ActiveParsers = new Map()
  for (const connection of expired) {
    if (connection.phase !== 'leaving' || connection.quietSince === 0) continue
    attempt(() => {
      if (kindOf(connection) !== 'http1' || isIdle(connection, activeOf(connection, active))) linger(connection)
    })
  }
}

/** Asked for once a sweep: with thousands of connections it is a long list. */
function activeOf({ server }: Connection, active: ActiveParsers): ReadonlySet<unknown> {
  let parsers = active.get(server)
  if (parsers === undefined) active.set(server, (parsers = new Set(activeParsers(server))))
  return parsers
}

function attempt(step: () => void): void {
  try {
    step()
  } catch (error) {
    noteMissing(`ending a connection failed: ${String(error)}`)
  }
}

function graceOf(connection: Connection): number {
  const { keepAliveTimeout } = connection.server as { keepAliveTimeout?: number }
  return keepAliveTimeout !== undefined && keepAliveTimeout > 0 ? Math.min(keepAliveTimeout, GRACE_MS) : GRACE_MS
}

/** What is open: connections with a request under way, without one, and those that HTTP has left. */
export function countOpen(): { busy: number; idle: number; upgraded: number } {
  const open = { busy: 0, idle: 0, upgraded: 0 }
  for (const connection of connections) {
    if (connection.phase === 'lingering') open.idle++
    else if (kindOf(connection) === 'upgraded') open.upgraded++
    else if (connection.open > 0) open.busy++
    else open.idle++
  }
  return open
}
