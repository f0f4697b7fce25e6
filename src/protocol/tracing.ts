// What supervisor and worker say to each other about traces.

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
