// The records that `supervise logs` shows: from the supervisor's memory, before that from the log files, and with --follow
// what comes from then on; nothing twice and nothing left out between them.

import { matchesQuery, readHistory, type LogQuery } from '../control/log-history.ts'
import type { AppDescription, LogRecord } from '../control/messages.ts'
import { followOn } from './follow-on.ts'
import { readStatus, type Instance } from './instances.ts'

export interface LogWish {
  readonly query: Omit<LogQuery, 'lines'>
  /** Looked for here, not by the supervisor: a pattern can take for ever. */
  readonly pattern: RegExp | null
  /** How many of those that there are. */
  readonly last: number
  readonly follow: boolean
}

/** More than the supervisor keeps in memory. */
export const MAX_LINES = 100_000

/** `tell` is told when another supervisor has taken over and is followed instead. */
export async function* logRecords(
  instance: Instance,
  wish: LogWish,
  tell: () => void = () => {},
): AsyncGenerator<LogRecord> {
  const { query, pattern, last, follow } = wish
  const isWanted = (record: LogRecord) => pattern === null || pattern.test(record.line)
  const startedAt = new Date().toISOString()
  const all = follow || pattern !== null
  const recent: LogRecord[] = []
  for await (const record of stream(instance, query, all ? MAX_LINES : last, false)) recent.push(record)
  const shown = last === 0 ? [] : recent.filter(isWanted).slice(-last)
  const missing = last - shown.length
  if (missing > 0) yield* await older(instance, wish, { missing, isWanted, recent, startedAt })
  yield* shown
  if (!follow) return
  let seen = new Seen(recent)
  yield* followOn(
    async function* () {
      for await (const record of stream(instance, query, MAX_LINES, true))
        if (!seen.remove(record) && isWanted(record)) yield record
    },
    () => {
      // The next supervisor has in memory what this one has not read, and nothing else.
      seen = new Seen([])
      tell()
    },
  )
}

function stream({ client }: Instance, query: LogWish['query'], lines: number, follow: boolean) {
  return client.stream<LogRecord>('GET', '/v1/logs', { query: { ...query, lines, follow } })
}

interface Reach {
  readonly missing: number
  readonly isWanted: (record: LogRecord) => boolean
  /** All in memory that the supervisor found. */
  readonly recent: readonly LogRecord[]
  readonly startedAt: string
}

/** What the files have from before the first record in memory. */
async function older(instance: Instance, { query }: LogWish, { missing, isWanted, recent, startedAt }: Reach) {
  const before = recent[0]?.time ?? startedAt
  // Of the very same moment, some may be in memory and some no more.
  const overlap = recent.filter(({ time }) => time === before)
  const matches = (record: LogRecord) => record.time <= before && matchesQuery(record, query) && isWanted(record)
  const wanted = { last: missing + overlap.length, matches, since: query.since }
  const perFile = await Promise.all((await filesOf(instance, query.app)).map((path) => readHistory(path, wanted)))
  const found = perFile.flat().toSorted((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
  const seen = new Seen(overlap)
  return found
    .toReversed()
    .filter((record) => !seen.remove(record))
    .slice(0, missing)
    .toReversed()
}

async function filesOf(instance: Instance, app: string | null): Promise<readonly string[]> {
  const names = app === null ? (await readStatus(instance)).apps.map(({ name }) => name) : [app]
  const described = await Promise.all(
    names.map((name) => instance.client.get<AppDescription>(`/v1/apps/${encodeURIComponent(name)}`)),
  )
  const paths = described.map(({ config }) => config.options['log.file'])
  return [...new Set(paths.filter((path) => typeof path === 'string'))]
}

/** Records, each to be met again once. */
class Seen {
  readonly #counts = new Map<string, number>()

  constructor(records: readonly LogRecord[]) {
    for (const record of records) this.#counts.set(keyOf(record), (this.#counts.get(keyOf(record)) ?? 0) + 1)
  }

  remove(record: LogRecord): boolean {
    const key = keyOf(record)
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
    return count > 0
  }
}

function keyOf({ time, app, worker, pid, stream: name, line }: LogRecord): string {
  return `${time} ${app}/${worker} ${pid} ${name} ${line}`
}
