// Parsers that the options of the log alone have.

import { accept, quote, refuse, refuseValue, type Parser } from './parser.ts'
import { oneOf, sizeLimit } from './parsers.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

export const logLevel: Parser<LogLevel> = oneOf(LOG_LEVELS)

/** As `sizeLimit`, for options that have a limit by default: no limit is 0, since null would be the default again. */
export function sizeOrZero(example: string, min: number): Parser<number> {
  const { json, format, parse } = sizeLimit(example, min)
  return {
    json,
    format,
    parse(input, directory) {
      const parsed = parse(input, directory)
      return parsed.ok ? accept(parsed.value ?? 0) : parsed
    },
  }
}

/** One step of a path: `name`, `*`, `["any name"]`, `['any name']`, `[0]` or `[*]`. */
const STEP = String.raw`(?:[^.,[\]"'\s]+|\[(?:"[^"]*"|'[^']*'|\d+|\*)\])`
const REDACT_PATH = new RegExp(`^${STEP}(?:\\.?${STEP})*$`)

/** pino would refuse a wrong path only when the first line is written. */
export const redactPaths: Parser<readonly string[]> = {
  json: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  format: (paths) => paths.join(' '),
  parse(input) {
    const paths: readonly unknown[] = [input].flat()
    const texts = paths.filter((path): path is string => typeof path === 'string')
    if (texts.length < paths.length) return refuseValue(input, 'a path such as "data.token", or a list of them')
    const wrong = texts.find((path) => !REDACT_PATH.test(path))
    if (wrong === undefined) return accept(texts)
    return refuse(`${quote(wrong)} is no path of pino's; write one such as "cause", "data.token" or "data.*"`)
  },
}
