// What is kept of a worker that crashed.

import type { CrashRecord, VitalsPoint } from '../control/messages.ts'
import type { GroupName, RequestUnderWay, Vitals } from '../protocol/messages.ts'
import { fingerprintOf } from './crash-fingerprint.ts'
import { explainExit, type Ending } from './exit-words.ts'
import { Ring } from './ring.ts'
import type { Sample } from './samples.ts'

/** Everything that is known of the process when it has ended. */
export interface CrashFacts extends Ending {
  readonly at: Date
  readonly app: string
  readonly group: GroupName
  readonly release: string
  readonly worker: number
  readonly pid: number
  readonly uptimeMs: number
  /** The last ones before the end; null when there was none. */
  readonly vitals: Vitals | null
  readonly sample: Sample | null
  readonly curve: readonly VitalsPoint[]
  readonly reportPath: string | null
  readonly heapSnapshots: readonly string[]
  /** The uncaught stack by source maps, and what was under way, when the worker could tell. */
  readonly mappedStack: string | null
  readonly requests: readonly RequestUnderWay[]
  /** The release's own directories, which are not what a crash is told apart by. */
  readonly directories: readonly string[]
}

/** How many lines of stderr a record has. */
export const STDERR_LINES = 64
/** A line of stderr in a record is cut at this length: minified code is printed as one line. */
const LONGEST_STDERR_LINE = 2000

export function crashRecord(facts: CrashFacts): Omit<CrashRecord, 'id'> {
  const { app, group, release, worker, pid, code, signal, vitals, sample } = facts
  const { reason, words } = explainExit(facts)
  const stderr = facts.stderr.slice(-STDERR_LINES).map(cut)
  const { uncaught: stack, mappedStack, directories } = facts
  return {
    // A bundler's names differ from one release to the next; those of the source do not.
    ...fingerprintOf({ reason, code, signal, words, stack: mappedStack ?? stack, stderr, directories }),
    at: facts.at.toISOString(),
    app,
    group,
    release,
    worker,
    pid,
    code,
    signal,
    reason,
    words,
    uptimeSeconds: Math.round(facts.uptimeMs) / 1000,
    stderr,
    rssBytes: sample?.rssBytes ?? null,
    loopDelayMs: vitals?.loopDelayMs ?? null,
    requestsInFlight: vitals?.inFlight ?? null,
    reportPath: facts.reportPath,
    stack,
    mappedStack,
    requests: facts.requests,
    curve: facts.curve,
    heapSnapshots: facts.heapSnapshots,
  }
}

function cut(line: string): string {
  return line.length > LONGEST_STDERR_LINE ? `${line.slice(0, LONGEST_STDERR_LINE - 1)}…` : line
}

/** The last lines of one worker's stderr, kept while it lives. */
export function stderrTail(): Ring<string> {
  return new Ring({ items: STDERR_LINES, bytes: 256 * 1024, sizeOf: (line) => line.length })
}
