// What is kept of a request for its span, from its head until it is over. While nobody takes spans nothing is kept, and a
// request costs one check; how spans are made of it is in tracing.ts, which is loaded only then.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

import { METHODS } from '../protocol/request-counts.ts'

/** As it was when it arrived: frameworks change the URL that a handler sees. */
interface Head {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly scheme: string
  readonly version: string
  readonly traceparent: string
  readonly tracestate: string
  readonly beganAt: number
}

/** Times are those of `performance.now()`. */
export interface TracedRequest extends Head {
  /** 0 when it was never answered whole. */
  readonly status: number
  readonly endedAt: number
  /** The method is one of OpenTelemetry's list. */
  readonly isKnown: boolean
}

export type TakeRequest = (request: TracedRequest) => void

type Exchange = ServerResponse | ServerHttp2Stream

const KNOWN: ReadonlySet<string> = new Set(METHODS.filter((method) => method !== '_OTHER'))

const HEAD = Symbol('supervise.head')
type Marked = { [HEAD]?: Head | undefined }

let take: TakeRequest | null = null

export function traceTo(taker: TakeRequest | null): void {
  take = taker
}

export function noteHead(request: IncomingMessage, response: ServerResponse): void {
  if (take === null) return
  const { method = '', url = '', httpVersion, headers, socket } = request
  keep(response, headers, { method, target: url, host: headers.host, scheme: schemeOf(socket), version: httpVersion })
}

export function noteHeadOfStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  if (take === null) return
  const { ':method': method = '', ':path': target = '', ':authority': authority, ':scheme': scheme = 'http' } = headers
  keep(stream, headers, { method, target, host: authority ?? headers.host, scheme, version: '2' })
}

type Line = Pick<Head, 'method' | 'target' | 'scheme' | 'version'> & { readonly host: string | undefined }

function keep(exchange: Exchange, headers: IncomingHttpHeaders, { host = '', ...line }: Line): void {
  const marked = exchange as Marked
  const { traceparent = '', tracestate = '' } = headers
  marked[HEAD] = {
    ...line,
    host,
    traceparent: String(traceparent),
    tracestate: String(tracestate),
    beganAt: performance.now(),
  }
}

/** The request is over. What of a span goes wrong is nothing to the app. */
export function traceAnswer(exchange: Exchange, status: number): void {
  if (take === null) return
  const marked = exchange as Marked
  const head = marked[HEAD]
  if (head === undefined) return
  // One that is cut may be told of more than once.
  marked[HEAD] = undefined
  try {
    take({ ...head, status, endedAt: performance.now(), isKnown: KNOWN.has(head.method) })
  } catch {
    // A tracer of the app's own may throw.
  }
}

function schemeOf(socket: Socket): string {
  return 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http'
}
