// Whether what is probed works, from one answer after the other.
//
// Rules of this file
// 1. It fails when so many answers in a row were bad: one alone may be the machine's, or a deploy's.
// 2. One good answer, and it works again; it has failed since the first of those bad answers.
// 3. Told is what changes, and nothing twice.

export interface ProbeState {
  /** Bad answers in a row. */
  readonly failures: number
  /** When the first of them came; null while there is none. */
  readonly since: number | null
  readonly isFailing: boolean
}

export type ProbeNews =
  | { readonly type: 'failed'; readonly failures: number }
  | { readonly type: 'recovered'; readonly failedForMs: number; readonly failures: number }

export const NOT_PROBED: ProbeState = { failures: 0, since: null, isFailing: false }

/** `most` is how many bad answers in a row make it fail. */
export function stepProbe(
  state: ProbeState,
  isGood: boolean,
  now: number,
  most: number,
): { readonly state: ProbeState; readonly news: ProbeNews | null } {
  if (isGood) return { state: NOT_PROBED, news: recovery(state, now) }
  const failures = state.failures + 1
  const isFailing = state.isFailing || failures >= most
  const news: ProbeNews | null = isFailing && !state.isFailing ? { type: 'failed', failures } : null
  return { state: { failures, since: state.since ?? now, isFailing }, news }
}

function recovery({ isFailing, since, failures }: ProbeState, now: number): ProbeNews | null {
  return isFailing ? { type: 'recovered', failedForMs: now - (since ?? now), failures } : null
}
