// The header that goes with a forwarded HTTP/1 request from worker to worker. It is the last of the client's: whatever
// follows it was added by us, and the receiver cuts all of that off.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { cutHeaders, headOf } from './node-internals.ts'

export const HOP = 'x-supervise-hop'

/** More than the header and what may follow it take. */
export const HOP_BYTES = 256

/** What a hop says of the client's message, one letter each. */
const OLD = '0'
const ONCE = 'u'

/** The header's value: of HTTP/1.0; and whether the connection can carry nothing after it. */
export function hopOf(request: IncomingMessage, once: boolean): string {
  return `${request.httpVersionMinor === 0 ? OLD : '1'}${once ? ONCE : ''}`
}

/** Makes a forwarded request what it was when the client sent it. */
export function takeOffHop(request: IncomingMessage, response: ServerResponse | null): void {
  const { rawHeaders } = request
  let at = rawHeaders.length - 2
  while (at >= 0 && rawHeaders[at] !== HOP) at -= 2
  if (at < 0) return
  const hop = rawHeaders[at + 1] ?? ''
  cutHeaders(request, at)
  if (hop.startsWith(OLD)) becomeOld(request, response)
  if (hop.endsWith(ONCE) && response !== null) response.shouldKeepAlive = false
}

/** As Node treats a client of HTTP/1.0: no chunks unless it has asked for them. */
function becomeOld(request: IncomingMessage, response: ServerResponse | null): void {
  request.httpVersion = '1.0'
  request.httpVersionMinor = 0
  if (response === null) return
  headOf(response).useChunkedEncodingByDefault = /(?:^|\W)chunked(?:$|\W)/i.test(String(request.headers.te ?? ''))
}
