// What an analysis says of a release, whatever it has looked at; and the figures that any of them looks at.

export type Verdict = 'pass' | 'fail' | 'inconclusive' // too early to say, or too little was seen

export interface Judgement<Figures> {
  readonly verdict: Verdict
  /** In words that follow "since", or the release. */
  readonly why: string
  readonly figures: Figures
}

/** What the workers of a release did in some time. */
export interface Traffic {
  /** Requests of the public that were answered whole. */
  readonly requests: number
  /** How many of those with 5xx. */
  readonly serverErrors: number
  /** Processes that ended although nobody asked for it. */
  readonly crashes: number
}

export const NO_TRAFFIC: Traffic = { requests: 0, serverErrors: 0, crashes: 0 }

export function plus(one: Traffic, other: Traffic): Traffic {
  return {
    requests: one.requests + other.requests,
    serverErrors: one.serverErrors + other.serverErrors,
    crashes: one.crashes + other.crashes,
  }
}

/** What has come since; never negative, since counters of a process only grow. */
export function since(before: Traffic, now: Traffic): Traffic {
  return {
    requests: Math.max(now.requests - before.requests, 0),
    serverErrors: Math.max(now.serverErrors - before.serverErrors, 0),
    crashes: Math.max(now.crashes - before.crashes, 0),
  }
}
