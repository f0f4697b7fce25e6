// Counts every outcome of a run and says so in a report. It judges nothing: lanes name the outcomes.

import { Latencies, type Percentiles } from './latencies.ts'
import { FAILURES, type Failure, type FailureContext, type FailureKind } from './outcome.ts'

const FIRST_FAILURES = 20_000

/** One value of a header, such as one pid, with when it was met. Times are milliseconds since the epoch. */
export interface Sighting {
  readonly value: string
  readonly count: number
  readonly firstSeen: number
  readonly lastSeen: number
  /** When the latest request that got this answer was sent. */
  readonly lastSent: number
}

export interface LaneReport {
  readonly lane: string
  readonly ok: number
  readonly failed: number
  readonly connections: number
}

export interface Report {
  readonly startedAt: number
  readonly tookMs: number
  readonly endedBy: 'duration' | 'requests' | 'signal'
  readonly ok: number
  readonly failed: number
  readonly failures: Readonly<Record<FailureKind, number>>
  /** HTTP/2 streams that the server did not process and said so: no failure, and not tried again here. */
  readonly retryable: number
  readonly requestsPerSecond: number
  readonly lanes: readonly LaneReport[]
  readonly connections: {
    readonly opened: number
    /** Ended by the server while nothing was asked of it. */
    readonly closedIdle: number
    readonly resetIdle: number
    /** Ended by the server as its `Connection: close` had said. */
    readonly closedAsAnnounced: number
    /** The server said `Connection: close` and did not end the connection within a second. */
    readonly leftOpen: number
    readonly goaways: number
  }
  readonly webSocketCloses: Readonly<Record<string, number>>
  /** Echoes that were under way when the server sent a proper close frame. */
  readonly webSocketCut: number
  readonly pids: readonly Sighting[]
  readonly releases: readonly Sighting[]
  readonly latencyMs: Percentiles
  /** Longest time between two successful answers. */
  readonly longestGapMs: number
  readonly firstFailures: readonly Failure[]
}

export type ConnectionFact = 'opened' | 'closedIdle' | 'resetIdle' | 'closedAsAnnounced' | 'leftOpen' | 'goaways'

export class Recorder {
  readonly #startedAt = Date.now()
  readonly #started = performance.now()
  readonly #latencies = new Latencies()
  readonly #failures = noFailures()
  readonly #connections = { opened: 0, closedIdle: 0, resetIdle: 0, closedAsAnnounced: 0, leftOpen: 0, goaways: 0 }
  readonly #lanes = new Map<string, { ok: number; failed: number; connections: number }>()
  readonly #pids = new Map<string, MutableSighting>()
  readonly #releases = new Map<string, MutableSighting>()
  readonly #closes: Record<string, number> = {}
  readonly #first: Failure[] = []
  #lastOk = 0
  #longestGap = 0
  ok = 0
  failed = 0
  retryable = 0
  webSocketCut = 0

  succeeded(lane: string, sentAt: number, pid: string | null, release: string | null): void {
    const now = performance.now()
    this.ok++
    this.#lane(lane).ok++
    this.#latencies.add(now - sentAt)
    if (this.#lastOk > 0 && now - this.#lastOk > this.#longestGap) this.#longestGap = now - this.#lastOk
    this.#lastOk = now
    if (pid !== null) see(this.#pids, pid, sentAt, now)
    if (release !== null) see(this.#releases, release, sentAt, now)
  }

  failedWith(lane: string, kind: FailureKind, detail: string, context: FailureContext): void {
    this.failed++
    this.#lane(lane).failed++
    this.#failures[kind]++
    if (this.#first.length < FIRST_FAILURES)
      this.#first.push({ kind, lane, detail, at: epoch(performance.now()), ...context })
  }

  connection(lane: string, fact: ConnectionFact): void {
    this.#connections[fact]++
    if (fact === 'opened') this.#lane(lane).connections++
  }

  webSocketClosed(code: number): void {
    this.#closes[code] = (this.#closes[code] ?? 0) + 1
  }

  report(endedBy: Report['endedBy']): Report {
    const tookMs = performance.now() - this.#started
    return {
      startedAt: this.#startedAt,
      tookMs: Math.round(tookMs),
      endedBy,
      ok: this.ok,
      failed: this.failed,
      failures: this.#failures,
      retryable: this.retryable,
      requestsPerSecond: Math.round((this.ok * 1_000) / tookMs),
      lanes: [...this.#lanes].map(([lane, { ok, failed, connections }]) => ({ lane, ok, failed, connections })),
      connections: this.#connections,
      webSocketCloses: this.#closes,
      webSocketCut: this.webSocketCut,
      pids: sightings(this.#pids),
      releases: sightings(this.#releases),
      latencyMs: this.#latencies.percentiles(),
      longestGapMs: Math.round(this.#longestGap),
      firstFailures: this.#first,
    }
  }

  #lane(name: string): { ok: number; failed: number; connections: number } {
    let lane = this.#lanes.get(name)
    if (lane === undefined) this.#lanes.set(name, (lane = { ok: 0, failed: 0, connections: 0 }))
    return lane
  }
}

function noFailures(): Record<FailureKind, number> {
  const none: Partial<Record<FailureKind, number>> = {}
  for (const kind of FAILURES) none[kind] = 0
  // Every kind was just given its zero.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return none as Record<FailureKind, number>
}

interface MutableSighting {
  count: number
  firstSeen: number
  lastSeen: number
  lastSent: number
}

function see(seen: Map<string, MutableSighting>, value: string, sentAt: number, now: number): void {
  const sighting = seen.get(value)
  if (sighting === undefined) {
    seen.set(value, { count: 1, firstSeen: now, lastSeen: now, lastSent: sentAt })
    return
  }
  sighting.count++
  sighting.lastSeen = now
  if (sentAt > sighting.lastSent) sighting.lastSent = sentAt
}

function sightings(seen: Map<string, MutableSighting>): Sighting[] {
  return [...seen].map(([value, { count, firstSeen, lastSeen, lastSent }]) => ({
    value,
    count,
    firstSeen: epoch(firstSeen),
    lastSeen: epoch(lastSeen),
    lastSent: epoch(lastSent),
  }))
}

function epoch(monotonic: number): number {
  return Math.round((performance.timeOrigin + monotonic) * 10) / 10
}
