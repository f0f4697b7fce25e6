// A line of a log file as the record that it was: app-lines.ts the other way round.

import type { LogRecord } from '../control/messages.ts'
import type { GroupName } from '../protocol/messages.ts'
import { levelOf } from './levels.ts'

/** As `jsonFormat` begins a line that was no JSON itself. */
const WRAPPED = /^\{"time":"[^"]{20,30}","app":/

/** Null for what is no app's line: the supervisor's own, and what somebody else has written there. */
export function recordOf(text: string): LogRecord | null {
  const fields = parse(text)
  if (fields === null) return null
  const origin = originOf(fields)
  if (origin === null) return null
  const last = Object.keys(fields).at(-1)
  const { msg } = fields
  if (WRAPPED.test(text) && typeof msg === 'string' && (last === 'msg' || last === 'continues'))
    return { ...origin, line: msg, ...(fields['continues'] === true && { continues: true }) }
  const level = levelOf(fields)
  const record = { ...origin, line: withoutOurs(text, 'supervise_app' in fields ? 'supervise_app' : 'app') }
  return level === null ? record : { ...record, level }
}

function originOf(fields: Readonly<Record<string, unknown>>): Omit<LogRecord, 'line'> | null {
  const ours = (name: string) => fields[`supervise_${name}`] ?? fields[name]
  const [time, app, group, release] = [ours('time'), ours('app'), ours('group'), ours('release')]
  const [worker, pid, stream] = [ours('worker'), ours('pid'), ours('stream')]
  if (typeof time !== 'string' || typeof app !== 'string' || typeof release !== 'string') return null
  if (typeof worker !== 'number' || !isGroup(group) || stream === undefined) return null
  const numbers = { worker, pid: typeof pid === 'number' ? pid : 0 }
  return { time, app, group, release, ...numbers, stream: stream === 'stderr' ? 'stderr' : 'stdout' }
}

function isGroup(value: unknown): value is GroupName {
  return value === 'blue' || value === 'green'
}

/** Ours come last and begin with the app's name: what stands before them is the app's own. */
function withoutOurs(text: string, first: 'app' | 'supervise_app'): string {
  const own = text.slice(0, text.lastIndexOf(`"${first}":`))
  return `${own.endsWith(',') ? own.slice(0, -1) : own}}`
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object of JSON is a record
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
