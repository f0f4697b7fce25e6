// How loud a line is: the level that an app's JSON line carries, in the words of the option `log.level`, and what journald
// calls it.

import { LOG_LEVELS, type LogLevel } from '../config/log-parsers.ts'
import type { LogRecord } from '../control/messages.ts'

/** Where loggers put it: pino, bunyan and winston; Google's; Elastic's. */
const FIELDS = ['level', 'severity', 'log.level'] as const

const WORDS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  silly: 'trace',
  debug: 'debug',
  verbose: 'debug',
  info: 'info',
  information: 'info',
  http: 'info',
  log: 'info',
  notice: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
  fatal: 'fatal',
  crit: 'fatal',
  critical: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  emergency: 'fatal',
  panic: 'fatal',
}

/** The level that a line says of itself; null when it says none that is known. */
export function levelOf(own: object): LogLevel | null {
  for (const field of FIELDS) {
    const value: unknown = Object.hasOwn(own, field) ? Reflect.get(own, field) : undefined
    if (typeof value === 'number') return levelOfNumber(value)
    if (typeof value === 'string') return WORDS[value.toLowerCase()] ?? null
  }
  return null
}

/** pino's and bunyan's: 30 is info. What lies between two counts as the lower one, as it does for them. */
function levelOfNumber(value: number): LogLevel | null {
  if (value < 10) return null
  return LOG_LEVELS[Math.min(Math.floor(value / 10), LOG_LEVELS.length) - 1] ?? null
}

export function isBelow(level: LogLevel, least: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(least)
}

/** For those who look for a level: a line without one is an error on stderr, where stack traces go, and else info. */
export function soundsLike({ level, stream }: Pick<LogRecord, 'level' | 'stream'>): LogLevel {
  return level ?? (stream === 'stderr' ? 'error' : 'info')
}

/** As syslog counts, and sd-daemon(3) writes before a line. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 }

/** Each line of `text`, marked for journald. */
export function withPriority(text: string, level: LogLevel): string {
  const mark = `<${PRIORITIES[level]}>`
  const inner = text.endsWith('\n') ? text.slice(0, -1) : text
  return `${mark}${inner.includes('\n') ? inner.replaceAll('\n', `\n${mark}`) : inner}\n`
}
