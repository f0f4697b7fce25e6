// One place in a lane of plain TCP connections: sends a line and expects the same bytes back.

import type net from 'node:net'
import { openSocket } from './http1-connection.ts'
import { nameOf, type Lane } from './options.ts'
import { codeOf, failureOfError, type FailureKind } from './outcome.ts'
import type { Run, Sweepable } from './run.ts'

const AFTER_FAILURE_MS = 10

export class TcpEchoSlot implements Sweepable {
  readonly #run: Run
  readonly #lane: Lane
  readonly #name: string
  #socket: net.Socket | null = null
  #openedAt = 0
  #isConnected = false
  #sent: { readonly line: string; readonly at: number } | null = null
  #got = ''
  #lines = 0

  constructor(run: Run, lane: Lane) {
    this.#run = run
    this.#lane = lane
    this.#name = nameOf(lane)
  }

  start(): void {
    this.#run.watch(this)
    this.#run.atEnd(() => {
      this.#run.unwatch(this)
      this.#socket?.destroy()
    })
    this.#run.next(() => this.#begin())
  }

  sweep(now: number): void {
    if (this.#sent !== null && now - this.#sent.at > this.#run.timeoutMs) this.#broke('timedOut')
  }

  #begin(): void {
    this.#run.entered()
    this.#sent = { line: `line ${++this.#lines}\n`, at: performance.now() }
    if (this.#socket === null) this.#connect()
    else this.#socket.write(this.#sent.line)
  }

  #connect(): void {
    this.#run.recorder.connection(this.#name, 'opened')
    const socket = openSocket(this.#lane.target, this.#lane.tls, [])
    this.#socket = socket
    this.#isConnected = false
    this.#openedAt = performance.now()
    this.#got = ''
    socket.once(this.#lane.tls ? 'secureConnect' : 'connect', () => {
      this.#isConnected = true
      socket.write(this.#sent?.line ?? '')
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString()))
    // An old connection's end must not be taken for the new one's.
    socket.on('end', () => this.#socket === socket && this.#broke('ended'))
    socket.on('error', (error) => this.#socket === socket && this.#broke(codeOf(error)))
  }

  #read(text: string): void {
    this.#got += text
    if (this.#sent === null) return this.#fail('extraBytes', JSON.stringify(text))
    if (!this.#sent.line.startsWith(this.#got)) return this.#fail('wrongBody', JSON.stringify(this.#got.slice(0, 60)))
    if (this.#got.length < this.#sent.line.length) return
    this.#run.recorder.succeeded(this.#name, this.#sent.at, null, null)
    this.#got = ''
    this.#sent = null
    const [least, most] = this.#lane.thinkMs
    this.#run.later(least + Math.random() * (most - least), () => this.#begin())
    this.#run.left()
  }

  #broke(why: string): void {
    if (this.#sent === null) {
      this.#run.recorder.connection(this.#name, why === 'ended' ? 'closedIdle' : 'resetIdle')
      this.#drop()
      return
    }
    if (why === 'timedOut') return this.#fail('timedOut', this.#isConnected ? 'no echo' : 'connecting')
    if (this.#got.length > 0) return this.#fail('truncated', why)
    this.#fail(why === 'ended' ? 'emptyReply' : failureOfError(why), why)
  }

  #fail(kind: FailureKind, detail: string): void {
    this.#run.recorder.failedWith(this.#name, kind, detail, {
      connectionAgeMs: Math.round(performance.now() - this.#openedAt),
      idleBeforeMs: null,
      requestsBefore: this.#lines - 1,
      bytesSeen: this.#got.length,
      localPort: this.#socket?.localPort ?? null,
    })
    this.#drop()
    if (this.#sent === null) return
    this.#sent = null
    this.#run.later(AFTER_FAILURE_MS, () => this.#begin())
    this.#run.left()
  }

  #drop(): void {
    this.#socket?.destroy()
    this.#socket = null
    this.#got = ''
  }
}
