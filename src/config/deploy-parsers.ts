// Parsers of the options about deploying: preview address, headers, smoke tests, hooks.

import { resolve } from 'node:path'
import type { Hook, PreviewAddress, SmokeCheck } from './app-config.ts'
import { urlPath } from './option-parsers.ts'
import { accept, anyOf, didYouMean, isRecord, quote, refuse, refuseValue } from './parser.ts'
import type { JsonSchema, Parsed, Parser, Refusal } from './parser.ts'
import { duration, integer } from './parsers.ts'
import { nearest } from './suggest.ts'

const COMMAND_WITHIN_MS = 60_000
const HTTP_WITHIN_MS = 5000
const HOOK_WITHIN_MS = 30_000

const within = duration('30s', 'no-zero')
const attempts = integer(1, 1000)
const status = integer(100, 599)

/** What a Unix socket's path may have, on every system. */
const SOCKET_PATH_BYTES = 103

export const previewAddress: Parser<PreviewAddress> = {
  json: { type: 'string' },
  format: (address) => ('path' in address ? address.path : `${bracketed(address.host)}:${address.port}`),
  parse(input, directory) {
    const allowed = 'an address such as "127.0.0.1:3001", or the path of a Unix socket such as "./preview.sock"'
    if (typeof input !== 'string' && typeof input !== 'number') return refuseValue(input, allowed)
    const text = String(input)
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
    const port = Number(match?.[3])
    if (match !== null && port >= 1 && port <= 65_535) return accept({ host: match[1] ?? match[2] ?? '', port })
    if (/^:?\d{1,5}$/.test(text)) return refuseValue(input, allowed, `127.0.0.1:${text.replace(':', '')}`)
    if (!text.includes('/') || text.includes('\0') || /^[a-z]+:\/\//.test(text)) return refuseValue(input, allowed)
    const path = resolve(directory, text)
    if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES) return accept({ path })
    return refuse(`${quote(path)} is too long for a socket; write a path of at most ${SOCKET_PATH_BYTES} bytes`)
  },
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** A part of a whole, from 0 to 1. */
export const share: Parser<number> = {
  json: {
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1 },
      { type: 'string', pattern: String.raw`^\d+(\.\d+)?%$` },
    ],
  },
  format: (value) => `${Number((value * 100).toPrecision(12))}%`,
  parse(input) {
    const allowed = 'a share such as "5%" or 0.05'
    if (typeof input !== 'number' && typeof input !== 'string') return refuseValue(input, allowed)
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(String(input).trim())
    const value = Number(match?.[1]) / (match?.[2] === '%' ? 100 : 1)
    if (value >= 0 && value <= 1) return accept(value)
    return refuseValue(input, allowed, match?.[2] === '' && value > 1 && value <= 100 ? `${value}%` : null)
  },
}

/** The value is a secret, so no refusal shows it. */
export const headerSecret: Parser<string> = {
  json: { type: 'string', minLength: 8 },
  format: () => '(secret)',
  parse(input) {
    if (typeof input === 'string' && /^[A-Za-z0-9._~+/=-]{8,200}$/.test(input)) return accept(input)
    return refuse('is no secret; write 8 to 200 letters, digits, ".", "_", "~", "+", "/", "=" or "-"')
  },
}

const RESERVED = ['connection', 'content-length', 'content-type', 'date', 'set-cookie', 'transfer-encoding']

/** A name, or false for none. */
export const responseHeader: Parser<string | false> = {
  json: { anyOf: [{ type: 'string' }, { const: false }] },
  format: String,
  parse(input) {
    if (input === false || input === 'false' || input === 'off' || input === 'no') return accept(false)
    const allowed = 'a name such as "x-supervise-release", or false'
    if (typeof input !== 'string' || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(input))
      return refuseValue(input, allowed)
    const name = input.toLowerCase()
    if (RESERVED.includes(name)) return refuse(`${quote(input)} has a meaning of its own in HTTP; write ${allowed}`)
    return accept(name)
  },
}

/** One check or several; a text is a command. */
export const smokeChecks: Parser<readonly SmokeCheck[]> = {
  json: listOf([
    { type: 'string' },
    objectOf({ command: { type: 'string' }, within: within.json }, 'command'),
    objectOf(
      {
        http: urlPath.json,
        status: status.json,
        body: { type: 'string' },
        within: within.json,
        attempts: attempts.json,
      },
      'http',
    ),
  ]),
  format: (checks) => checks.map((check) => (check.by === 'command' ? check.command : check.path)).join(', '),
  parse(input, directory) {
    const items: readonly unknown[] = [input].flat()
    const isList = Array.isArray(input) && items.length > 1
    return all(items.map((item, index) => inside(parseCheck(item, directory), isList ? [index] : [])))
  },
}

function parseCheck(input: unknown, directory: string): Parsed<SmokeCheck> {
  if (isText(input)) return accept({ by: 'command', command: input, withinMs: COMMAND_WITHIN_MS })
  const allowed = 'a command, { "command": "npm run smoke" } or { "http": "/healthz" }'
  if (!isRecord(input) || !('http' in input || 'command' in input)) return refuseValue(input, allowed)
  const read = reader(input, directory)
  if ('command' in input) {
    const [command, withinMs] = [read.text('command'), read.with('within', within, COMMAND_WITHIN_MS)]
    return read.finish(['command', 'within'], () => ({ by: 'command', command, withinMs }))
  }
  const path = read.with('http', urlPath, '/')
  const fields = {
    status: read.with('status', status, null),
    body: input['body'] === undefined ? null : read.text('body'),
    withinMs: read.with('within', within, HTTP_WITHIN_MS),
    attempts: read.with('attempts', attempts, 1),
  }
  return read.finish(['http', 'status', 'body', 'within', 'attempts'], () => ({ by: 'http', path, ...fields }))
}

export const hook: Parser<Hook> = {
  json: {
    anyOf: [
      { type: 'string' },
      objectOf({ command: { type: 'string' }, within: within.json }, 'command'),
      objectOf({ url: { type: 'string', pattern: '^https?://' }, within: within.json }, 'url'),
    ],
  },
  format: showHook,
  parse(input, directory) {
    if (isText(input))
      return /^https?:\/\//i.test(input)
        ? parseHook({ url: input }, directory)
        : parseHook({ command: input }, directory)
    return parseHook(input, directory)
  },
}

/** Whoever knows the path of such a URL may often write to it, so it is not shown; the mark tells it from another. */
export function showHook(to: Hook): string {
  if (to.by === 'command') return `\`${to.command}\``
  const origin = URL.canParse(to.url) ? new URL(to.url).origin : 'a URL'
  const mark = process.getBuiltinModule('node:crypto').createHash('sha256').update(to.url).digest('hex').slice(0, 4)
  return `${origin}/… (${mark})`
}

function parseHook(input: unknown, directory: string): Parsed<Hook> {
  const allowed = 'a command, a URL, or { "command": "./tell.sh", "within": "30s" }'
  if (!isRecord(input) || 'command' in input === 'url' in input) return refuseValue(input, allowed)
  const read = reader(input, directory)
  const withinMs = read.with('within', within, HOOK_WITHIN_MS)
  if ('command' in input) {
    const command = read.text('command')
    return read.finish(['command', 'within'], () => ({ by: 'command', command, withinMs }))
  }
  const url = read.with('url', webAddress, '')
  return read.finish(['url', 'within'], () => ({ by: 'url', url, withinMs }))
}

const webAddress: Parser<string> = {
  json: { type: 'string' },
  format: String,
  parse(input) {
    const isUrl = typeof input === 'string' && /^https?:\/\//i.test(input) && URL.canParse(input)
    return isUrl ? accept(input) : refuseValue(input, 'a URL such as "https://hooks.example.com/deploys"')
  },
}

/** Reads the keys of an object one by one and gathers all that is wrong with it. */
export function reader(input: Readonly<Record<string, unknown>>, directory: string) {
  const refusals: Refusal[] = []
  return {
    with<Value, Otherwise>(key: string, parser: Parser<Value>, otherwise: Otherwise): Value | Otherwise {
      if (input[key] === undefined) return otherwise
      const parsed = inside(parser.parse(input[key], directory), [key])
      if (parsed.ok) return parsed.value
      refusals.push(...parsed.refusals)
      return otherwise
    },
    text(key: string): string {
      const value = input[key]
      if (isText(value)) return value
      refusals.push(...inside(refuseValue(value, 'a text'), [key]).refusals)
      return ''
    },
    finish<Value>(keys: readonly string[], make: () => Value): Parsed<Value> {
      for (const key of Object.keys(input).filter((one) => !keys.includes(one))) {
        const meant = nearest(key, keys)
        const problem =
          meant === null ? `is not allowed here; there is ${anyOf(keys)}` : `is not an option${didYouMean([meant])}`
        refusals.push({ at: [key], problem })
      }
      return refusals.length > 0 ? { ok: false, refusals } : accept(make())
    },
  }
}

export function inside<Result extends Parsed<unknown>>(parsed: Result, place: Refusal['at']): Result {
  if (parsed.ok) return parsed
  const refusals = parsed.refusals.map(({ at, problem }) => ({ at: [...place, ...at], problem }))
  return { ...parsed, refusals }
}

export function all<Value>(parsed: readonly Parsed<Value>[]): Parsed<readonly Value[]> {
  const refusals = parsed.flatMap((one) => (one.ok ? [] : one.refusals))
  return refusals.length > 0 ? { ok: false, refusals } : accept(parsed.flatMap((one) => (one.ok ? [one.value] : [])))
}

/** A NUL cannot be handed to a command. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && !value.includes('\0')
}

export function listOf(forms: readonly JsonSchema[]): JsonSchema {
  return { anyOf: [...forms, { type: 'array', items: { anyOf: forms } }] }
}

export function objectOf(properties: JsonSchema, required: string): JsonSchema {
  return { type: 'object', properties, required: [required], additionalProperties: false }
}
