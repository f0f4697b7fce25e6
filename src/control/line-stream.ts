// One answer of newline-delimited JSON. What has been is sent at the reader's pace; what comes meanwhile waits in memory,
// up to a limit: a client that stops reading is dropped rather than waited for.

import type { ServerResponse } from 'node:http'
import { readTooSlowly } from '../errors/control.ts'
import { SCHEMA } from './messages.ts'

export interface LineStreamLimits {
  readonly maxWaitingBytes: number
  /** How long a dropped client may take to read why. */
  readonly farewellMs: number
}

export class LineStream {
  readonly #response: ServerResponse
  readonly #limits: LineStreamLimits
  readonly #onDropped: () => void
  /** What has been, not yet sent; its items belong to the feed and cost nothing here. */
  #past: Iterator<object> | null = null
  /** Lines that came before the past was sent. */
  #held: string[] = []
  #heldBytes = 0
  #ended = false

  constructor(response: ServerResponse, limits: LineStreamLimits, onDropped: () => void) {
    this.#response = response
    this.#limits = limits
    this.#onDropped = onDropped
    response.setHeader('content-type', 'application/x-ndjson')
    response.on('drain', () => this.#sendPast())
    response.on('close', () => this.#forget())
  }

  /** Sends the head, so that the client knows that its request was taken. */
  open(): void {
    if (!this.#response.headersSent && !this.#response.destroyed) this.#response.flushHeaders()
  }

  /** Sends these before anything that is written from now on. */
  replay(past: Iterable<object>): void {
    this.#past = past[Symbol.iterator]()
    this.#sendPast()
  }

  write(document: object): void {
    if (this.#ended || this.#response.destroyed) return
    const line = lineOf(document)
    if (this.#past === null) this.#response.write(line)
    else {
      this.#held.push(line)
      this.#heldBytes += Buffer.byteLength(line)
    }
    const waitingBytes = this.#heldBytes + this.#response.writableLength
    if (waitingBytes > this.#limits.maxWaitingBytes) this.#drop(waitingBytes)
  }

  /** Ends the answer once everything has been sent. */
  end(): void {
    this.#ended = true
    if (this.#past === null) this.#response.end()
  }

  #sendPast(): void {
    while (this.#past !== null && !this.#response.writableNeedDrain && !this.#response.destroyed) {
      const next = this.#past.next()
      if (next.done === true) this.#catchUp()
      else this.#response.write(lineOf(next.value))
    }
  }

  #catchUp(): void {
    const held = this.#held.join('')
    this.#past = null
    this.#held = []
    this.#heldBytes = 0
    if (held !== '') this.#response.write(held)
    if (this.#ended) this.#response.end()
  }

  #drop(waitingBytes: number): void {
    this.#forget()
    this.#onDropped()
    this.#response.end(lineOf({ type: 'error', error: readTooSlowly(waitingBytes).toJSON() }))
    const farewell = setTimeout(() => this.#response.destroy(), this.#limits.farewellMs)
    this.#response.once('close', () => clearTimeout(farewell))
  }

  #forget(): void {
    this.#ended = true
    this.#past = null
    this.#held = []
    this.#heldBytes = 0
  }
}

function lineOf(document: object): string {
  return `${JSON.stringify({ schema: SCHEMA, ...document })}\n`
}
