// What is kept of a worker that crashed, and of how many.

import type { CrashRecord } from '../control/messages.ts'
import type { GroupName, Vitals } from '../protocol/messages.ts'
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
  readonly reportPath: string | null
}

/** How many lines of stderr a record has. */
export const STDERR_LINES = 64
/** A line of stderr in a record is cut at this length: minified code is printed as one line. */
const LONGEST_STDERR_LINE = 2000
const RECORDS_PER_APP = 100

export function crashRecord(facts: CrashFacts): CrashRecord {
  const { app, group, release, worker, pid, code, signal, vitals, sample, reportPath } = facts
  return {
    at: facts.at.toISOString(),
    app,
    group,
    release,
    worker,
    pid,
    code,
    signal,
    ...explainExit(facts),
    uptimeSeconds: Math.round(facts.uptimeMs) / 1000,
    stderr: facts.stderr.slice(-STDERR_LINES).map(cut),
    rssBytes: sample?.rssBytes ?? null,
    loopDelayMs: vitals?.loopDelayMs ?? null,
    requestsInFlight: vitals?.inFlight ?? null,
    reportPath,
  }
}

function cut(line: string): string {
  return line.length > LONGEST_STDERR_LINE ? `${line.slice(0, LONGEST_STDERR_LINE - 1)}…` : line
}

/** The latest crashes of each app. */
export class CrashRecords {
  readonly #byApp = new Map<string, Ring<CrashRecord>>()

  add(record: CrashRecord): void {
    let ring = this.#byApp.get(record.app)
    if (ring === undefined) {
      ring = new Ring({ items: RECORDS_PER_APP })
      this.#byApp.set(record.app, ring)
    }
    ring.push(record)
  }

  /** Of one app, or of all with null; oldest first. */
  list(app: string | null): readonly CrashRecord[] {
    if (app !== null) return this.#byApp.get(app)?.recent() ?? []
    const all = [...this.#byApp.values()].flatMap((ring) => ring.recent())
    return all.toSorted((one, other) => one.at.localeCompare(other.at))
  }

  /** The app was deleted. */
  forget(app: string): void {
    this.#byApp.delete(app)
  }
}

/** The last lines of one worker's stderr, kept while it lives. */
export function stderrTail(): Ring<string> {
  return new Ring({ items: STDERR_LINES, bytes: 256 * 1024, sizeOf: (line) => line.length })
}
