// A worker's line as it leaves the supervisor.
//
// The rule for a line that is itself a JSON object: the app's bytes stay as they are and our fields come behind them.
// `app`, `group`, `release` and `worker` are always there; where the app uses such a name itself, its own stays and
// ours is called `supervise_app` and so on; so is `supervise_time`, when the line was read. `pid` and `stream` are added where
// the app has no such field.

import type { LogRecord } from '../control/messages.ts'
import type { Labels, LogFormat } from './pretty.ts'

/** The line with its newline, as it is written; `own` is the line itself when it is JSON. */
export type FormatAppLine = (line: LogRecord, own?: object | null) => string

export function appLineFormat(format: LogFormat, labels: Labels): FormatAppLine {
  return format === 'json' ? jsonFormat() : (line) => prettyLine(line, labels)
}

function jsonFormat(): FormatAppLine {
  // The lines of one worker come in a row: what they have in common is made once.
  let last: LogRecord | null = null
  let identity = ''
  return (line, own = ownFields(line)) => {
    if (own !== null) return addFields(line, own)
    if (last === null || !isSameProcess(line, last)) identity = identityOf(line)
    last = line
    const more = line.continues === true ? ',"continues":true' : ''
    return `{"time":"${line.time}",${identity},"stream":"${line.stream}","msg":${JSON.stringify(line.line)}${more}}\n`
  }
}

function isSameProcess(line: LogRecord, other: LogRecord): boolean {
  return line.pid === other.pid && line.worker === other.worker && line.app === other.app && line.group === other.group
}

function identityOf({ app, group, release, worker, pid }: LogRecord): string {
  return members({ app, group, release, worker, pid })
}

function addFields(line: LogRecord, own: object): string {
  const added: Record<string, unknown> = {}
  for (const name of ['app', 'group', 'release', 'worker', 'time'] as const) {
    added[Object.hasOwn(own, name) ? `supervise_${name}` : name] = line[name]
  }
  for (const name of ['pid', 'stream'] as const) if (!Object.hasOwn(own, name)) added[name] = line[name]
  // Cut and appended rather than written anew: large numbers and the order of the fields stay as they were.
  const open = line.line.trimEnd().slice(0, -1).trimEnd()
  return `${open}${open.endsWith('{') ? '' : ','}${members(added)}}\n`
}

/** What an app's line says when it is JSON; null for other lines, and for pieces of lines. */
export function ownFields({ line, continues }: LogRecord): object | null {
  return continues === true ? null : jsonObject(line)
}

/** The line as an object, or null when it is none. */
function jsonObject(line: string): object | null {
  // JSON.parse of text that is no JSON costs an exception. Of several lines, ours could not be added to the last.
  if (!/^\s*\{/.test(line) || !/\}\s*$/.test(line) || line.includes('\n')) return null
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

/** The fields as JSON, without the braces. */
function members(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields).slice(1, -1)
}

function prettyLine(line: LogRecord, labels: Labels): string {
  const prefix = labels.prefix(line, line.stream === 'stderr' ? '!' : '|')
  const text = line.line.includes('\n') ? line.line.replaceAll('\n', `\n${prefix}`) : line.line
  return `${prefix}${text}${line.continues === true ? labels.paint('dim', ' …') : ''}\n`
}
