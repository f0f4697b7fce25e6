// The watch over a release that has just got the public traffic: is it no worse than the one before it? Looked at as often
// as one likes, whatever the traffic.
//
// Rules of this file
// 1. No data is inconclusive, never a fail; and a pass only where no request was asked for (`minRequests` 0).
// 2. Looking often does no harm: errors are weighed by an e-process (see `evidenceOf`), which accuses a release that is not
//    worse in at most 1 of 100 rollouts, however often it is asked. A threshold on a ratio would do so in most.
// 3. Requests are counted, not users: one client that tries again and again counts each time. So a few errors alone never fail.
// 4. A release that does what the old one did is not worse, be it crashes, failing probes or errors. Only a limit that a
//    person has set holds whatever the old one did.

import type { Judgement, Traffic } from './verdict.ts'

export interface BakeFacts {
  readonly flippedAt: number
  /** Of the new group, since the flip: processes that ended although nobody asked for it. */
  readonly crashes: number
  /** Workers of the new group that fail their health probe now. */
  readonly failingProbes: number
  /** Answered by the new group since the flip. */
  readonly requests: number
  /** How many of those with 5xx. */
  readonly serverErrors: number
  /** The old group in the last hour before the flip; its crashes until now. */
  readonly old: Traffic
  /** Workers of the old group, which is warm, that fail it now. */
  readonly oldFailingProbes: number
}

export interface BakePolicy {
  readonly bakeMs: number
  /** Fewer are no proof: the watch goes on until so many were seen. */
  readonly minRequests: number
  /** A share of 5xx that is surely above this fails, whatever the old group did; null is no such limit. */
  readonly absoluteMax: number | null
}

export interface BakeFigures {
  readonly elapsedMs: number
  readonly crashes: number
  readonly failingProbes: number
  readonly requests: number
  readonly serverErrors: number
  readonly errorRatio: number
  /** The old group in the hour before. */
  readonly old: Traffic
  /** What the old group's share of 5xx is at most; null when it answered nothing. */
  readonly baseline: number | null
  /** How many times likelier the errors are if the release is worse; it fails at 100. */
  readonly evidence: number
}

export type BakeVerdict = Judgement<BakeFigures>

/** What is written down of it, so that it can be read later and gone on with by another supervisor. */
export interface BakeRecord extends BakeVerdict {
  readonly policy: BakePolicy
  /** ISO 8601. */
  readonly at: string
}

/** A release that is not worse is failed in at most 1 of so many rollouts. */
export const EVIDENCE_LIMIT = 100
/** One client that tries again must not be enough. */
export const FEWEST_ERRORS = 5

/** How many times worse the release may be: each is weighed, since nobody knows. */
const TIMES_WORSE = [1.5, 2, 3, 5, 10, 30]
/** A smaller share of errors than this is held against nobody. */
const TOLERATED = 0.001
/**
 * What an old release that answered nothing is taken to have answered with 5xx at most, or so little that nothing follows
 * from having seen no error. It may have been started a moment ago; a release that is broken is found all the same.
 */
const ASSUMED_MOST = 0.05
/** 95 %, one-sided. */
const Z = 1.645
/** JSON has no Infinity. */
const MOST_EVIDENCE = 1e9

export function judgeBake(facts: BakeFacts, policy: BakePolicy, now: number): BakeVerdict {
  const figures = figuresOf(facts, now)
  const failure = failureIn(facts, figures, policy)
  if (failure !== null) return { verdict: 'fail', why: failure, figures }
  const missing = policy.minRequests - facts.requests
  if (figures.elapsedMs < policy.bakeMs) {
    const why = `watched for ${seconds(figures.elapsedMs)} of ${seconds(policy.bakeMs)}, ${wordsOf(facts)}`
    return { verdict: 'inconclusive', why, figures }
  }
  if (missing > 0) return { verdict: 'inconclusive', why: wordsOfMissing(facts, figures, policy), figures }
  return { verdict: 'pass', why: wordsOf(facts), figures }
}

function figuresOf(facts: BakeFacts, now: number): BakeFigures {
  const { crashes, failingProbes, requests, serverErrors, old } = facts
  const baseline = old.requests === 0 ? null : upperBound(old.serverErrors, old.requests)
  return {
    elapsedMs: Math.max(now - facts.flippedAt, 0),
    crashes,
    failingProbes,
    requests,
    serverErrors,
    errorRatio: requests === 0 ? 0 : serverErrors / requests,
    old,
    baseline,
    evidence: evidenceOf(serverErrors, requests, shareOf(old)),
  }
}

/** The share of errors that the release is held to. */
function shareOf(old: Traffic): number {
  const most = old.requests === 0 ? ASSUMED_MOST : upperBound(old.serverErrors, old.requests)
  return Math.max(old.serverErrors === 0 ? Math.min(most, ASSUMED_MOST) : most, TOLERATED)
}

/** Why the release is worse, in words; null when nothing shows that it is. */
function failureIn(facts: BakeFacts, figures: BakeFigures, { absoluteMax }: BakePolicy): string | null {
  const { crashes, failingProbes, oldFailingProbes, requests, serverErrors, old } = facts
  if (crashes > old.crashes)
    return `${counted(crashes, 'worker')} crashed since the flip${old.crashes === 0 ? '' : `, and ${old.crashes} of the old release in an hour`}`
  if (failingProbes > oldFailingProbes)
    return `${counted(failingProbes, 'worker')} failed the health probe${oldFailingProbes === 0 ? '' : `, and ${oldFailingProbes} of the old release`}`
  if (serverErrors < FEWEST_ERRORS) return null
  const share = `${serverErrors} of ${counted(requests, 'request')} were answered with 5xx (${percent(figures.errorRatio)})`
  if (absoluteMax !== null && evidenceOf(serverErrors, requests, absoluteMax) >= EVIDENCE_LIMIT)
    return `${share}, and more than ${percent(absoluteMax)} are never accepted`
  if (figures.evidence < EVIDENCE_LIMIT) return null
  if (figures.baseline !== null && figures.baseline <= shareOf(old))
    return `${share}, and at most ${percent(figures.baseline)} of the old release's`
  const known = old.requests === 0 ? 'answered none' : `answered only ${old.requests}`
  return `${share}; the old release ${known} in the hour before, which is too few to compare with, and more than ${percent(shareOf(old))} are taken for worse`
}

/**
 * The mean, over what "worse" may mean, of the likelihood ratio of the errors seen: an e-process in the sense of Lindon and
 * Malek (2022). By Ville's inequality it ever reaches 100 with probability of at most 1 % if the release is not worse.
 */
function evidenceOf(errors: number, requests: number, baseline: number): number {
  if (baseline <= 0) return errors > 0 ? MOST_EVIDENCE : 1
  const ratios = TIMES_WORSE.map((times) => {
    const worse = Math.min(times * baseline, 0.95)
    if (worse <= baseline) return 1
    return Math.exp(errors * Math.log(worse / baseline) + (requests - errors) * Math.log((1 - worse) / (1 - baseline)))
  })
  return Math.min(ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length, MOST_EVIDENCE)
}

/** Wilson's bound of a share: it holds for small numbers, too. */
function upperBound(part: number, whole: number): number {
  const share = part / whole
  const spread = Math.sqrt((share * (1 - share)) / whole + (Z * Z) / (4 * whole * whole))
  return (share + (Z * Z) / (2 * whole) + Z * spread) / (1 + (Z * Z) / whole)
}

function wordsOf({ requests, serverErrors }: BakeFacts): string {
  if (requests === 0) return 'no request was seen'
  return `${counted(requests, 'request')} seen, ${serverErrors === 0 ? 'none' : serverErrors} of them answered with 5xx`
}

function wordsOfMissing({ requests }: BakeFacts, { elapsedMs }: BakeFigures, { minRequests }: BakePolicy): string {
  if (requests === 0) return `no request was seen, and ${minRequests} are needed`
  const leftMs = (elapsedMs / requests) * (minRequests - requests)
  return `only ${requests} of the ${minRequests} requests were seen that are needed; the rest will take about ${seconds(leftMs)}`
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

/** Two digits that mean something. */
function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`
}
