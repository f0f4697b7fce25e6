// What a log file and its rotated predecessors still have: read from the newest backwards, and no further than is needed.

import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'
import type { LogRecord } from '../control/messages.ts'
import { rotatedAmong } from './rotation.ts'
import { recordOf } from './stored-lines.ts'

export interface HistoryQuery {
  /** The newest that match, and no more. */
  readonly last: number
  readonly matches: (record: LogRecord) => boolean
  /** ISO 8601 in UTC: a file that was last written before it is not even opened. */
  readonly since: string | null
}

/** Oldest first. A file that cannot be read, or ends in the middle, gives what it can. */
export async function readHistory(path: string, { last, matches, since }: HistoryQuery): Promise<LogRecord[]> {
  const parts: LogRecord[][] = []
  let missing = last
  for (const file of await newestFirst(path)) {
    if (missing <= 0 || (since !== null && (await lastWrittenMs(file)) < Date.parse(since))) break
    const older = await readFile(file, missing, matches)
    parts.unshift(older)
    missing -= older.length
  }
  return parts.flat()
}

async function newestFirst(path: string): Promise<readonly string[]> {
  const names = await readdir(dirname(path)).catch(() => [])
  const rotated = rotatedAmong(names, basename(path)).toReversed()
  return [path, ...rotated.map((name) => join(dirname(path), name))]
}

async function lastWrittenMs(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity,
  )
}

async function readFile(file: string, last: number, matches: HistoryQuery['matches']): Promise<LogRecord[]> {
  let found: LogRecord[] = []
  const take = (text: string): void => {
    const record = recordOf(text)
    if (record === null || !matches(record)) return
    found.push(record)
    // Not with each one: to move all the others down costs.
    if (found.length >= last * 2 + 1000) found = found.slice(-last)
  }
  try {
    for await (const text of linesOf(file)) take(text)
  } catch {
    // It was rotated away meanwhile, or is damaged: what came before it is good.
  }
  return found.slice(-last)
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file)
  // With `pipe` alone, an error of the first would leave the second waiting.
  const bytes: AsyncIterable<Buffer> = file.endsWith('.gz') ? pipeline(source, createGunzip(), () => {}) : source
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of bytes) {
    // Not by readline, which takes more than a newline for an end of line.
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
