// HTTP/2 streams that belong to the other group: one session of our own for each session of a client, without TLS, and
// one stream on it for each of the client's.
//
// Rules of this file
// 1. A stream is sent again only if it was certainly not run: its session never came to be, or the other side has refused
//    it, and nothing of its body is gone.
// 2. When no peer can be reached at all, it is answered here.
// 3. What may have been run and gave no answer is a 502, and never a refusal, which would let clients repeat it.

import type * as http2Module from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

import { leaveOut, takeIn } from './answers.ts'
import { connectionOf } from './connections.ts'
import { figures, isPeer } from './route-state.ts'
import { connectTo, nextPeer } from './upstream.ts'

/** `NGHTTP2_FLAG_END_STREAM`, and error codes; naming them would load http2 into every worker. */
const END_STREAM = 1
const NO_ERROR = 0
const REFUSED = 7
const CANCEL = 8

export interface StreamExchange {
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders
  readonly flags: number
  readonly peers: readonly string[]
  /** Gives the stream to this worker's app. */
  runHere(): void
}

interface UpstreamSession {
  readonly http2: ClientHttp2Session
  readonly peer: string
  wasConnected: boolean
}

const sessions = new WeakMap<Socket, UpstreamSession>()

export function forwardHttp2(exchange: StreamExchange): void {
  figures.forwarded++
  const client = connectionOf(exchange.stream.session?.socket)?.socket
  if (client === undefined) return exchange.runHere()
  leaveOut(exchange.stream, 'forwarded')
  new StreamForwarding(exchange, client).try()
}

class StreamForwarding {
  readonly #exchange: StreamExchange
  readonly #client: Socket
  readonly #tried = new Set<string>()
  readonly #hasBody: boolean
  #wasConnected = false
  #wasRefused = false
  #isAnswered = false

  constructor(exchange: StreamExchange, client: Socket) {
    this.#exchange = exchange
    this.#client = client
    this.#hasBody = (exchange.flags & END_STREAM) === 0
  }

  try(): void {
    const { headers, stream, peers } = this.#exchange
    const session = sessionOf(this.#client, peers, this.#tried)
    if (session === null) return this.#giveUp()
    const open = () => {
      if (!stream.destroyed) this.#open(session, { ...headers })
    }
    // Whether a WebSocket may be asked for is in the other side's settings.
    if (':protocol' in headers && !session.wasConnected) session.http2.once('remoteSettings', open)
    else open()
    // A session that has failed before it was asked.
    if (':protocol' in headers && !session.wasConnected) session.http2.once('close', () => this.#lost(session, null))
  }

  #open(session: UpstreamSession, headers: IncomingHttpHeaders): void {
    let upstream: ClientHttp2Stream
    try {
      upstream = session.http2.request(headers, { endStream: !this.#hasBody, waitForTrailers: this.#hasBody })
    } catch {
      return this.#lost(session, null)
    }
    const { stream } = this.#exchange
    upstream.on('error', ignore)
    stream.on('error', ignore)
    upstream.on('continue', () => this.#inform({ ':status': 100 }))
    upstream.on('headers', (information) => {
      if (information[':status'] !== 100) this.#inform(information)
    })
    upstream.on('response', (answer, flags) => this.#answer(upstream, answer, flags))
    upstream.once('close', () => this.#lost(session, upstream))
    stream.once('close', () => {
      if (!upstream.destroyed) upstream.close(stream.rstCode || CANCEL)
    })
    if (this.#hasBody) whenConnected(session, () => passBody(stream, upstream))
  }

  #inform(headers: http2Module.OutgoingHttpHeaders): void {
    const { stream } = this.#exchange
    if (!stream.destroyed && !stream.headersSent) stream.additionalHeaders(headers)
  }

  #answer(upstream: ClientHttp2Stream, headers: http2Module.IncomingHttpHeaders, flags: number): void {
    this.#isAnswered = true
    const { stream } = this.#exchange
    if (stream.destroyed) return upstream.close(CANCEL)
    const endStream = (flags & END_STREAM) !== 0
    let trailers: http2Module.IncomingHttpHeaders | null = null
    upstream.on('trailers', (received) => (trailers = received))
    // Node takes `sendDate` here as it does in its compatibility API; its types leave it out.
    const options = { endStream, waitForTrailers: !endStream, sendDate: false }
    stream.respond(headers, options)
    if (endStream) return
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    upstream.pipe(stream, { end: false })
    // A stream that was reset has an end as well.
    upstream.once('end', () => {
      if (upstream.rstCode === NO_ERROR) stream.end()
    })
  }

  /** The stream of this attempt is over, or never was. */
  #lost(session: UpstreamSession, upstream: ClientHttp2Stream | null): void {
    this.#wasConnected ||= session.wasConnected
    const { stream } = this.#exchange
    if (stream.destroyed) return
    const rstCode = upstream?.rstCode ?? REFUSED
    if (this.#isAnswered) {
      if (rstCode !== NO_ERROR || !stream.writableEnded) stream.close(rstCode || CANCEL)
      else if (this.#hasBody && !stream.readableEnded) endEarly(stream)
      return
    }
    if (!session.wasConnected) this.#tried.add(session.peer)
    else if (session.http2.destroyed || rstCode === NO_ERROR) return this.#fail()
    // The app has reset the stream by itself.
    else if (rstCode !== REFUSED) return stream.close(rstCode)
    else if (this.#hasBody || this.#wasRefused) return stream.close(REFUSED)
    else this.#wasRefused = true
    figures.forwardRetries++
    this.try()
  }

  #giveUp(): void {
    if (this.#wasConnected) this.#fail()
    else this.#answerHere()
  }

  #answerHere(): void {
    takeIn(this.#exchange.stream)
    this.#exchange.runHere()
  }

  #fail(): void {
    const { stream } = this.#exchange
    figures.forwardFailures++
    leaveOut(stream, 'ours')
    stream.respond({ ':status': 502, 'content-type': 'text/plain' })
    stream.end('The workers of the active release did not answer\n')
  }
}

function sessionOf(client: Socket, peers: readonly string[], tried: ReadonlySet<string>): UpstreamSession | null {
  const known = sessions.get(client)
  if (known !== undefined && isUsable(known) && peers.includes(known.peer) && !tried.has(known.peer)) return known
  // Its streams finish; new ones go elsewhere.
  known?.http2.close()
  const peer = nextPeer(peers, tried)
  if (peer === null) return null
  const session = connectSession(peer, client)
  sessions.set(client, session)
  return session
}

function connectSession(peer: string, client: Socket): UpstreamSession {
  const { connect } = process.getBuiltinModule('node:http2')
  const http2 = connect('http://localhost', {
    createConnection: () => connectTo(peer, client),
    settings: { enablePush: false },
  })
  const session: UpstreamSession = { http2, peer, wasConnected: false }
  http2.on('error', ignore)
  http2.once('connect', () => (session.wasConnected = true))
  const close = () => http2.close()
  client.once('close', close)
  http2.once('close', () => client.off('close', close))
  return session
}

/** After its GOAWAY, streams would be refused. */
function isUsable({ http2, peer }: UpstreamSession): boolean {
  return !http2.closed && !http2.destroyed && isPeer(peer)
}

function whenConnected({ http2, wasConnected }: UpstreamSession, run: () => void): void {
  if (wasConnected) run()
  else http2.once('connect', run)
}

function passBody(stream: ServerHttp2Stream, upstream: ClientHttp2Stream): void {
  let trailers: http2Module.IncomingHttpHeaders | null = null
  stream.on('trailers', (received) => (trailers = received))
  stream.pipe(upstream, { end: false })
  stream.once('end', () => upstream.end())
  upstream.once('wantTrailers', () => upstream.sendTrailers(trailers ?? {}))
}

/** The rest of a body that nobody wants would keep the stream open. */
function endEarly(stream: ServerHttp2Stream): void {
  stream.resume()
  const close = () => setImmediate(() => stream.close())
  if (stream.sentTrailers) close()
  else stream.once('wantTrailers', close)
}

function ignore(): void {}
