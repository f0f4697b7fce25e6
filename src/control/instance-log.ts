// Everything that an instance writes: its own log, its events and its workers' lines, to stdout and to the apps' log files.

import type { EventType } from '../config/event-types.ts'
import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { appLineFormat } from '../telemetry/app-lines.ts'
import { EventLog } from '../telemetry/events.ts'
import { isJournal } from '../telemetry/journal.ts'
import { LogDesk } from '../telemetry/log-desk.ts'
import type { LogFileReports } from '../telemetry/log-file.ts'
import { dropNotice } from '../telemetry/logger.ts'
import { boundedOutlet, standardOutlet, type Outlet } from '../telemetry/outlet.ts'
import { OwnLog } from '../telemetry/own-log.ts'
import { chooseFormat, Labels, wantsColor } from '../telemetry/pretty.ts'
import { Sink } from '../telemetry/sink.ts'

export interface InstanceLog {
  readonly events: EventLog
  readonly desk: LogDesk
  /** Waits so long until everything is written. */
  close(withinMs: number): Promise<void>
}

/** The log of an instance in the background takes twice as much at most, with the one before it. */
const LOG_FILE_BYTES = 20 * 1024 * 1024

/** `file` is what stdout is, in the background; `descriptor` where it goes. */
export function openInstanceLog(
  wanted: 'auto' | 'json' | 'pretty',
  file: string | null,
  descriptor: 1 | 2 = 1,
): InstanceLog {
  const isTerminal = isatty(descriptor)
  const prioritize = isJournal(process.env, descriptor)
  const format = chooseFormat(wanted, isTerminal)
  const labels = new Labels(!prioritize && wantsColor(process.env, isTerminal))
  const sink = new Sink({
    outlet: openOutlet(file, descriptor),
    dropNotice: dropNotice(format, labels, prioritize),
  })
  const formatJson = appLineFormat('json', labels)
  const formatLine = format === 'json' ? formatJson : appLineFormat(format, labels)
  const desk = new LogDesk({
    console: { sink, isTerminal, format: formatLine, prioritize },
    formatJson,
    // Told as an event once there is a log of events, which needs the desk.
    fileReports: (path) => fileReports(path, events, dropNotice('json', labels)),
  })
  const events: EventLog = new EventLog({
    logger: new OwnLog({
      format,
      labels,
      sink,
      prioritize,
      configOf: (app) => desk.configOf(app),
      takeOwn: (app, json) => desk.takeOwn(app, json),
    }),
  })
  return { events, desk, close: (withinMs) => desk.close(withinMs) }
}

function fileReports(path: string, events: EventLog, notice: LogFileReports['dropNotice']): LogFileReports {
  const record = (type: EventType, text: string, level: 'info' | 'warn') =>
    events.record({ type, app: null, text, cause: 'supervisor', data: { path } }, level)
  return {
    onTrouble: (words) => record('logFileFailed', words, 'warn'),
    onRecovery: (dropped) =>
      record('logFileRecovered', `${path} is well again${dropped === 0 ? '' : `; ${dropped} lines were lost`}`, 'info'),
    dropNotice: notice,
  }
}

function openOutlet(file: string | null, descriptor: 1 | 2): Outlet {
  const stream = () => (descriptor === 1 ? process.stdout : process.stderr)
  if (file === null || !fstatSync(1).isFile()) return standardOutlet(descriptor, stream)
  return boundedOutlet(1, file, LOG_FILE_BYTES)
}
