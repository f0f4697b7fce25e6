// An OpenTelemetry collector that takes traces by OTLP over HTTP, as JSON, and remembers every span.

import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

type Facts = Readonly<Record<string, string | number>>

export interface CollectedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of its trace. */
  readonly parentSpanId: string
  readonly name: string
  /** 1 is internal, 2 is a server's. */
  readonly kind: number
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Facts
  readonly resource: Facts
  /** 0 unset, 2 error. */
  readonly status: number
  readonly traceState: string
}

export interface Collector {
  readonly url: string
  readonly port: number
  readonly spans: readonly CollectedSpan[]
  /** Requests that it was sent, by path. */
  readonly asked: readonly string[]
  /** Headers of the last one. */
  readonly headers: http.IncomingHttpHeaders
}

/** Must be called inside a test, at whose end it is closed. One that hangs takes everything and answers nothing. */
export async function startCollector(how: 'answers' | 'hangs' = 'answers'): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const asked: string[] = []
  let headers: http.IncomingHttpHeaders = {}
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(`${request.method} ${request.url}`)
    headers = request.headers
    const body = await json(request)
    if (how === 'hangs') return
    // What the exporter of the SDK sends.
    spans.push(...spansIn(body as ExportRequest))
    response.setHeader('content-type', 'application/json').end('{}')
  }
  const server = http.createServer((request, response) => void take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    spans,
    asked,
    get headers() {
      return headers
    },
  }
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number }
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[]
  }[]
}

interface RawSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status?: { readonly code?: number }
  readonly traceState?: string
}

function spansIn({ resourceSpans }: ExportRequest): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans.map((span) => readSpan(span, factsOf(resource.attributes)))),
  )
}

function readSpan(span: RawSpan, resource: Facts): CollectedSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? '',
    name: span.name,
    kind: span.kind,
    startMs: Number(span.startTimeUnixNano) / 1e6,
    endMs: Number(span.endTimeUnixNano) / 1e6,
    attributes: factsOf(span.attributes),
    resource,
    status: span.status?.code ?? 0,
    traceState: span.traceState ?? '',
  }
}

function factsOf(attributes: readonly Attribute[]): Facts {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? (value.intValue === undefined ? (value.doubleValue ?? '') : Number(value.intValue)),
    ]),
  )
}
