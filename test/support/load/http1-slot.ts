// One place in a lane of HTTP/1.1 connections: sends, reads the answer, pauses, sends again, and takes a new connection when
// the old one is over. A request that failed is never sent again.

import { Http1Connection, type ConnectionOwner, type Exchange } from './http1-connection.ts'
import { nameOf, type Lane } from './options.ts'
import type { FailureKind } from './outcome.ts'
import type { ResponseHead } from './response-parser.ts'
import type { Run, Sweepable } from './run.ts'

/** So that an outage is not counted by the million. */
const AFTER_FAILURE_MS = 10

let lastId = 0

export class Http1Slot implements ConnectionOwner, Sweepable {
  readonly #run: Run
  readonly #lane: Lane
  readonly #name: string
  readonly #getHead: string
  readonly #postHead: string
  readonly #payload: Buffer
  readonly #lingering = new Set<Http1Connection>()
  #connection: Http1Connection | null = null
  /** Requests of the present batch without an outcome. */
  #left = 0
  #postDebt = 0

  constructor(run: Run, lane: Lane) {
    this.#run = run
    this.#lane = lane
    this.#name = nameOf(lane)
    const host = 'path' in lane.target ? 'localhost' : `${lane.target.host}:${lane.target.port}`
    const close = lane.kind === 'once' ? 'Connection: close\r\n' : ''
    const own = Object.entries(lane.headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const common = `HTTP/1.1\r\nHost: ${host}\r\n${close}${own.join('')}`
    this.#getHead = `GET ${lane.path} ${common}X-Request-Id: `
    this.#postHead = `POST ${lane.postPath} ${common}Content-Length: ${lane.postBytes}\r\nX-Request-Id: `
    this.#payload = Buffer.alloc(lane.postBytes, 'supervise')
  }

  start(): void {
    this.#run.watch(this)
    this.#run.atEnd(() => this.#close())
    this.#run.next(() => this.#begin())
  }

  sweep(now: number): void {
    this.#connection?.sweep(now, this.#run.timeoutMs)
    for (const connection of this.#lingering) connection.sweep(now, this.#run.timeoutMs)
  }

  onConnected(connection: Http1Connection): void {
    this.#send(connection, connection.openedAt)
  }

  onAnswer(connection: Http1Connection, exchange: Exchange, head: ResponseHead): void {
    this.#run.recorder.succeeded(this.#name, exchange.sentAt, head.pid, head.release)
    const limit = this.#lane.requestsPerConnection
    if (--this.#left > 0) return
    if (limit > 0 && connection.answered >= limit) connection.close()
    this.#done(this.#thinkMs())
  }

  onFailure(connection: Http1Connection, kind: FailureKind, detail: string): void {
    this.#run.recorder.failedWith(this.#name, kind, detail, connection.context())
    if (kind === 'pipelineCut') this.#left--
  }

  onOver(connection: Http1Connection, why: 'closedIdle' | 'resetIdle' | 'announced' | 'failed' | 'own'): void {
    if (this.#connection === connection) this.#connection = null
    if (why === 'closedIdle' || why === 'resetIdle') this.#run.recorder.connection(this.#name, why)
    if (why === 'announced') this.#lingering.add(connection)
    if (why === 'failed' && this.#left > 0) this.#done(AFTER_FAILURE_MS)
  }

  onLingered(connection: Http1Connection, fact: 'closedAsAnnounced' | 'leftOpen'): void {
    this.#run.recorder.connection(this.#name, fact)
    this.#lingering.delete(connection)
  }

  #begin(): void {
    this.#run.entered()
    this.#left = this.#lane.kind === 'pipelined' ? this.#lane.depth : 1
    this.#run.spend(this.#left - 1)
    if (this.#connection?.isOpen === true) return this.#send(this.#connection, performance.now())
    this.#run.recorder.connection(this.#name, 'opened')
    this.#connection = new Http1Connection(this, this.#lane.target, this.#lane.tls)
  }

  #send(connection: Http1Connection, sentAt: number): void {
    if (this.#lane.kind !== 'pipelined' && this.#isPostNext()) {
      const id = String(++lastId)
      const head = Buffer.from(`${this.#postHead}${id}\r\n\r\n`, 'latin1')
      return connection.send(Buffer.concat([head, this.#payload]), [
        { id, sentAt, expect: { text: String(this.#lane.postBytes) }, status: 200 },
      ])
    }
    const exchanges = Array.from({ length: this.#left }, () => ({
      id: String(++lastId),
      sentAt,
      expect: this.#lane.expect,
      status: this.#lane.status,
    }))
    connection.send(exchanges.map(({ id }) => `${this.#getHead}${id}\r\n\r\n`).join(''), exchanges)
  }

  /** Spreads POSTs evenly, so that a share of 0.25 is every fourth request and not a matter of luck. */
  #isPostNext(): boolean {
    this.#postDebt += this.#lane.postShare
    if (this.#postDebt < 1) return false
    this.#postDebt--
    return true
  }

  #thinkMs(): number {
    const [least, most] = this.#lane.thinkMs
    return most === 0 ? 0 : least + Math.random() * (most - least)
  }

  #done(pauseMs: number): void {
    this.#left = 0
    // First the next request, then the end of this one: the run must not seem idle in between.
    this.#run.later(pauseMs, () => this.#begin())
    this.#run.left()
  }

  #close(): void {
    this.#run.unwatch(this)
    this.#connection?.close()
    for (const connection of this.#lingering) connection.socket.destroy()
  }
}
