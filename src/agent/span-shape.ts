// What the span of a request says, in the words of OpenTelemetry's stable conventions for HTTP. Nothing here knows
// OpenTelemetry itself.
//
// Left out is what may be a secret or names a person: the query, headers, the client's address.

import type { TracedRequest } from './request-trace.ts'

export interface SpanShape {
  readonly name: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly isError: boolean
}

export interface ParentSpan {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
}

/** In place of a status code: the connection ended before the response did. */
const ABORTED = 'aborted'

export function shapeOf(request: TracedRequest): SpanShape {
  const { method, isKnown, scheme, status, version } = request
  const error = status === 0 ? ABORTED : status >= 500 ? String(status) : null
  const { path, host } = placeOf(request)
  return {
    name: isKnown ? method : 'HTTP',
    attributes: {
      'http.request.method': isKnown ? method : '_OTHER',
      ...(!isKnown && { 'http.request.method_original': method }),
      'url.scheme': scheme,
      'url.path': path,
      ...serverOf(host),
      'network.protocol.version': version,
      ...(status !== 0 && { 'http.response.status_code': status }),
      ...(error !== null && { 'error.type': error }),
    },
    isError: error !== null,
  }
}

/** Asked through a proxy, a client of HTTP/1 names the whole URL. */
function placeOf({ target, host }: TracedRequest): { readonly path: string; readonly host: string } {
  const [, named, rest] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target) ?? []
  const [path = ''] = (rest ?? target).split(/[?#]/, 1)
  return { path: path === '' ? '/' : path, host: named ?? host }
}

/** `[::1]:3000` and `example.com:3000`, with or without a port. */
function serverOf(host: string): Readonly<Record<string, string | number>> {
  const [, address, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host) ?? []
  if (address === undefined || address === '') return {}
  const named = { 'server.address': address.replaceAll(/[[\]]/g, '') }
  return port === undefined ? named : { ...named, 'server.port': Number(port) }
}

/** W3C's `traceparent`; null for one that is none, as is all of zeros. A later version may say more behind it. */
export function parentOf(traceparent: string): ParentSpan | null {
  const match = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(traceparent)
  const [, version, traceId = '', spanId = '', flags = '', more] = match ?? []
  if (match === null || version === 'ff' || (version === '00' && more !== undefined)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) }
}

/** Where a collector takes traces, as OTLP over HTTP has it. */
export function tracesUrl(otlp: string): string {
  const url = new URL(otlp)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith('/v1/traces') ? path : `${path}/v1/traces`
  return url.href
}
