// Parser of the option `probes`: what is asked from outside again and again, and what a good answer is.

import type { Probe } from './app-config.ts'
import { all, inside, isText, listOf, objectOf, reader } from './deploy-parsers.ts'
import { urlPath } from './option-parsers.ts'
import { accept, isRecord, quote, refuse, refuseValue, type Parsed, type Parser } from './parser.ts'
import { duration, integer } from './parsers.ts'
import { formatDuration } from './quantities.ts'

const EVERY_MS = 10_000
const SHORTEST_MS = 1000
const WITHIN_MS = 2000
const FAILURES = 3
/** Each is in labels of metrics, and asked of each worker. */
const MOST_PROBES = 20
const LONGEST_NAME = 100

const EXAMPLE = '{ "path": "/healthz" } or { "url": "https://www.example.com/" }'
const KEYS = ['url', 'path', 'name', 'every', 'within', 'failures', 'expect']

const within = duration('2s', 'no-zero')
const failures = integer(1, 1000)
const status = integer(100, 599)

const every: Parser<number> = {
  ...duration('10s', 'no-zero'),
  parse(input, directory) {
    const parsed = duration('10s', 'no-zero').parse(input, directory)
    if (!parsed.ok || parsed.value >= SHORTEST_MS) return parsed
    return refuse(`${quote(input)} is too short; write at least "${formatDuration(SHORTEST_MS)}"`)
  },
}

const webAddress: Parser<string> = {
  json: { type: 'string', pattern: '^https?://' },
  format: String,
  parse(input) {
    const isUrl = typeof input === 'string' && /^https?:\/\//i.test(input) && URL.canParse(input)
    if (!isUrl) return refuseValue(input, 'a URL such as "https://www.example.com/healthz"')
    const { username, password, host, pathname } = new URL(input)
    if (username === '' && password === '') return accept(input)
    // The value itself is not shown.
    return refuse(
      `has a user or a password, which status and logs would show; write "https://${host}${pathname}" alone`,
    )
  },
}

const probeName: Parser<string> = {
  json: { type: 'string', maxLength: LONGEST_NAME },
  format: String,
  parse: (input) =>
    isText(input) && input.length <= LONGEST_NAME && !/\p{Cc}/u.test(input)
      ? accept(input)
      : refuseValue(input, `a name such as "checkout", of at most ${LONGEST_NAME} characters`),
}

const expectation: Parser<Pick<Probe, 'status' | 'body'>> = {
  json: {
    type: 'object',
    properties: { status: status.json, body: { type: 'string' } },
    additionalProperties: false,
  },
  format: ({ status: wanted, body }) => [wanted, body === null ? null : quote(body)].filter(Boolean).join(' '),
  parse(input, directory) {
    if (!isRecord(input)) return refuseValue(input, '{ "status": 200, "body": "ok" }, or one of the two')
    const read = reader(input, directory)
    const wanted = read.with('status', status, null)
    const body = input['body'] === undefined ? null : read.text('body')
    return read.finish(['status', 'body'], () => ({ status: wanted, body }))
  },
}

const others = {
  name: probeName.json,
  every: every.json,
  within: within.json,
  failures: failures.json,
  expect: expectation.json,
}

/** One probe or several; a text is a path or a URL. */
export const probes: Parser<readonly Probe[]> = {
  json: listOf([
    { type: 'string', pattern: '^(/|https?://)' },
    objectOf({ path: urlPath.json, ...others }, 'path'),
    objectOf({ url: webAddress.json, ...others }, 'url'),
  ]),
  format: (list) => list.map(show).join(', '),
  parse(input, directory) {
    const items: readonly unknown[] = [input].flat()
    const place = (index: number) => (Array.isArray(input) && items.length > 1 ? [index] : [])
    if (items.length > MOST_PROBES) return refuse(`are ${items.length}; write at most ${MOST_PROBES}`)
    const parsed = items.map((item, index) => inside(parseProbe(item, directory), place(index)))
    const list = all(parsed)
    return list.ok ? withoutNamesakes(list.value) : list
  },
}

function parseProbe(input: unknown, directory: string): Parsed<Probe> {
  if (typeof input === 'string') return parseText(input, directory)
  if (!isRecord(input) || !('url' in input || 'path' in input)) return refuseValue(input, EXAMPLE)
  if ('url' in input && 'path' in input) return refuse('has both a "url" and a "path"; write two probes, one with each')
  const read = reader(input, directory)
  const what: Probe['what'] =
    'url' in input
      ? { by: 'url', url: read.with('url', webAddress, '') }
      : { by: 'path', path: read.with('path', urlPath, '/') }
  const everyMs = read.with('every', every, EVERY_MS)
  const fields = {
    name: read.with('name', probeName, nameOf(what)),
    everyMs,
    withinMs: read.with('within', within, Math.min(WITHIN_MS, everyMs)),
    failures: read.with('failures', failures, FAILURES),
    ...read.with('expect', expectation, { status: null, body: null }),
  }
  const parsed = read.finish(KEYS, () => ({ what, ...fields }))
  if (!parsed.ok || fields.withinMs <= everyMs) return parsed
  const [text, pace] = [fields.withinMs, everyMs].map((ms) => quote(formatDuration(ms)))
  return refuse(`${text} is longer than every, which is ${pace}; write at most that`, ['within'])
}

function parseText(input: string, directory: string): Parsed<Probe> {
  const isUrl = /^https?:\/\//i.test(input)
  const parsed = isUrl ? webAddress.parse(input, directory) : urlPath.parse(input, directory)
  if (parsed.ok) return parseProbe(isUrl ? { url: input } : { path: input }, directory)
  return isUrl ? parsed : refuseValue(input, `a path such as "/healthz", a URL, ${EXAMPLE}`)
}

/** Of a URL no query: it may hold what is no business of metrics. */
function nameOf(what: Probe['what']): string {
  if (what.by === 'path') return what.path.slice(0, LONGEST_NAME)
  const { host, pathname } = URL.canParse(what.url) ? new URL(what.url) : { host: '', pathname: '' }
  return `${host}${pathname}`.slice(0, LONGEST_NAME)
}

/** Metrics and events tell probes apart by their names. */
function withoutNamesakes(list: readonly Probe[]): Parsed<readonly Probe[]> {
  const at = list.findIndex(({ name }, index) => list.findIndex((one) => one.name === name) < index)
  if (at < 0) return accept(list)
  return refuse(`two probes are called ${quote(list[at]?.name)}; give one of them another "name"`, [at])
}

function show({ name, what, everyMs, withinMs, failures: most, status: wanted, body }: Probe): string {
  const place = what.by === 'url' ? what.url : what.path
  const wants = expectation.format({ status: wanted, body })
  return [
    name === nameOf(what) ? place : `${name}: ${place}`,
    `every ${formatDuration(everyMs)}`,
    `within ${formatDuration(withinMs)}`,
    `failures ${most}`,
    ...(wants === '' ? [] : [`expects ${wants}`]),
  ].join(' ')
}
