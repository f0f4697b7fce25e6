// What a user may write about traces, and what each option means. Belongs to app-options.ts, whose first lines hold here,
// too.

export interface TracingOptions {
  /**
   * Where spans are sent as OTLP over HTTP: the collector's URL, such as `'http://localhost:4318'`; `/v1/traces` is added unless
   * it is there. There is a span for each request that the app answers and for each step of a rollout. OpenTelemetry's SDK must
   * be installed beside the app; without it the app runs all the same, and an event says what to install.
   * @default none: nothing of OpenTelemetry is loaded
   */
  otlp?: string
  /**
   * Which share of the requests without a `traceparent` gets a span, such as `'10%'` or `0.1`. With one, its caller has decided.
   * @default '100%'
   */
  ratio?: number | `${number}%`
}
