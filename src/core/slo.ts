// Service-level objectives: how much of the error budget is left, and how fast it is being used up.
//
// Rules of this file
// 1. A request is good or bad, and only requests count: no traffic uses nothing up.
// 2. A burn rate of 1 uses up exactly the budget in the objective's period. An alarm needs a high rate in a long window, so
//    that it matters, and in a short one, so that it goes on now (multi-window, multi-burn-rate alerts of Google's "The Site
//    Reliability Workbook", chapter 5, whose windows and rates these are, for a period of 30 days).

export interface Counted {
  readonly total: number
  readonly bad: number
}

export interface Objective {
  /** Share of requests that are to be good, as a percentage: 99.9. */
  readonly target: number
}

export interface BurnWindow {
  readonly name: string
  readonly minutes: number
}

/** All windows that are watched, shortest first. */
export const BURN_WINDOWS = [
  { name: '5m', minutes: 5 },
  { name: '30m', minutes: 30 },
  { name: '1h', minutes: 60 },
  { name: '6h', minutes: 360 },
  { name: '3d', minutes: 4320 },
] as const satisfies readonly BurnWindow[]

export type BurnWindowName = (typeof BURN_WINDOWS)[number]['name']

export interface BurnRule {
  readonly severity: 'page' | 'ticket'
  readonly long: BurnWindowName
  readonly short: BurnWindowName
  readonly rate: number
}

export const BURN_RULES: readonly BurnRule[] = [
  { severity: 'page', long: '1h', short: '5m', rate: 14.4 },
  { severity: 'page', long: '6h', short: '30m', rate: 6 },
  { severity: 'ticket', long: '3d', short: '6h', rate: 1 },
]

/** Fewer requests than these in a window say nothing of a rate. */
export const FEWEST_REQUESTS = 100

/** How many times as fast as allowed the budget is used up; null without a request. */
export function burnRate({ total, bad }: Counted, { target }: Objective): number | null {
  if (total === 0) return null
  return bad / total / allowedShare(target)
}

/** What is left of the budget for these requests: 1 is all of it, below 0 the objective is missed; null without a request. */
export function budgetLeft(counted: Counted, objective: Objective): number | null {
  const rate = burnRate(counted, objective)
  return rate === null ? null : 1 - rate
}

/** The first rule that is broken, the worst first; null when none is. */
export function brokenRule(counted: Readonly<Record<BurnWindowName, Counted>>, objective: Objective): BurnRule | null {
  const isBroken = ({ long, short, rate }: BurnRule): boolean =>
    counted[long].total >= FEWEST_REQUESTS &&
    [long, short].every((window) => (burnRate(counted[window], objective) ?? 0) >= rate)
  return BURN_RULES.find(isBroken) ?? null
}

/** A target of 100 % would allow nothing, and every failure would burn infinitely fast. */
function allowedShare(target: number): number {
  return Math.max(1 - target / 100, 1e-6)
}
