// What users saw of a rehearsal, from the requests of the probe and the faults: pure.
//
// A request that fails is expected when it was under way in a worker that was killed, stopped or hung: it had begun before the
// fault, or in its first moment, and was cut or got no answer. Every other failure is one that users need not have seen.

import type { FaultStep } from '../control/messages.ts'
import type { Asked } from '../control/rehearsal-probe.ts'

/** A fault as it was seen; times by this process's monotonic clock. */
export interface FaultSeen extends Omit<FaultStep, 'text'> {
  readonly at: number
  /** Null when it was never over. */
  readonly until: number | null
}

export interface Figures {
  readonly asked: number
  readonly failed: number
  /** Of those the ones that were under way in a worker that was taken. */
  readonly inFlight: number
  /** By kind: cut, refused, timeout, status (5xx)… */
  readonly failures: Readonly<Record<string, number>>
  readonly p50Ms: number | null
  readonly p99Ms: number | null
}

export interface FaultReport extends Omit<FaultStep, 'text'>, Figures {
  /** Id of its crash record. */
  readonly crash: string | null
}

export interface ChaosReport {
  readonly passed: boolean
  /** The verdict in one line. */
  readonly text: string
  readonly before: Figures
  readonly whole: Figures
  readonly faults: readonly FaultReport[]
}

export interface ReportFacts {
  readonly asked: readonly Asked[]
  readonly faults: readonly FaultSeen[]
  /** Ids of crash records by pid. */
  readonly crashes: ReadonlyMap<number, string>
  /** Why it ended early; null when it did not. */
  readonly endedBecause: string | null
}

/** The line that tells of a fault and the order itself take their time. */
const FIRST_MOMENT_MS = 250
const AFTERWARDS_MS = 1000
/** A reset comes in an instant, and may overtake the line. */
const AHEAD_MS = 100

export function reportOf({ asked: told, faults, crashes, endedBecause }: ReportFacts): ChaosReport {
  // Half an hour has a million of them, and a fault a second.
  const asked = told.toSorted((a, b) => a.until - b.until)
  const first = faults[0]?.at ?? Infinity
  const before = figuresOf(asked.slice(0, indexFrom(asked, first)), faults)
  const whole = figuresOf(asked, faults)
  const reports = faults.map((fault, index): FaultReport => {
    const { at, until, ...step } = fault
    // What began in one fault and was cut by the next is that one's.
    const nextAt = faults[index + 1]?.at ?? Infinity
    const end = Math.min((until ?? Infinity) + AFTERWARDS_MS, nextAt - AHEAD_MS)
    const during = asked.slice(indexFrom(asked, at - AHEAD_MS), indexFrom(asked, end))
    // A process may have had others before the one that ended it.
    const isLast = fault === faults.findLast(({ pid }) => pid === fault.pid)
    const crash = fault.pid === null || !isLast ? null : (crashes.get(fault.pid) ?? null)
    return { ...step, ...figuresOf(during, [fault]), crash }
  })
  const notRecovered = faults.filter(({ state }) => state === 'notRecovered').length
  const unexpected = whole.failed - whole.inFlight
  const passed = notRecovered === 0 && unexpected === 0 && endedBecause === null
  return { passed, text: verdictOf(whole, faults, notRecovered, endedBecause), before, whole, faults: reports }
}

/** Of the first that ended then or later. */
function indexFrom(asked: readonly Asked[], until: number): number {
  let [low, high] = [0, asked.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((asked[middle]?.until ?? Infinity) < until) low = middle + 1
    else high = middle
  }
  return low
}

function verdictOf(whole: Figures, faults: readonly FaultSeen[], notRecovered: number, endedBecause: string | null) {
  const { asked, failed, inFlight } = whole
  const recovered = faults.filter(({ state }) => state === 'recovered').length
  const saw =
    asked === 0
      ? 'no request was asked: nobody at its public address speaks HTTP'
      : failed === 0
        ? `none of ${asked} requests failed`
        : `${failed} of ${asked} requests failed, ${inFlight} of them under way in a worker that was taken`
  const lost = notRecovered === 0 ? '' : `; not recovered from ${notRecovered}`
  const early = endedBecause === null ? '' : `; ended early: ${endedBecause}`
  return `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}, recovered from ${recovered}${lost}; ${saw}${early}`
}

function figuresOf(asked: readonly Asked[], faults: readonly FaultSeen[]): Figures {
  const failures: Record<string, number> = {}
  for (const { outcome } of asked) if (outcome !== 'ok') failures[outcome] = (failures[outcome] ?? 0) + 1
  const failed = asked.filter(({ outcome }) => outcome !== 'ok')
  const tookMs = asked
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ at, until }) => until - at)
    .toSorted((a, b) => a - b)
  return {
    asked: asked.length,
    failed: failed.length,
    inFlight: failed.filter((one) => faults.some((fault) => wasInFlight(one, fault))).length,
    failures,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
  }
}

function wasInFlight({ at, until, outcome }: Asked, fault: FaultSeen): boolean {
  if (fault.kind !== 'kill' && fault.kind !== 'stop' && fault.kind !== 'hang') return false
  if (outcome !== 'cut' && outcome !== 'timeout') return false
  const isInTime = outcome === 'timeout' || until <= (fault.until ?? Infinity) + AFTERWARDS_MS
  return isInTime && at <= fault.at + FIRST_MOMENT_MS && until >= fault.at - AHEAD_MS
}

function percentile(sorted: readonly number[], share: number): number | null {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return value === undefined ? null : Math.round(value * 10) / 10
}
