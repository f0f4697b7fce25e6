// The workers' lines that somebody asked for.

import type { LogRecord } from '../control/messages.ts'
import type { Ring } from '../telemetry/ring.ts'
import type { Feed, LogQuery } from './operations.ts'

export function logFeed(logs: Ring<LogRecord>, { app, release, worker, stream, lines }: LogQuery): Feed<LogRecord> {
  const matches = (record: LogRecord): boolean =>
    (app === null || record.app === app) &&
    (release === null || record.release === release) &&
    (worker === null || record.worker === worker) &&
    (stream === null || record.stream === stream)
  return logs.feed({ last: lines, matches })
}
