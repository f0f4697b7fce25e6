// Everything that an instance writes: its own log, its events and its workers' lines, through one sink on stdout.

import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { LogRecord } from './messages.ts'
import { appLineFormat } from '../telemetry/app-lines.ts'
import { EventLog } from '../telemetry/events.ts'
import { createLogger, dropNotice } from '../telemetry/logger.ts'
import { boundedOutlet, standardOutlet, type Outlet } from '../telemetry/outlet.ts'
import { chooseFormat, Labels, wantsColor } from '../telemetry/pretty.ts'
import { Ring } from '../telemetry/ring.ts'
import { Sink } from '../telemetry/sink.ts'

export interface InstanceLog {
  readonly events: EventLog
  readonly lines: Ring<LogRecord>
  readonly writeLine: (record: LogRecord) => void
  /** Waits so long until everything is written. */
  close(withinMs: number): Promise<void>
}

/** For `supervise logs`: the latest lines, in memory. */
const KEPT_LINES = 5000
const KEPT_BYTES = 4 * 1024 * 1024

/** The log of an instance in the background takes twice as much at most, with the one before it. */
const LOG_FILE_BYTES = 20 * 1024 * 1024

/** `file` is what stdout is, in the background. */
export function openInstanceLog(wanted: 'auto' | 'json' | 'pretty', file: string | null): InstanceLog {
  const isTerminal = isatty(1)
  const format = chooseFormat(wanted, isTerminal)
  const labels = new Labels(wantsColor(process.env, isTerminal))
  const sink = new Sink({ outlet: openOutlet(file), dropNotice: dropNotice(format, labels) })
  const logger = createLogger({ format, sink, labels })
  const formatLine = appLineFormat(format, labels)
  return {
    events: new EventLog({ logger }),
    lines: new Ring<LogRecord>({ items: KEPT_LINES, bytes: KEPT_BYTES, sizeOf: (record) => record.line.length + 100 }),
    writeLine: (record) => sink.write(formatLine(record)),
    close: async (withinMs) => {
      await sink.flush(withinMs)
    },
  }
}

function openOutlet(file: string | null): Outlet {
  if (file === null || !fstatSync(1).isFile()) return standardOutlet(1, () => process.stdout)
  return boundedOutlet(1, file, LOG_FILE_BYTES)
}
