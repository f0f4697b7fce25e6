// A short-lived process that sends the spans of a rollout: the supervisor itself never loads a line of the app's. It reads a
// `SpanOrder` from stdin and writes why they could not be sent to stdout, or nothing.

import { text } from 'node:stream/consumers'

import type { FinishedSpan, SpanOrder } from '../protocol/tracing.ts'
import { makeTracer, type OwnTracer } from './opentelemetry.ts'

const WITHIN_MS = 5000

async function send({ script, otlp, spans }: SpanOrder): Promise<string | null> {
  let current: FinishedSpan | undefined
  const idGenerator = { generateTraceId: () => current?.traceId ?? '', generateSpanId: () => current?.spanId ?? '' }
  let problem: string | null = null
  const told = (why: string | null): void => {
    problem = why === null ? null : `spans do not reach ${new URL(otlp).origin}: ${why}`
  }
  const own = makeTracer({ script, otlp, ratio: 1, idGenerator, told })
  for (const span of spans) {
    current = span
    record(own, span)
  }
  await own.queue.flush(WITHIN_MS)
  return problem
}

function record({ api, tracer }: OwnTracer, finished: FinishedSpan): void {
  const { name, traceId, parentId, startedAt, endedAt, attributes, error } = finished
  const parent = parentId === null ? null : { traceId, spanId: parentId, traceFlags: api.TraceFlags.SAMPLED }
  const context = parent === null ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent)
  const span = tracer.startSpan(name, { startTime: new Date(startedAt), attributes }, context)
  if (error !== null) span.setStatus({ code: api.SpanStatusCode.ERROR, message: error })
  span.end(new Date(endedAt))
}

async function main(): Promise<void> {
  const order: SpanOrder = JSON.parse(await text(process.stdin))
  const problem = await send(order).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
  process.stdout.write(problem ?? '', () => process.exit(0))
}

void main()
