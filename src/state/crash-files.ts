// Crash records on disk: a file for each, and an index with the groups and their counters. Which of them stay is decided
// elsewhere. Everything here throws what the file system throws, but for reading: what cannot be read is not there.

import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CrashRecord } from '../control/messages.ts'
import type { CrashEntry, CrashGroup } from '../core/crash-groups.ts'
import { makeDirectories } from '../config/make-directories.ts'

/** Raised when an older supervisor could not read what this one writes. */
export const CRASHES_SCHEMA = 1

export interface CrashIndex {
  readonly schema: number
  /** Of the next crash. */
  readonly next: number
  readonly groups: readonly CrashGroup[]
  readonly entries: readonly CrashEntry[]
}

const RECORD_TEXTS = ['id', 'app', 'at', 'fingerprint', 'title', 'reason', 'release'] as const
const RECORD_LISTS = ['stderr', 'curve', 'requests'] as const

const RECORD = /^c(\d{1,15})\.json$/

export class CrashFiles {
  readonly #directory: string
  readonly #index: string

  constructor(stateDirectory: string) {
    this.#directory = join(stateDirectory, 'crashes')
    this.#index = join(this.#directory, 'index.json')
  }

  /** Null when there is none that this version can read; throws when its shape is not what its schema number says. */
  readIndex(): CrashIndex | null {
    const read = readJson(this.#index)
    if (!isObject(read) || read['schema'] !== CRASHES_SCHEMA) return null
    if (!isIndex(read)) throw new TypeError(`${this.#index} is damaged`)
    return read
  }

  /** Atomic: whoever reads it sees the old index or the new one. */
  writeIndex(index: CrashIndex): void {
    makeDirectories(this.#directory)
    const temporary = `${this.#index}.${process.pid}.tmp`
    try {
      writeFileSync(temporary, JSON.stringify(index), { mode: 0o600 })
      renameSync(temporary, this.#index)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  /** Numbers of the records that there are, in order. */
  numbers(): readonly number[] {
    const found = namesIn(this.#directory).flatMap((name) => RECORD.exec(name)?.[1] ?? [])
    return found.map(Number).toSorted((a, b) => a - b)
  }

  read(seq: number): CrashRecord | null {
    const read = readJson(this.#pathOf(seq))
    const isRecord = isObject(read) && RECORD_TEXTS.every((name) => typeof read[name] === 'string')
    // Lists are what is counted and shown without a look; the rest was written by this project.
    return isRecord && RECORD_LISTS.every((name) => Array.isArray(read[name])) ? (read as unknown as CrashRecord) : null
  }

  /** Returns how many bytes it takes. */
  write(seq: number, record: CrashRecord): number {
    const text = JSON.stringify(record)
    const path = this.#pathOf(seq)
    makeDirectories(this.#directory)
    try {
      writeFileSync(path, text, { mode: 0o600 })
    } catch (error) {
      // Half of one would be of no use, and there may be no room for it.
      rmSync(path, { force: true })
      throw error
    }
    return Buffer.byteLength(text)
  }

  /** Bytes of a record; 0 when there is none. */
  sizeOf(seq: number): number {
    return statSync(this.#pathOf(seq), { throwIfNoEntry: false })?.size ?? 0
  }

  remove(seq: number): void {
    rmSync(this.#pathOf(seq), { force: true })
  }

  #pathOf(seq: number): string {
    return join(this.#directory, `c${seq}.json`)
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** Written by this project under this schema number: what is in its groups and entries is known. */
function isIndex(read: Readonly<Record<string, unknown>>): read is Readonly<Record<string, unknown>> & CrashIndex {
  const { next, groups, entries } = read
  if (!Number.isSafeInteger(next) || !Array.isArray(groups) || !Array.isArray(entries)) return false
  return groups.every(isGroup) && entries.every((one) => isObject(one) && Number.isSafeInteger(one['seq']))
}

function isGroup(one: unknown): boolean {
  return isObject(one) && isObject(one['first']) && isObject(one['last']) && Array.isArray(one['releases'])
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
