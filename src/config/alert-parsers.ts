// Parser of the option `notify`: who is told of which alerts.

import { ALERT_NAMES, type AlertKind } from './alert-kinds.ts'
import type { Hook, Receiver } from './app-config.ts'
import { all, hook, showHook, inside, isText, listOf, objectOf, reader } from './deploy-parsers.ts'
import { accept, isRecord, refuse, refuseValue, type Parsed, type Parser } from './parser.ts'
import { duration, oneOf } from './parsers.ts'

const WITHIN_MS = 10_000

const within = duration('10s', 'no-zero')
const kind = oneOf<AlertKind>(ALERT_NAMES)

/** One receiver or several; a text is a command or a URL that is told everything. */
export const receivers: Parser<readonly Receiver[]> = {
  json: listOf([
    { type: 'string' },
    objectOf({ on: listOf([kind.json]), webhook: { type: 'string' }, within: within.json }, 'webhook'),
    objectOf({ on: listOf([kind.json]), command: { type: 'string' }, within: within.json }, 'command'),
  ]),
  format: (list) =>
    list.map(({ on, hook: to }) => `${showHook(to)}${on === null ? '' : ` on ${on.join(' ')}`}`).join(', '),
  parse(input, directory) {
    const items: readonly unknown[] = [input].flat()
    const isList = Array.isArray(input) && items.length > 1
    return all(items.map((item, index) => inside(parseReceiver(item, directory), isList ? [index] : [])))
  },
}

function parseReceiver(input: unknown, directory: string): Parsed<Receiver> {
  if (isText(input)) {
    const to = hook.parse(input, directory)
    return to.ok ? accept({ on: null, hook: { ...to.value, withinMs: WITHIN_MS } }) : to
  }
  const allowed = '{ "on": ["crash-loop"], "webhook": "https://hooks.example.com" }, or a "command" in its place'
  if (!isRecord(input) || 'command' in input === 'webhook' in input) return refuseValue(input, allowed)
  const read = reader(input, directory)
  const on = read.with('on', kinds, null)
  const withinMs = read.with('within', within, WITHIN_MS)
  const key = 'command' in input ? 'command' : 'webhook'
  const to = read.with(key, key === 'command' ? command : webhook, null)
  return read.finish(['on', key, 'within'], () => ({ on, hook: { ...(to ?? NOBODY), withinMs } }))
}

/** Never used: a receiver that is refused is none. */
const NOBODY: Hook = { by: 'command', command: '', withinMs: 0 }

const kinds: Parser<readonly AlertKind[]> = {
  json: listOf([kind.json]),
  format: (list) => list.join(' '),
  parse(input, directory) {
    const items: readonly unknown[] = [input].flat()
    if (items.length === 0) return refuse('names no kind of alert; leave it out for every kind')
    return all(items.map((item, index) => inside(kind.parse(item, directory), Array.isArray(input) ? [index] : [])))
  },
}

const command: Parser<Hook> = {
  json: { type: 'string' },
  format: String,
  parse: (input) =>
    isText(input)
      ? accept({ by: 'command', command: input, withinMs: WITHIN_MS })
      : refuseValue(input, 'a command such as "./page-somebody.sh"'),
}

const webhook: Parser<Hook> = {
  json: { type: 'string' },
  format: String,
  parse: (input, directory) =>
    isText(input) && /^https?:\/\//i.test(input)
      ? hook.parse({ url: input }, directory)
      : refuseValue(input, 'a URL such as "https://hooks.example.com/alerts"'),
}
