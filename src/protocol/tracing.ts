// What supervisor and worker, and the process that sends the spans of a rollout, say to each other about traces.

/** What a worker is told. */
export interface TracingSettings {
  /** As it was written: the collector's URL. */
  readonly otlp: string
  /** Share of the requests without a `traceparent` that get a span, from 0 to 1. */
  readonly ratio: number
}

/** How it is with the spans of a process. */
export interface TracingState {
  readonly spans:
    | 'sent' // to the collector
    | 'given' // to the OpenTelemetry that the app has set up
    | 'left' // to the app, whose OpenTelemetry traces requests by itself
    | 'lost'
  /** In words, with what to do; null when there is none. */
  readonly problem: string | null
}

/** A span of a rollout, over before it is told. */
export interface FinishedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Null for the first of its trace. */
  readonly parentId: string | null
  readonly name: string
  /** ISO 8601, as `endedAt`. */
  readonly startedAt: string
  readonly endedAt: string
  readonly attributes: Readonly<Record<string, string>>
  /** Why it went wrong; null when it did not. */
  readonly error: string | null
}

/** On the stdin of the process that sends them. */
export interface SpanOrder {
  /** The app's main module: OpenTelemetry is looked for beside it. */
  readonly script: string
  readonly otlp: string
  readonly spans: readonly FinishedSpan[]
}
