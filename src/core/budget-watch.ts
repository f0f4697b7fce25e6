// When a person is told of an error budget: once when it begins to burn, again when it burns faster, and once when it does
// no more. Of the rates in force the fastest counts; a slow one goes on for hours after a fast one is over, and must not
// hide the next.

export interface BudgetVerdict {
  /** The rate that was last seen; null when nothing burns. */
  readonly rate: number | null
  readonly tell: 'burns' | 'holds' | null
}

/** `before` and `now` are how many times too fast a budget burns, by the fastest alert rule in force; null for none. */
export function judgeBudget(before: number | null, now: number | null): BudgetVerdict {
  if (now === null) return { rate: null, tell: before === null ? null : 'holds' }
  return { rate: now, tell: now > (before ?? 0) ? 'burns' : null }
}
