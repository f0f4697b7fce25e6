// The instance's events on disk: appended line by line, bounded by two segments, numbered on across the supervisor's
// lives. A disk that is full or read-only is told once; what could not be written waits in memory and is written when it
// can be.

import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EventRecord } from '../control/messages.ts'
import { makeDirectories } from '../config/make-directories.ts'
import { whyNotWritten } from '../config/why-not-written.ts'

export interface JournalOptions {
  /** Of each of the two segments. @default 4 MiB */
  readonly segmentBytes?: number
  readonly complain: (problem: string) => void
}

const SEGMENT_BYTES = 4 * 1024 ** 2
/** A text that is longer is cut on disk. */
const LONGEST_TEXT = 8000
/** So many that could not be written wait. */
const MOST_WAITING = 1000
/** How much of the end is read at the start. */
const TAIL_BYTES = 1024 ** 2

export class EventJournal {
  /** The latest, oldest first. */
  readonly recent: readonly EventRecord[]
  readonly #options: JournalOptions
  readonly #directory: string
  readonly #current: string
  readonly #previous: string
  /** The last line has no end: whoever wrote it was killed. */
  #isTorn = false
  #waiting: string[] = []
  #hasFailed = false
  #cannotTurn = false

  constructor(stateDirectory: string, options: JournalOptions) {
    this.#options = options
    this.#directory = stateDirectory
    this.#current = join(stateDirectory, 'events.ndjson')
    this.#previous = join(stateDirectory, 'events.1.ndjson')
    const now = readTail(this.#current)
    this.#isTorn = now !== '' && !now.endsWith('\n')
    this.recent = [...eventsIn(readTail(this.#previous)), ...eventsIn(now)].slice(-MOST_WAITING)
  }

  /** Never throws. */
  append(event: EventRecord): void {
    const { text } = event
    const short = text.length > LONGEST_TEXT ? { ...event, text: `${text.slice(0, LONGEST_TEXT)}…` } : event
    this.#waiting.push(`${JSON.stringify(short)}\n`)
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()
    let size: number
    try {
      size = this.#write(this.#waiting.join(''))
      this.#waiting = []
      this.#hasFailed = false
    } catch (error) {
      const isNew = !this.#hasFailed
      // First: the complaint is an event, too.
      this.#hasFailed = true
      if (isNew)
        this.#options.complain(`cannot write ${this.#current}: ${whyNotWritten(error)}; later events wait in memory`)
      return
    }
    if (size > (this.#options.segmentBytes ?? SEGMENT_BYTES)) this.#turn()
  }

  /** The latest `most` events before number `seq` that match, oldest first. */
  async readBefore(seq: number, matches: (event: EventRecord) => boolean, most: number): Promise<EventRecord[]> {
    // Both are opened before either is read: a rotation in between must not hide one.
    const files = await Promise.all([this.#previous, this.#current].map((path) => open(path).catch(() => null)))
    const found: EventRecord[] = []
    for (const file of files) {
      if (file === null) continue
      // oxlint-disable-next-line no-await-in-loop -- in their order
      for await (const line of createInterface({ input: file.createReadStream() })) {
        const event = parse(line)
        if (event === null || event.seq >= seq || !matches(event)) continue
        found.push(event)
        if (found.length > most * 2) found.splice(0, found.length - most)
      }
    }
    return most === 0 ? [] : found.slice(-most)
  }

  /** What is written is written: where the segment cannot be turned, it grows until it can. */
  #turn(): void {
    try {
      renameSync(this.#current, this.#previous)
      this.#cannotTurn = false
    } catch (error) {
      const isNew = !this.#cannotTurn
      this.#cannotTurn = true
      if (isNew)
        this.#options.complain(`cannot move ${this.#current} away: ${whyNotWritten(error)}; it grows until that works`)
    }
  }

  /**
   * Returns how many bytes are there now. Opened each time: the file may have been moved or deleted in between, and events
   * are rare.
   */
  #write(text: string): number {
    const descriptor = this.#open()
    try {
      const { size } = fstatSync(descriptor)
      try {
        writeAll(descriptor, this.#isTorn && size > 0 ? `\n${text}` : text)
        this.#isTorn = false
      } catch (error) {
        // On a full disk half a line may be there.
        ftruncateSync(descriptor, size)
        throw error
      }
      return size + text.length
    } finally {
      closeSync(descriptor)
    }
  }

  #open(): number {
    if (!existsSync(this.#directory)) makeDirectories(this.#directory)
    return openSync(this.#current, 'a', 0o600)
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
}

/** The end of a file, from a line's beginning on; empty when there is none. */
function readTail(path: string): string {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
    const read = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length)
    return bytes.toString('utf8', 0, read)
  } catch {
    return ''
  } finally {
    closeSync(descriptor)
  }
}

/** Lines that are none are passed over: the first may be cut by us, the last by a kill. */
function eventsIn(text: string): readonly EventRecord[] {
  return text.split('\n').flatMap((line) => parse(line) ?? [])
}

function parse(line: string): EventRecord | null {
  try {
    const value: unknown = JSON.parse(line)
    const isEvent = typeof value === 'object' && value !== null && 'seq' in value && typeof value.seq === 'number'
    // Written by this project, a line at a time: its shape is known.
    return isEvent ? (value as EventRecord) : null
  } catch {
    return null
  }
}
