// One place in a lane of HTTP/2 connections, with `depth` streams at a time. A stream that the server did not process, and
// said so (REFUSED_STREAM, or an id above the last one of its GOAWAY), is counted apart: clients may send it again.

import http2 from 'node:http2'
import net from 'node:net'
import { BodyCheck } from './body-check.ts'
import { nameOf, type Lane } from './options.ts'
import { codeOf, failureOfError, type FailureKind } from './outcome.ts'
import type { Run, Sweepable } from './run.ts'

const AFTER_FAILURE_MS = 10

interface Stream {
  readonly sentAt: number
  readonly stream: http2.ClientHttp2Stream
  readonly session: Session
  readonly check: BodyCheck
  status: number
  pid: string | null
  release: string | null
  bytesSeen: number
  isWhole: boolean
  isTimedOut: boolean
}

interface Session {
  readonly http2: http2.ClientHttp2Session
  readonly openedAt: number
  lastStreamId: number | null
  error: string | null
  streams: number
  requests: number
}

export class Http2Slot implements Sweepable {
  readonly #run: Run
  readonly #lane: Lane
  readonly #name: string
  readonly #open = new Set<Stream>()
  #session: Session | null = null
  #postDebt = 0

  constructor(run: Run, lane: Lane) {
    this.#run = run
    this.#lane = lane
    this.#name = nameOf(lane)
  }

  start(): void {
    this.#run.watch(this)
    this.#run.atEnd(() => {
      this.#run.unwatch(this)
      this.#session?.http2.destroy()
    })
    for (let stream = 0; stream < this.#lane.depth; stream++) this.#run.next(() => this.#begin())
  }

  sweep(now: number): void {
    for (const open of this.#open) {
      if (open.isTimedOut || now - open.sentAt < this.#run.timeoutMs) continue
      open.isTimedOut = true
      open.stream.close(http2.constants.NGHTTP2_CANCEL)
      // A session whose connection never came up does not close its streams.
      if (open.session.http2.connecting) open.session.http2.destroy()
    }
  }

  #begin(): void {
    this.#run.entered()
    this.#session ??= this.#connect()
    const session = this.#session
    this.#postDebt += this.#lane.postShare
    const isPost = this.#postDebt >= 1
    if (isPost) this.#postDebt--
    const stream = session.http2.request({
      ...this.#lane.headers,
      ':method': isPost ? 'POST' : 'GET',
      ':path': isPost ? this.#lane.postPath : this.#lane.path,
    })
    session.streams++
    session.requests++
    const check = new BodyCheck(isPost ? { text: String(this.#lane.postBytes) } : this.#lane.expect)
    this.#follow({
      sentAt: performance.now(),
      stream,
      session,
      check,
      status: 0,
      pid: null,
      release: null,
      bytesSeen: 0,
      isWhole: false,
      isTimedOut: false,
    })
    stream.end(isPost ? Buffer.alloc(this.#lane.postBytes, 'supervise') : undefined)
  }

  #follow(open: Stream): void {
    this.#open.add(open)
    open.stream.on('response', (headers) => {
      open.status = Number(headers[':status'])
      open.pid = text(headers['x-pid'])
      open.release = text(headers['x-release'])
    })
    open.stream.on('data', (chunk: Buffer) => {
      open.bytesSeen += chunk.length
      open.check.add(chunk)
    })
    open.stream.on('end', () => (open.isWhole = open.stream.rstCode === 0 && open.status !== 0))
    open.stream.on('error', (error) => (open.session.error ??= codeOf(causeOf(error))))
    open.stream.on('close', () => this.#closed(open))
  }

  #connect(): Session {
    this.#run.recorder.connection(this.#name, 'opened')
    const { target, tls } = this.#lane
    const authority = `${tls ? 'https' : 'http'}://${'path' in target ? 'localhost' : `${target.host}:${target.port}`}`
    const connect = http2.connect(authority, {
      rejectUnauthorized: false,
      ...('path' in target ? { createConnection: () => net.connect(target.path) } : {}),
    })
    const session: Session = {
      http2: connect,
      openedAt: performance.now(),
      lastStreamId: null,
      error: null,
      streams: 0,
      requests: 0,
    }
    connect.on('goaway', (_code, lastStreamId) => {
      session.lastStreamId = lastStreamId
      this.#run.recorder.connection(this.#name, 'goaways')
      this.#forget(session)
    })
    connect.on('error', (error) => {
      session.error = codeOf(error)
      this.#forget(session)
    })
    connect.on('close', () => {
      if (session.streams === 0 && !this.#run.isStopping) this.#run.recorder.connection(this.#name, 'closedIdle')
      this.#forget(session)
    })
    return session
  }

  #forget(session: Session): void {
    if (this.#session === session) this.#session = null
  }

  #closed(open: Stream): void {
    this.#open.delete(open)
    open.session.streams--
    const outcome = outcomeOf(open)
    if (outcome === 'ok') this.#run.recorder.succeeded(this.#name, open.sentAt, open.pid, open.release)
    else if (outcome === 'retryable') this.#run.recorder.retryable++
    else this.#fail(open, outcome.kind, outcome.detail)
    this.#run.later(outcome === 'ok' ? this.#thinkMs() : AFTER_FAILURE_MS, () => this.#begin())
    this.#run.left()
  }

  #fail(open: Stream, kind: FailureKind, detail: string): void {
    this.#run.recorder.failedWith(this.#name, kind, detail, {
      connectionAgeMs: Math.round(performance.now() - open.session.openedAt),
      idleBeforeMs: null,
      requestsBefore: open.session.requests - 1,
      bytesSeen: open.bytesSeen,
      localPort: null,
    })
    this.#forget(open.session)
  }

  #thinkMs(): number {
    const [least, most] = this.#lane.thinkMs
    return most === 0 ? 0 : least + Math.random() * (most - least)
  }
}

function outcomeOf(open: Stream): 'ok' | 'retryable' | { kind: FailureKind; detail: string } {
  const { session, stream } = open
  if (open.isTimedOut) return { kind: 'timedOut', detail: `stream ${stream.id}` }
  if (open.isWhole) {
    if (open.status !== 200) return { kind: 'unexpectedStatus', detail: `status ${open.status}` }
    const wrong = open.check.verdict()
    return wrong === null ? 'ok' : { kind: 'wrongBody', detail: wrong }
  }
  const isAboveLast = session.lastStreamId !== null && (stream.id ?? Infinity) > session.lastStreamId
  if (isAboveLast || stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) return 'retryable'
  const detail = `stream ${stream.id} closed with code ${stream.rstCode}, ${session.error ?? 'no error'}`
  if (open.bytesSeen > 0 || open.status !== 0) return { kind: 'truncated', detail }
  const named = failureOfError(session.error ?? '')
  return { kind: named === 'clientError' ? 'emptyReply' : named, detail }
}

/** A stream that is cancelled with its session names the session's error as its cause. */
function causeOf(error: Error): Error {
  return error.cause instanceof Error ? error.cause : error
}

function text(value: string | readonly string[] | undefined): string | null {
  return typeof value === 'string' ? value : null
}
