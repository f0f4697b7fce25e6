// The headers of a forwarded HTTP/1 message: as they came, in their order and spelling, but for what belongs to one
// connection alone.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { HOP, hopOf } from './hop-header.ts'
import { headOf } from './node-internals.ts'

/** Without a body unless headers say that there is one. */
const BODYLESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

export interface ForwardedHead {
  readonly headers: readonly string[]
  readonly hasBody: boolean
}

/** The client's request as it goes to the other group, with our own headers last. */
export function requestHead(request: IncomingMessage, keepAlive: boolean): ForwardedHead {
  const { rawHeaders } = request
  const present = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) present.add(nameAt(rawHeaders, at))
  const isChunked = present.has('transfer-encoding')
  const hasBody = isChunked || present.has('content-length')
  // This server has not upgraded, so the other one must not either.
  const isUpgrade = present.has('upgrade')
  const headers: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = nameAt(rawHeaders, at)
    // Both can be there only for a parser that was told to be lenient; the length is then the wrong one.
    if (name === 'content-length' && isChunked) continue
    if (isUpgrade && (name === 'upgrade' || name === 'connection')) continue
    headers.push(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  }
  headers.push(HOP, hopOf(request, false))
  if (!hasBody && !BODYLESS.has(request.method ?? '')) headers.push('Content-Length', '0')
  if (!present.has('host')) headers.push('Host', 'x')
  if (request.httpVersionMinor === 0 && !keepAlive) headers.push('Connection', 'close')
  return { headers, hasBody }
}

export interface ForwardedAnswer {
  readonly headers: string[]
  readonly isChunked: boolean
}

/**
 * The other group's response as it goes to the client. A close that the client must hear of is said; one of the private
 * connection alone is not passed on while the client has sent more.
 */
export function responseHead(
  answer: IncomingMessage,
  response: ServerResponse,
  hasMoreRequests: boolean,
): ForwardedAnswer {
  const { rawHeaders } = answer
  const mustClose = !response.shouldKeepAlive || headOf(response).maxRequestsOnConnectionReached
  const isChunked = answer.headers['transfer-encoding'] !== undefined
  const headers: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = nameAt(rawHeaders, at)
    const value = rawHeaders[at + 1] ?? ''
    if (name === 'connection') {
      const isClose = /close/i.test(value)
      if (isClose && !mustClose && hasMoreRequests) continue
      headers.push(rawHeaders[at] ?? '', mustClose ? 'close' : value)
      continue
    }
    if (name === 'keep-alive' && mustClose) continue
    // Node refuses to announce trailers where there can be none.
    if (name === 'trailer' && !isChunked) continue
    headers.push(rawHeaders[at] ?? '', value)
  }
  return { headers, isChunked }
}

/** A flat list of names and values as pairs. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) pairs.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return pairs
}

function nameAt(raw: readonly string[], at: number): string {
  return (raw[at] ?? '').toLowerCase()
}
