// Spans of the requests that this worker's app answers. Loaded only where traces are wanted, when the app first listens: by then
// it has set up an OpenTelemetry of its own, if it has one.
//
// Rules of this file
// 1. Nothing is registered: the global tracer, context and propagator stay the app's.
// 2. A request has one span, of the worker whose app has answered it. A worker that has forwarded it adds none, and neither
//    do we where the app's own instrumentation makes one.

import { Server } from 'node:http'
import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api'

import type { TracingSettings, TracingState } from '../protocol/tracing.ts'
import { findApi, makeTracer, NotInstalled, type OpenTelemetry } from './opentelemetry.ts'
import type { TakeRequest, TracedRequest } from './request-trace.ts'
import { parentOf, shapeOf } from './span-shape.ts'

/** Where OpenTelemetry's API keeps what is global, whichever copy of it is asked. */
const GLOBALS = Symbol.for('opentelemetry.js.api.1')

export interface Tracing {
  /** Null where nothing is to be added. */
  readonly take: TakeRequest | null
  flush(withinMs: number): Promise<void>
}

/** `told` hears how it is with the spans, whenever that changes. Never throws. */
export function beginTracing(
  settings: TracingSettings,
  script: string,
  told: (state: TracingState) => void,
): Tracing | null {
  try {
    return tracersOfApp() !== undefined ? useTracerOfApp(script, told) : useOwnTracer(settings, script, told)
  } catch (error) {
    const problem = error instanceof NotInstalled ? error.message : `OpenTelemetry failed: ${String(error)}`
    told({ spans: 'lost', problem })
    return null
  }
}

function tracersOfApp(): unknown {
  const globals: unknown = Reflect.get(globalThis, GLOBALS)
  return typeof globals === 'object' && globals !== null && 'trace' in globals ? globals.trace : undefined
}

function useTracerOfApp(script: string, told: (state: TracingState) => void): Tracing {
  const api = isInstrumented() ? null : findApi(script)
  told({ spans: api === null ? 'left' : 'given', problem: null })
  const take = api && spanMaker(api, api.trace.getTracer('supervise'))
  return { take, flush: flushOfApp }
}

/** OpenTelemetry's instrumentation of HTTP puts itself there. */
function isInstrumented(): boolean {
  return Reflect.get(Server.prototype.emit, '__wrapped') === true
}

/** The app's tracer sends what it has in its own time; most can be asked to do it now. */
async function flushOfApp(withinMs: number): Promise<void> {
  const provider = tracersOfApp()
  const inner: unknown = callIfThere(provider, 'getDelegate') ?? provider
  const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref())
  await Promise.race([late, Promise.resolve(callIfThere(inner, 'forceFlush'))]).catch(() => undefined)
}

function callIfThere(owner: unknown, name: string): unknown {
  const method: unknown = typeof owner === 'object' && owner !== null ? Reflect.get(owner, name) : undefined
  return typeof method === 'function' ? Reflect.apply(method, owner, []) : undefined
}

function useOwnTracer({ otlp, ratio }: TracingSettings, script: string, told: (state: TracingState) => void): Tracing {
  let last: string | null = null
  const heard = (why: string | null): void => {
    const problem = why === null ? null : `spans do not reach ${new URL(otlp).origin}: ${why}`
    if (problem === last) return
    last = problem
    told({ spans: problem === null ? 'sent' : 'lost', problem })
  }
  const { api, tracer, queue } = makeTracer({ script, otlp, ratio, told: heard })
  told({ spans: 'sent', problem: null })
  return { take: spanMaker(api, tracer), flush: (withinMs) => queue.flush(withinMs) }
}

/** The span is made when the request is over, with the times that it had. */
function spanMaker(api: OpenTelemetry, tracer: Tracer): TakeRequest {
  return (request) => {
    const { name, attributes, isError } = shapeOf(request)
    const options = { kind: api.SpanKind.SERVER, startTime: request.beganAt, attributes }
    const span: Span = tracer.startSpan(name, options, contextOf(api, request))
    if (isError) span.setStatus({ code: api.SpanStatusCode.ERROR })
    span.end(request.endedAt)
  }
}

function contextOf(api: OpenTelemetry, { traceparent, tracestate }: TracedRequest): Context {
  const parent = traceparent === '' ? null : parentOf(traceparent)
  if (parent === null) return api.ROOT_CONTEXT
  const traceState = tracestate === '' ? {} : { traceState: api.createTraceState(tracestate) }
  const context: SpanContext = { ...parent, isRemote: true, ...traceState }
  return api.trace.setSpanContext(api.ROOT_CONTEXT, context)
}
