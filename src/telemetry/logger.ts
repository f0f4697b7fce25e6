// The supervisor's own log: pino, into the same sink as the apps' lines, as JSON or for people.

import { pino, type Logger } from 'pino'
import type { LogLevel } from '../config/log-parsers.ts'
import { withPriority } from './levels.ts'
import type { Labels, LogFormat } from './pretty.ts'
import type { Sink } from './sink.ts'

export interface LoggerOptions {
  readonly format: LogFormat
  readonly sink: Pick<Sink, 'write'>
  /** Shared with the apps' lines, so that all labels are equally wide. */
  readonly labels: Labels
  /** @default 'info' */
  readonly level?: string
  /** Fields that are written as `[Redacted]`, by pino's paths. */
  readonly redact?: readonly string[]
  /** Gets each line too, as JSON. */
  readonly copy?: (json: string) => void
  /** Lines begin with what journald reads as their priority. */
  readonly prioritize?: boolean
}

export function createLogger({ sink, level = 'info', redact = [], copy, ...how }: LoggerOptions): Logger {
  const write = (line: string) => {
    sink.write(ownLine(line, how), true)
    copy?.(line)
  }
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (name) => ({ level: name }) },
      ...(redact.length > 0 && { redact: [...redact] }),
    },
    { write },
  )
}

type How = Pick<LoggerOptions, 'format' | 'labels' | 'prioritize'>

function ownLine(json: string, { format, labels, prioritize = false }: How): string {
  const text = format === 'json' ? json : prettyEntry(json, labels)
  if (!prioritize) return text
  const { level }: Entry = JSON.parse(json)
  return withPriority(text, level)
}

/** For the sink's `dropNotice`: the line that says how many lines were dropped, in the log's own format. */
export function dropNotice(format: LogFormat, labels: Labels, prioritize = false): (lines: number) => string {
  return (lines) => {
    const count = lines === 1 ? '1 log line was' : `${lines} log lines were`
    const msg = `${count} dropped: their reader was too slow or is gone`
    const entry = { level: 'warn', time: new Date().toISOString(), droppedLines: lines, msg }
    return ownLine(`${JSON.stringify(entry)}\n`, { format, labels, prioritize })
  }
}

interface Entry {
  readonly level: LogLevel
  readonly msg?: string
  readonly app?: string
  readonly worker?: number
  readonly err?: { readonly stack?: string; readonly message?: string }
}

/** A line of pino's as people read it; stack traces below it keep the same label. */
function prettyEntry(json: string, labels: Labels): string {
  const entry: Entry = JSON.parse(json)
  const prefix = labels.prefix({ app: entry.app ?? null, worker: entry.worker }, '*')
  const text = [entry.msg, entry.err?.stack ?? entry.err?.message].filter((part) => part !== undefined).join('\n')
  return text
    .split('\n')
    .map((line, index) => `${prefix}${index === 0 ? emphasize(entry.level, line, labels) : line}\n`)
    .join('')
}

/** Warnings and errors are seen without colour too. */
function emphasize(level: string, text: string, labels: Labels): string {
  switch (level) {
    case 'warn':
      return `${labels.paint('yellow', 'warning:')} ${text}`
    case 'error':
    case 'fatal':
      return `${labels.paint('red', 'error:')} ${text}`
    case 'debug':
    case 'trace':
      return labels.paint('dim', text)
    default:
      return text
  }
}
