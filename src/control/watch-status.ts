// Part of messages.ts: what is told of how a release did when it was tried and watched.

/** What is or was seen of a release while it was watched after its flip. */
export interface WatchStatus {
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  readonly why: string
  readonly watchedSeconds: number
  /** What was asked for: options `bake`, `bakeMinRequests` and `maxErrorRatio`. */
  readonly bakeSeconds: number
  readonly minRequests: number
  readonly maxErrorRatio: number | null
  /** Answered by the release since it serves, and how many of those with 5xx. */
  readonly requests: number
  readonly serverErrors: number
  readonly errorRatio: number
  readonly crashes: number
  readonly failingProbes: number
  /** The release before, in the hour before the flip; null is not known. */
  readonly old: {
    readonly requests: number
    readonly serverErrors: number
    readonly crashes: number
    /** What its share of 5xx is at most, by 95 %. */
    readonly errorRatioAtMost: number | null
  }
  /** How many times likelier the errors are if the release is worse; at 100 it is taken back. */
  readonly evidence: number
}

export interface SmokeStatus {
  readonly passed: boolean
  readonly why: string | null
  /** The end of what its commands wrote. */
  readonly output: string
}
