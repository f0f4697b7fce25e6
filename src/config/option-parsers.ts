// Parsers that belong to one option each: name, workers, ready, environment, surge and the like.

import { availableCpus } from './cpu-limit.ts'
import type { ReadyMode, Surge } from './app-config.ts'
import { accept, isRecord, quote, refuse, refuseValue } from './parser.ts'
import type { Parsed, Parser, Refusal } from './parser.ts'
import { boolean, duration, oneOf, paths, wholeNumber } from './parsers.ts'
import { formatDuration, parseDuration } from './quantities.ts'
import { nearest } from './suggest.ts'

const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/

/** Also for names of instances: both become parts of paths. */
export const name: Parser<string> = {
  json: { type: 'string', pattern: NAME.source },
  format: String,
  parse(input) {
    if (typeof input !== 'string' || input === '') return refuseValue(input, 'a name such as "web"')
    if (NAME.test(input)) return accept(input)
    const why = 'since a name becomes part of file names and URLs'
    const odd = /[^A-Za-z0-9._-]/u.exec(input)
    if (odd !== null)
      return refuse(`${quote(input)} has a ${quote(odd[0])}; write letters, digits, ".", "_" and "-" only, ${why}`)
    if (input.length > 64) return refuse(`${quote(input)} has ${input.length} characters; write at most 64, ${why}`)
    return refuse(`${quote(input)} begins with "${input[0]}"; begin with a letter, a digit or "_", ${why}`)
  },
}

/** How many workers an app may have; the command `scale` keeps to it, too. */
export const WORKERS = { min: 1, max: 1000 } as const

export const workers: Parser<number> = {
  json: { anyOf: [{ type: 'integer', minimum: WORKERS.min, maximum: WORKERS.max }, { const: 'max' }] },
  format: String,
  parse(input) {
    if (input === 'max') return accept(Math.min(availableCpus(), WORKERS.max))
    const count = wholeNumber(input)
    if (count !== null && count >= WORKERS.min && count <= WORKERS.max) return accept(count)
    // PM2 reads 0 as one for each CPU and -1 as one less than that.
    const meantMax =
      (count !== null && count < 1) || ['auto', 'all', 'cpus', 'cpu', 'MAX', 'Max'].includes(String(input))
    return refuseValue(input, `a whole number from ${WORKERS.min} to ${WORKERS.max}, or "max"`, meantMax ? 'max' : null)
  },
}

export const readyMode: Parser<ReadyMode> = {
  json: {
    anyOf: [
      { enum: ['listen', 'message'] },
      objectWith('http', { type: 'string', pattern: '^/' }),
      objectWith('after', { type: ['string', 'integer'] }),
    ],
  },
  format(mode) {
    if (mode.by === 'http') return mode.path
    return mode.by === 'time' ? formatDuration(mode.afterMs) : mode.by
  },
  parse(input, directory) {
    if (input === 'listen' || input === 'message') return accept({ by: input })
    if (isRecord(input)) return parseReadyObject(input, directory)
    // On the command line a path and a duration can be told apart by their looks.
    if (typeof input === 'string' && input.startsWith('/')) return parseReadyObject({ http: input }, directory)
    const afterMs = typeof input === 'string' ? parseDuration(input) : null
    if (afterMs !== null) return parseReadyObject({ after: input }, directory)
    const meant = typeof input === 'string' ? nearest(input, ['listen', 'message']) : null
    return refuseValue(input, '"listen", "message", { "http": "/readyz" } or { "after": "2s" }', meant)
  },
}

function objectWith(key: string, value: object): object {
  return { type: 'object', properties: { [key]: value }, required: [key], additionalProperties: false }
}

function parseReadyObject(input: Readonly<Record<string, unknown>>, directory: string): Parsed<ReadyMode> {
  const [key, ...more] = Object.keys(input)
  if (more.length > 0 || (key !== 'http' && key !== 'after')) {
    return refuseValue(input, '{ "http": "/readyz" } or { "after": "2s" }')
  }
  const inside = (refusals: readonly Refusal[]) => refusals.map((one) => ({ ...one, at: [key, ...one.at] }))
  if (key === 'http') {
    const parsed = urlPath.parse(input[key], directory)
    return parsed.ok ? accept({ by: 'http', path: parsed.value }) : { ok: false, refusals: inside(parsed.refusals) }
  }
  const parsed = duration('2s', 'zero').parse(input[key], directory)
  return parsed.ok ? accept({ by: 'time', afterMs: parsed.value }) : { ok: false, refusals: inside(parsed.refusals) }
}

/** What follows the host in a URL. The host is always the worker's private endpoint. */
export const urlPath: Parser<string> = {
  json: { type: 'string', pattern: '^/' },
  format: String,
  parse(input) {
    if (typeof input === 'string' && /^\/[\x21-\x7e]*$/.test(input)) return accept(input)
    const meant = typeof input === 'string' && /^[\w.-]+$/.test(input) ? `/${input}` : null
    return refuseValue(input, 'a path that begins with "/", such as "/healthz"', meant)
  },
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2', 'SIGKILL'] as const

export const stopSignal: Parser<NodeJS.Signals> = {
  ...oneOf<NodeJS.Signals>(SIGNALS),
  parse(input, directory) {
    if (input === 'SIGUSR1') return refuse('"SIGUSR1" starts Node\'s inspector; write "SIGUSR2" or "SIGTERM"')
    const full = typeof input === 'string' ? input.toUpperCase().replace(/^(?!SIG)/, 'SIG') : input
    const parsed = oneOf(SIGNALS).parse(input, directory)
    // "TERM" is nearer to nothing by its letters, yet what is meant is clear.
    const meant = SIGNALS.find((signal) => signal === full)
    return parsed.ok || meant === undefined ? parsed : refuseValue(input, `"${meant}"`)
  },
}

export const maxSurge: Parser<Surge> = {
  json: {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: WORKERS.max },
      { type: 'string', pattern: '^\\d+%$' },
    ],
  },
  format: (surge) => ('percent' in surge ? `${surge.percent}%` : String(surge.workers)),
  parse(input) {
    const percent = typeof input === 'string' ? /^(\d{1,4})%$/.exec(input) : null
    if (percent !== null && Number(percent[1]) >= 1 && Number(percent[1]) <= 100) {
      return accept({ percent: Number(percent[1]) })
    }
    const count = wholeNumber(input)
    if (count !== null && count >= 1 && count <= WORKERS.max) return accept({ workers: count })
    return refuseValue(input, `a whole number from 1 to ${WORKERS.max}, or a share from "1%" to "100%"`)
  },
}

/** Variables to set; null takes one away. */
export const environmentVariables: Parser<Readonly<Record<string, string | null>>> = {
  json: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  format: (env) => Object.keys(env).join(' '),
  parse(input) {
    const pairs = pairsOf(input)
    if (pairs === null) return refuseValue(input, 'an object such as { "NODE_ENV": "production" }')
    const refusals: Refusal[] = []
    const env: Record<string, string | null> = {}
    for (const [key, value] of pairs) {
      const parsed = parseVariable(key, value)
      if (parsed.ok) env[key] = parsed.value
      else refusals.push(...parsed.refusals.map(({ problem }) => ({ at: isRecord(input) ? [key] : [], problem })))
    }
    return refusals.length > 0 ? { ok: false, refusals } : accept(env)
  },
}

/** From an object, or from `NAME=value` as on the command line; a value is undefined when the sign is missing. */
function pairsOf(input: unknown): readonly (readonly [string, unknown])[] | null {
  if (isRecord(input)) return Object.entries(input)
  const items: readonly unknown[] = [input].flat()
  if (!items.every((item) => typeof item === 'string')) return null
  return items.map((item) => {
    const sign = item.indexOf('=')
    return sign === -1 ? [item, undefined] : [item.slice(0, sign), item.slice(sign + 1)]
  })
}

function parseVariable(key: string, value: unknown): Parsed<string | null> {
  if (key === '' || /[=\0]/.test(key)) return refuse(`${quote(key)} is no name of a variable; write NAME=value`)
  if (value === undefined) return refuse(`${quote(key)} has no value; write ${quote(`${key}=value`)}`)
  if (value === null) return accept(null)
  if (typeof value === 'string' && value.includes('\0')) {
    return refuse('its value has a NUL character, which no variable can hold')
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return accept(String(value))
  // The value itself is not shown: it may be a secret.
  const kind = Array.isArray(value) ? 'a list' : 'an object'
  return refuse(`${kind} is not allowed; write a text, a number, true, false, or null to take the variable away`)
}

/** `true` and `false` switch it; paths say what to watch. The object form is taken apart by its keys. */
export const watch: Parser<boolean | readonly string[]> = {
  json: { anyOf: [{ type: 'boolean' }, paths('resolve').json] },
  format: (value) => (typeof value === 'boolean' ? String(value) : value.join(' ')),
  parse(input, directory) {
    const switched = boolean.parse(input, directory)
    if (switched.ok) return switched
    if (typeof input === 'string' || Array.isArray(input)) return paths('resolve').parse(input, directory)
    return refuse(`${quote(input)} is not allowed; write true, false, a path, a list of paths or an object`)
  },
}
