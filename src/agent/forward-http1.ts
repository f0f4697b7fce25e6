// An HTTP/1 request that belongs to the other group: passed on with its body, its answer passed back, as it streams.
//
// Rules of this file
// 1. A request is sent again only if it was certainly not run: no peer could be reached, or it has no body, changes
//    nothing, and a connection that was kept open had just ended.
// 2. When no peer can be reached at all, it is answered here.
// 3. An answer that has begun and cannot end is cut, so that nobody takes the part for the whole.

import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'

import { leaveOut, takeIn } from './answers.ts'
import { connectionOf } from './connections.ts'
import { pairsOf, requestHead, responseHead } from './forward-headers.ts'
import { writeInformation } from './node-internals.ts'
import { figures } from './route-state.ts'
import { upstreamOf, type Upstream } from './upstream.ts'

export interface Exchange {
  /** `request`, `checkContinue` or `checkExpectation`. */
  readonly event: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly peers: readonly string[]
  /** Gives the request to this worker's app. */
  runHere(): void
}

const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS'])
const BAD_GATEWAY = 'The workers of the active release did not answer\n'

export function forwardHttp1(exchange: Exchange): void {
  const { socket } = exchange.request
  // Nobody is there to be answered, and nothing would tell when to forget the connection.
  if (socket.destroyed) return
  figures.forwarded++
  leaveOut(exchange.response, 'forwarded')
  const upstream = upstreamOf(socket)
  upstream.take(() => new Forwarding(exchange, upstream).start())
}

class Forwarding {
  readonly #exchange: Exchange
  readonly #upstream: Upstream
  readonly #tried = new Set<string>()
  #peer = ''
  #hasBody = false
  /** The attempt under way. */
  #attempt: ClientRequest | null = null
  /** This attempt's connection is there; and any attempt's ever was. */
  #isConnected = false
  #wasConnected = false
  #wasRepeated = false
  #answer: IncomingMessage | null = null
  #isDone = false

  constructor(exchange: Exchange, upstream: Upstream) {
    this.#exchange = exchange
    this.#upstream = upstream
  }

  start(): void {
    const { response } = this.#exchange
    if (response.destroyed) return this.#finish()
    response.once('close', () => this.#clientIsDone())
    this.#try()
  }

  #try(): void {
    const { request, response, peers } = this.#exchange
    const peer = this.#upstream.choosePeer(peers, this.#tried)
    if (peer === null) return this.#giveUp()
    this.#peer = peer
    this.#isConnected = false
    const { headers, hasBody } = requestHead(request, response.shouldKeepAlive)
    this.#hasBody = hasBody
    const { method = 'GET', url: path = '/' } = request
    const attempt = this.#upstream.request({ method, path, headers, setDefaultHeaders: false })
    this.#attempt = attempt
    attempt.once('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => this.#send(attempt))
      else this.#send(attempt)
    })
    this.#listen(attempt)
  }

  #listen(attempt: ClientRequest): void {
    attempt.on('information', (information) => this.#inform(information))
    attempt.on('continue', () => {
      // Where the app does not look at expectations, Node has answered this one already.
      if (this.#exchange.event === 'checkContinue') this.#exchange.response.writeContinue()
    })
    attempt.on('response', (answer) => this.#pass(answer))
    attempt.on('error', () => this.#failed(attempt))
    attempt.on('close', () => (this.#answer?.complete ? this.#finish() : this.#failed(attempt)))
  }

  #send(attempt: ClientRequest): void {
    this.#isConnected = true
    this.#wasConnected = true
    const { request } = this.#exchange
    if (!this.#hasBody) return void attempt.end()
    request.once('end', () => {
      if (request.rawTrailers.length > 0) attempt.addTrailers(pairsOf(request.rawTrailers))
    })
    request.pipe(attempt)
  }

  #inform({ statusCode, statusMessage, rawHeaders }: Information): void {
    if (statusCode === 100) return
    const lines = pairsOf(rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
    writeInformation(this.#exchange.response, `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`)
  }

  #pass(answer: IncomingMessage): void {
    this.#answer = answer
    const { request, response } = this.#exchange
    const connection = connectionOf(request.socket)
    const hasMoreRequests = connection !== undefined && connection.last !== response
    const { headers, isChunked } = responseHead(answer, response, hasMoreRequests)
    // What the other worker's Node has not said, ours must not add.
    for (const name of ['connection', 'content-length', 'transfer-encoding', 'date']) response.removeHeader(name)
    try {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers)
    } catch {
      return this.#cut()
    }
    passBody(answer, response)
    answer.once('end', () => {
      if (isChunked && answer.rawTrailers.length > 0) response.addTrailers(pairsOf(answer.rawTrailers))
      response.end()
    })
    answer.once('error', () => this.#cut())
  }

  #failed(attempt: ClientRequest): void {
    if (attempt !== this.#attempt || this.#isDone || this.#answer?.complete) return
    this.#attempt = null
    if (this.#exchange.response.destroyed) return this.#finish()
    if (this.#answer !== null) return this.#cut()
    if (!this.#isConnected) this.#tried.add(this.#peer)
    else if (!this.#isRepeatable(attempt)) return this.#badGateway()
    else this.#wasRepeated = true
    figures.forwardRetries++
    this.#upstream.end()
    this.#try()
  }

  #isRepeatable({ reusedSocket }: ClientRequest): boolean {
    const { method = '' } = this.#exchange.request
    return reusedSocket && !this.#hasBody && !this.#wasRepeated && REPEATABLE.has(method)
  }

  #giveUp(): void {
    if (this.#wasConnected) return this.#badGateway()
    // Its own response is this worker's affair; only the next one waits no longer.
    this.#finish()
    takeIn(this.#exchange.response)
    this.#exchange.runHere()
  }

  #badGateway(): void {
    figures.forwardFailures++
    const { response } = this.#exchange
    leaveOut(response, 'ours')
    response.writeHead(502, { 'content-type': 'text/plain' })
    response.end(BAD_GATEWAY)
    this.#finish()
  }

  #cut(): void {
    if (!this.#isDone) this.#exchange.response.destroy()
    this.#finish()
  }

  #clientIsDone(): void {
    if (this.#exchange.response.writableFinished || this.#isDone) return
    this.#attempt?.destroy()
    this.#finish()
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    // What is left of a body that nobody wants is in the way of the next request.
    if (this.#wasConnected) this.#exchange.request.unpipe().resume()
    this.#upstream.release()
  }
}

interface Information {
  readonly statusCode: number
  readonly statusMessage: string
  readonly rawHeaders: readonly string[]
}

/** Head and body leave together where they have come together. */
function passBody(answer: IncomingMessage, response: ServerResponse): void {
  let hasBegun = false
  answer.once('data', () => (hasBegun = true))
  answer.pipe(response, { end: false })
  process.nextTick(() => {
    if (!hasBegun && !response.writableEnded) response.flushHeaders()
  })
}
