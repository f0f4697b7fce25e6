// The end of a drain's time. What would live for ever is closed politely, spread over the time before; requests that
// are still under way are cut, and all of it is counted.

import { countCut } from './answers.ts'
import { countEnded, type Connection } from './connections.ts'
import { cutSession, isSessionLongLived } from './drain-http2.ts'
import { kindOf, leavingConnections } from './drain-leave.ts'
import { closeWebSocket, endForApp, linger, startLinger, stopTimeout } from './drain-linger.ts'
import { headOf, noteMissing, replaceMethod } from './node-internals.ts'

/** From the deadline on, peers have this long to take what was said to them and to close. */
const GOODBYE_MS = 1000
/** Looks at long-lived connections come about so often; see `drain-leave.ts`. */
const STEP_MS = 50

export interface Cuts {
  requestsCut: number
  connectionsCut: number
}

export interface DeadlineOptions {
  readonly deadlineMs: number
  readonly spreadMs: number
}

/** Whether requests that are under way at the deadline are cut, or only long-lived connections end. */
export type CutWhat = 'everything' | 'longLived'

export class Deadline {
  readonly cuts: Cuts = { requestsCut: 0, connectionsCut: 0 }
  readonly #at: number
  readonly #spreadFrom: number
  readonly #what: CutWhat
  #timer: NodeJS.Timeout
  #isStopped = false

  constructor({ deadlineMs, spreadMs }: DeadlineOptions, what: CutWhat) {
    this.#what = what
    this.#at = performance.now() + deadlineMs
    this.#spreadFrom = this.#at - spreadMs
    // Not at once: after a blocked loop what came in the meantime must be read, or it would be lost uncounted, and its
    // handlers get their turn.
    this.#timer = setTimeout(() => setImmediate(() => setImmediate(() => this.#pass())), deadlineMs)
    this.#timer.unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Closes as many long-lived connections as keep the pace to close the last one at the deadline. */
  spread(now: number): void {
    if (now < this.#spreadFrom || now >= this.#at) return
    const longLived = [...leavingConnections()].filter(isLongLived)
    const steps = Math.max(Math.ceil((this.#at - now) / STEP_MS), 1)
    for (const connection of longLived.slice(0, Math.floor(longLived.length / steps))) this.#end(connection)
  }

  #pass(): void {
    if (this.#isStopped) return
    for (const connection of leavingConnections()) {
      if (this.#what === 'everything' || isLongLived(connection)) this.#end(connection)
    }
    if (this.#what === 'everything') this.#timer = setTimeout(() => this.#destroyRest(), GOODBYE_MS).unref()
  }

  #destroyRest(): void {
    for (const connection of leavingConnections()) {
      this.cuts.requestsCut += connection.open
      connection.socket.destroy()
    }
  }

  #end(connection: Connection): void {
    try {
      if (connection.phase === 'leaving' && !connection.socket.destroyed) endNow(connection, this.cuts)
    } catch (error) {
      noteMissing(`closing a connection at the deadline failed: ${String(error)}`)
      connection.socket.destroy()
    }
  }
}

function isLongLived(connection: Connection): boolean {
  if (connection.phase !== 'leaving') return false
  if (connection.session !== null) return isSessionLongLived(connection.session)
  return kindOf(connection) === 'upgraded' || isEventStream(connection)
}

function endNow(connection: Connection, cuts: Cuts): void {
  if (connection.session !== null) {
    const { requestsCut, connectionsCut } = cutSession(connection, connection.session)
    cuts.requestsCut += requestsCut
    cuts.connectionsCut += connectionsCut
    return
  }
  if (kindOf(connection) === 'upgraded') {
    cuts.connectionsCut++
    startLinger(connection)
    if (connection.upgrade === 'websocket') closeWebSocket(connection.socket)
    else endForApp(connection.socket)
    stopTimeout(connection.socket)
    connection.socket.resume()
    return
  }
  if (connection.open === 0) return linger(connection)
  if (isEventStream(connection)) {
    cuts.connectionsCut++
    return endEventStream(connection)
  }
  // The app has said all; it only has to get through.
  if (connection.open === 1 && connection.last?.writableEnded) return
  cuts.requestsCut += connection.open
  connection.socket.destroy()
}

function isEventStream({ last, open }: Connection): boolean {
  return open === 1 && last !== null && /^content-type:[ \t]*text\/event-stream/im.test(headOf(last)._header ?? '')
}

function endEventStream(connection: Connection): void {
  const response = connection.last
  if (response === null) return
  headOf(response)._last = true
  if (countEnded(connection, false)) countCut(connection, response)
  replaceMethod(connection.socket, 'destroySoon', () => linger(connection))
  endForApp(response as unknown as Parameters<typeof endForApp>[0])
}
