// Whether a record is one that was asked for; the same for records in memory and in files.

import type { LogRecord } from '../control/messages.ts'
import type { LogQuery } from '../supervisor/operations.ts'
import { isBelow, soundsLike } from './levels.ts'

export function matchesQuery(record: LogRecord, query: Omit<LogQuery, 'lines'>): boolean {
  const { app, worker, stream, release, group, pid, since, level } = query
  return (
    (app === null || record.app === app) &&
    (worker === null || record.worker === worker) &&
    (stream === null || record.stream === stream) &&
    (release === null || record.release === release) &&
    (group === null || record.group === group) &&
    (pid === null || record.pid === pid) &&
    (since === null || record.time >= since) &&
    (level === null || !isBelow(soundsLike(record), level))
  )
}
