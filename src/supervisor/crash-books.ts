// What is remembered of every crash: records on disk, bounded in number and bytes, and counters that outlive them. A disk
// that cannot be written costs what is remembered across the supervisor's end and nothing else: it is told once.

import type { CrashGroup, CrashRecord } from '../control/messages.ts'
import {
  countCrash,
  retain,
  type CrashEntry,
  type CrashGroup as KnownGroup,
  type CrashLimits,
  type Kept,
} from '../core/crash-groups.ts'
import { CRASHES_SCHEMA, CrashFiles, type CrashIndex } from '../state/crash-files.ts'
import { whyNotWritten } from '../config/why-not-written.ts'
import { Ring } from '../telemetry/ring.ts'

export type CrashDraft = Omit<CrashRecord, 'id'>

export const CRASH_LIMITS: CrashLimits = { records: 500, bytes: 32 * 1024 ** 2, groups: 200 }

/** The latest in memory too: for `describe`, and for a disk that cannot be written. */
const IN_MEMORY = { items: 100, bytes: 2 * 1024 ** 2 }

/** A crash loop writes its counters no more often than this; records tell what a kill of the supervisor costs of them. */
const SAVE_MS = 1000
/** Where the disk refuses. */
const TRY_AGAIN_MS = 5000

export class CrashBooks {
  readonly #files: CrashFiles
  readonly #complain: (problem: string) => void
  readonly #limits: CrashLimits
  readonly #recent = new Map<string, Ring<CrashRecord>>()
  #kept: Kept = { groups: [], entries: [] }
  #next = 1
  #hasFailed = false
  #isClosed = false
  /** Kept by another process while this one had let go: this one may see the same ends once more. */
  #taken: readonly CrashRecord[] = []
  #saving: NodeJS.Timeout | undefined

  /** Reads what an earlier supervisor left. */
  constructor(stateDirectory: string, complain: (problem: string) => void, limits: CrashLimits = CRASH_LIMITS) {
    this.#files = new CrashFiles(stateDirectory)
    this.#complain = complain
    this.#limits = limits
    this.#load()
  }

  /** Gives it its id, counts it and keeps it, at the cost of others if need be. */
  add(draft: CrashDraft): CrashRecord {
    const known = this.#taken.find(
      ({ app, worker, pid }) => app === draft.app && worker === draft.worker && pid === draft.pid,
    )
    this.#taken = this.#taken.filter((each) => each !== known)
    if (known !== undefined) return known
    const seq = this.#next
    this.#next += 1
    const record: CrashRecord = { id: idOf(seq), ...draft }
    this.#ringOf(record.app).push(record)
    this.#count(seq, record, this.#try(() => this.#files.write(seq, record)) ?? 0)
    this.#saving ??= setTimeout(() => this.#save(), SAVE_MS).unref()
    return record
  }

  /** The same crashes together, the latest last. */
  groups(app: string | null): readonly CrashGroup[] {
    return this.#kept.groups.filter((group) => app === null || group.app === app).map(shown)
  }

  /** The latest of one app, oldest first. */
  recent(app: string, last = Infinity): readonly CrashRecord[] {
    return this.#recent.get(app)?.recent({ last }) ?? []
  }

  /** Of every app that is remembered. */
  allRecent(): readonly CrashRecord[] {
    return [...this.#recent.values()].flatMap((ring) => ring.recent()).toSorted((a, b) => a.at.localeCompare(b.at))
  }

  find(id: string): CrashRecord | null {
    const inMemory = [...this.#recent.values()].flatMap((ring) => ring.recent({ matches: (one) => one.id === id }))[0]
    const seq = /^c(\d{1,15})$/.exec(id)?.[1]
    return inMemory ?? (seq === undefined ? null : this.#files.read(Number(seq)))
  }

  /** An app that is deleted leaves nothing. */
  forget(app: string): void {
    this.#recent.delete(app)
    this.#keep({
      groups: this.#kept.groups.filter((group) => group.app !== app),
      entries: this.#kept.entries.filter((entry) => entry.app !== app),
    })
    this.#save()
  }

  close(): void {
    this.#isClosed = true
    if (this.#saving !== undefined) this.#save()
  }

  /** After a close: whatever another process has kept meanwhile is taken in. */
  goOn(): void {
    this.#isClosed = false
    this.#taken = this.#files.numbers().flatMap((seq) => (seq < this.#next ? [] : (this.#takeIn(seq) ?? [])))
    this.#save()
  }

  #count(seq: number, record: CrashRecord, bytes: number): void {
    const { id, at, app, fingerprint, title, reason, release } = record
    const groups = countCrash(this.#kept.groups, { seq, id, at, app, fingerprint, title, reason, release })
    const entry: CrashEntry = { seq, app, fingerprint, bytes }
    this.#keep(
      retain({ groups, entries: bytes === 0 ? this.#kept.entries : [...this.#kept.entries, entry] }, this.#limits),
    )
  }

  #keep(kept: Kept): void {
    const stay = new Set(kept.entries.map(({ seq }) => seq))
    for (const { seq } of this.#kept.entries) if (!stay.has(seq)) this.#remove(seq)
    this.#kept = kept
  }

  #load(): void {
    const index = this.#readIndex()
    const numbers = this.#files.numbers()
    const there = new Set(numbers)
    if (index !== null) {
      this.#kept = { groups: index.groups, entries: index.entries.filter(({ seq }) => there.has(seq)) }
      this.#next = index.next
    }
    const known = new Set(this.#kept.entries.map(({ seq }) => seq))
    for (const seq of numbers.filter((one) => !known.has(one))) this.#loadUncounted(seq)
    this.#fillMemory()
  }

  /** One that is damaged must not stop the start: groups and counts are made anew from the records. */
  #readIndex(): CrashIndex | null {
    try {
      return this.#files.readIndex()
    } catch (error) {
      this.#complain(
        `cannot go on with the counts of crashes: ${whyNotWritten(error)}; they begin anew with the records`,
      )
      return null
    }
  }

  /** Written after the index was for the last time: the supervisor of that time was killed. */
  #loadUncounted(seq: number): void {
    const record = seq >= this.#next ? this.#files.read(seq) : null
    if (record === null) return this.#remove(seq)
    this.#next = seq + 1
    this.#count(seq, record, this.#files.sizeOf(seq))
  }

  #takeIn(seq: number): CrashRecord | null {
    this.#loadUncounted(seq)
    const record = this.#next > seq ? this.#files.read(seq) : null
    if (record !== null) this.#ringOf(record.app).push(record)
    return record
  }

  #fillMemory(): void {
    const apps = Map.groupBy(this.#kept.entries, ({ app }) => app)
    for (const [app, entries] of apps) {
      let bytes = 0
      const latest = entries.toReversed().filter((entry, index) => {
        bytes += entry.bytes
        return index < IN_MEMORY.items && bytes <= IN_MEMORY.bytes
      })
      for (const { seq } of latest.toReversed()) {
        const record = this.#files.read(seq)
        if (record !== null) this.#ringOf(app).push(record)
      }
    }
  }

  #ringOf(app: string): Ring<CrashRecord> {
    const known = this.#recent.get(app)
    if (known !== undefined) return known
    const ring = new Ring<CrashRecord>({ ...IN_MEMORY, sizeOf })
    this.#recent.set(app, ring)
    return ring
  }

  #save(): void {
    clearTimeout(this.#saving)
    this.#saving = undefined
    this.#try(() => this.#files.writeIndex({ schema: CRASHES_SCHEMA, next: this.#next, ...this.#kept }))
    // Counts are worth keeping whether or not there is another crash.
    if (this.#hasFailed && !this.#isClosed) this.#saving = setTimeout(() => this.#save(), TRY_AGAIN_MS).unref()
  }

  /** One that cannot be removed is found at the next start. */
  #remove(seq: number): void {
    try {
      this.#files.remove(seq)
    } catch {}
  }

  /** Undefined when the disk refuses. */
  #try<Result>(act: () => Result): Result | undefined {
    try {
      const result = act()
      this.#hasFailed = false
      return result
    } catch (error) {
      if (!this.#hasFailed)
        this.#complain(`cannot keep crash records: ${whyNotWritten(error)}; the latest are in memory`)
      this.#hasFailed = true
      return undefined
    }
  }
}

function shown({ app, fingerprint, title, reason, count, releases, first, last }: KnownGroup): CrashGroup {
  const ends = { firstAt: first.at, firstId: first.id, lastAt: last.at, lastId: last.id }
  return { app, fingerprint, title, reason, count, ...ends, releases }
}

function idOf(seq: number): string {
  return `c${seq}`
}

/** About what it takes: texts are what is long in it. */
function sizeOf({ stderr, stack, mappedStack, curve, requests }: CrashRecord): number {
  const lines = stderr.reduce((sum, line) => sum + line.length + 50, 0)
  return 1000 + lines + (stack?.length ?? 0) + (mappedStack?.length ?? 0) + curve.length * 100 + requests.length * 300
}
