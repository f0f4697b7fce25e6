// The drain: what is under way is finished, nothing new is taken, and nobody loses a request by it. This file tells the
// story; how a connection leaves is in drain-leave.ts, what happens when time is up in drain-deadline.ts.

import type { Server } from 'node:net'

import type { DrainProgress, DrainReport } from '../protocol/messages.ts'
import { connections, counters, type Connection } from './connections.ts'
import { Deadline, type DeadlineOptions } from './drain-deadline.ts'
import { restoreEvents } from './drain-http1.ts'
import { countOpen, kindOf, leave, leavingConnections, onSweep, stay } from './drain-leave.ts'
import { followConnections, limitRequests } from './drain-watch.ts'
import { replaceClose } from './server-close.ts'

export interface DrainOptions extends DeadlineOptions {
  /** From now; what is still open then is closed. */
  readonly deadlineMs: number
  /** Long-lived connections (WebSockets, event streams, plain ones) are closed over this time before the deadline. */
  readonly spreadMs: number
  /** At most four times a second, and only when figures have changed. */
  onProgress(progress: DrainProgress): void
  /** Once, unless the drain is undone. */
  onDone(report: DrainReport): void
}

/** A drain that the supervisor has ordered. */
interface Order {
  readonly options: DrainOptions
  readonly deadline: Deadline
  readonly startedAt: number
  readonly answeredBefore: number
  progress: DrainProgress
  progressAt: number
  isDone: boolean
}

const PROGRESS_MS = 250

let order: Order | null = null

const watched = new WeakSet<Server>()
const listening = new Set<Server>()
/** Closed by the app, and not listening again. */
const closed = new WeakSet<Server>()
/** Bounds the life of long-lived connections when the app has closed its last server without being drained; requests take
    the time that they take. */
let closeBound: DeadlineOptions = { deadlineMs: 30_000, spreadMs: 5_000 }
let closeDeadline: Deadline | null = null

/** Follows the connections of a server that listens through the gate; called before the app's `listening` callback. */
export function watchServer(server: Server): void {
  closed.delete(server)
  listening.add(server)
  closeDeadline?.stop()
  closeDeadline = null
  if (watched.has(server)) return
  watched.add(server)
  followConnections(server, { appeared, vanished })
  replaceClose(server, { closed: serverClosed, closeIdle })
  onSweep(sweepEnded)
}

/** Drains all watched servers. Their slots are detached already. */
export function beginDrain(options: DrainOptions): void {
  const now = performance.now()
  order?.deadline.stop()
  order = {
    options,
    deadline: new Deadline(options, 'everything'),
    startedAt: order?.startedAt ?? now,
    answeredBefore: order?.answeredBefore ?? counters.answered,
    progress: { busy: 0, idle: 0, upgraded: 0 },
    progressAt: -Infinity,
    isDone: false,
  }
  closeDeadline?.stop()
  closeDeadline = null
  for (const connection of connections) leave(connection, closed.has(connection.server) ? 'closed' : 'drain')
  finishIfEmpty()
}

/** Goes back to serving as if nothing had been. Connections that were told to go still go. */
export function undoDrain(): void {
  if (order === null) return
  order.deadline.stop()
  order = null
  for (const connection of connections) stay(connection)
  const stillLeaving = new Set([...leavingConnections()].map((connection) => connection.server))
  for (const server of listening) if (!stillLeaving.has(server)) restoreEvents(server)
}

/** Closes a keep-alive connection politely after `n` requests; 0 is never. */
export function setMaxRequestsPerConnection(n: number): void {
  limitRequests(n)
}

/** How long WebSockets, event streams and plain connections outlive an app's own close of its last server. */
export function setCloseBound(bound: DeadlineOptions): void {
  closeBound = bound
}

/** Connections come while draining too: they were accepted just before, or their handshake took so long. */
function appeared(connection: Connection): void {
  if (closed.has(connection.server)) leave(connection, 'closed')
  else if (order !== null) leave(connection, 'drain')
}

function vanished(): void {
  if (order !== null && connections.size === 0) finishIfEmpty()
}

function serverClosed(server: Server): void {
  closed.add(server)
  listening.delete(server)
  for (const connection of connections) if (connection.server === server) leave(connection, 'closed')
  if (order === null && listening.size === 0) closeDeadline ??= new Deadline(closeBound, 'longLived')
}

function closeIdle(server: Server): void {
  for (const connection of connections) {
    if (connection.server === server && connection.open === 0 && kindOf(connection) === 'http1')
      leave(connection, 'asked')
  }
}

function sweepEnded(now: number): void {
  const deadline = order?.deadline ?? closeDeadline
  deadline?.spread(now)
  if (order !== null && !order.isDone && connections.size > 0) reportProgress(order, now)
}

function reportProgress(current: Order, now: number): void {
  if (now - current.progressAt < PROGRESS_MS) return
  const { busy, idle, upgraded } = countOpen()
  const before = current.progress
  if (before.busy === busy && before.idle === idle && before.upgraded === upgraded) return
  current.progress = { busy, idle, upgraded }
  current.progressAt = now
  current.options.onProgress(current.progress)
}

/** One turn later: a connection that turns from plain to TLS is gone for a moment. */
function finishIfEmpty(): void {
  const current = order
  setImmediate(() => {
    if (current === null || current !== order || current.isDone || connections.size > 0) return
    current.isDone = true
    current.deadline.stop()
    current.options.onDone({
      tookMs: Math.round(performance.now() - current.startedAt),
      requestsCut: current.deadline.cuts.requestsCut,
      connectionsCut: current.deadline.cuts.connectionsCut,
      served: counters.answered - current.answeredBefore,
    })
  })
}
