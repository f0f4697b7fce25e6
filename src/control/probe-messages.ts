// Part of messages.ts: what the option `probes` has found out.

/** One place that the option `probes` asks. */
export interface ProbeStatus {
  readonly probe: string
  /** `url`, `public` (the app's own address), or a worker by group and id: `blue 1`. */
  readonly target: string
  /** Of the last answer: `ok`, or what was wrong with it; null before the first. */
  readonly outcome: string | null
  /** In words; null when it was good. */
  readonly problem: string | null
  readonly tookMs: number | null
  /** Bad answers in a row. */
  readonly failures: number
  /** There were as many as it takes. */
  readonly failing: boolean
  /** Since the first bad answer in a row. */
  readonly badForSeconds: number | null
}
