// What a client may put into a query or a body, and what it becomes: everything is checked here, once, so that an
// operation sees nothing but its own type.

import { EVENT_TYPES } from '../config/event-types.ts'
import { LOG_LEVELS } from '../config/log-parsers.ts'
import { badRequest } from '../errors/control.ts'
import type { ConfigSource, FlagValues } from '../config/app-config.ts'
import type {
  ReloadRequest,
  ReopenLogs,
  RestartRequest,
  ScaleRequest,
  SignalRequest,
  StartRequest,
  StopRequest,
  UpgradeRequest,
} from './messages.ts'
import type { DeployRequest, RollbackRequest } from './release-messages.ts'
import type { EventQuery, LogQuery } from '../supervisor/operations.ts'

export type Fields = Readonly<Record<string, unknown>>

const DEFAULT_LINES = 100
const MAX_LINES = 100_000

// ---- query ---------------------------------------------------------------------------------------

export function readLogQuery(query: URLSearchParams): LogQuery & { readonly follow: boolean } {
  const known = ['app', 'worker', 'stream', 'release', 'group', 'pid', 'since', 'level', 'lines', 'follow']
  allowOnly([...query.keys()], known, 'parameter')
  const stream = query.get('stream')
  if (stream !== null && stream !== 'stdout' && stream !== 'stderr')
    throw badRequest(`"stream" is "${stream}"`, 'Use stdout or stderr, or leave it out for both.')
  return {
    app: query.get('app'),
    worker: query.has('worker') ? wholeNumber(query, 'worker', 1, Number.MAX_SAFE_INTEGER) : null,
    stream,
    release: query.get('release'),
    group: oneOf(query, 'group', ['blue', 'green']),
    pid: query.has('pid') ? wholeNumber(query, 'pid', 1, Number.MAX_SAFE_INTEGER) : null,
    since: readTime(query, 'since'),
    level: oneOf(query, 'level', LOG_LEVELS),
    lines: query.has('lines') ? wholeNumber(query, 'lines', 0, MAX_LINES) : DEFAULT_LINES,
    follow: readSwitch(query, 'follow'),
  }
}

export function readEventQuery(query: URLSearchParams): EventQuery & { readonly follow: boolean } {
  allowOnly([...query.keys()], ['app', 'type', 'since', 'lines', 'follow'], 'parameter')
  const since = readTime(query, 'since')
  return {
    app: query.get('app'),
    // Who says since when wants all of them.
    lines: query.has('lines') ? wholeNumber(query, 'lines', 0, MAX_LINES) : since === null ? DEFAULT_LINES : MAX_LINES,
    since,
    types: readTypes(query),
    follow: readSwitch(query, 'follow'),
  }
}

function readTypes(query: URLSearchParams): readonly string[] {
  const types = query.get('type')?.split(',').filter(Boolean) ?? []
  const unknown = types.find((type) => !EVENT_TYPES.some((known) => known === type))
  if (unknown !== undefined) throw badRequest(`"type" is "${unknown}"`, `Use ${EVENT_TYPES.join(', ')}.`)
  return types
}

/** A time in UTC, as events have theirs; null when it is left out. */
function readTime(query: URLSearchParams, name: string): string | null {
  const text = query.get(name)
  if (text === null) return null
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : null
  if (time !== null && !Number.isNaN(time.getTime())) return time.toISOString()
  throw badRequest(`"${name}" is "${text}"`, 'Use a time such as 2026-01-31T08:00:00Z.')
}

/** Prometheus' own text, of all apps, when they are left out. */
export function readMetricsQuery(query: URLSearchParams): {
  readonly format: 'json' | 'text'
  readonly app: string | null
} {
  allowOnly([...query.keys()], ['format', 'app'], 'parameter')
  return { format: oneOf(query, 'format', ['json', 'text']) ?? 'text', app: query.get('app') }
}

export function readAppQuery(query: URLSearchParams): string | null {
  allowOnly([...query.keys()], ['app'], 'parameter')
  return query.get('app')
}

export function allowNoQuery(query: URLSearchParams): void {
  allowOnly([...query.keys()], [], 'parameter')
}

function wholeNumber(query: URLSearchParams, name: string, least: number, most: number): number {
  const text = query.get(name) ?? ''
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw badRequest(`"${name}" is "${text}"`, `Use a whole number from ${least} to ${most}.`)
}

function oneOf<Word extends string>(query: URLSearchParams, name: string, words: readonly Word[]): Word | null {
  const text = query.get(name)
  if (text === null) return null
  const found = words.find((word) => word === text)
  if (found === undefined) throw badRequest(`"${name}" is "${text}"`, `Use ${words.join(', ')}, or leave it out.`)
  return found
}

function readSwitch(query: URLSearchParams, name: string): boolean {
  const text = query.get(name)
  if (text === null || text === 'false' || text === '0') return false
  if (text === '' || text === 'true' || text === '1') return true
  throw badRequest(`"${name}" is "${text}"`, 'Use true or false.')
}

// ---- bodies --------------------------------------------------------------------------------------

export function readNothing(body: Fields): Record<string, never> {
  allowOnly(Object.keys(body), [], 'field')
  return {}
}

export function readReload(body: Fields): ReloadRequest {
  allowOnly(Object.keys(body), ['cause'], 'field')
  const cause = body['cause']
  if (cause === undefined) return {}
  if (typeof cause !== 'string') throw badRequest('"cause" is not text', 'Say in a few words what the reload is for.')
  return { cause: plainText(cause, 200) }
}

export function readReopenLogs(body: Fields): ReopenLogs {
  allowOnly(Object.keys(body), ['app'], 'field')
  const { app } = body
  if (app === undefined) return {}
  if (!isText(app)) throw mistyped('app', 'the name of an app')
  return { app }
}

export function readRestart(body: Fields): RestartRequest {
  allowOnly(Object.keys(body), ['workers'], 'field')
  return readWorkers(body)
}

export function readScale(body: Fields): ScaleRequest {
  allowOnly(Object.keys(body), ['workers'], 'field')
  const workers = body['workers']
  const text = typeof workers === 'number' && workers >= 0 ? String(workers) : workers
  if (typeof text === 'string' && /^(?:max|[+-]?\d{1,4})$/.test(text)) return { workers: text }
  throw badRequest(`"workers" is ${JSON.stringify(workers) ?? 'missing'}`, 'Use "4", "+1", "-2" or "max".')
}

export function readSignal(body: Fields): SignalRequest {
  allowOnly(Object.keys(body), ['signal', 'workers'], 'field')
  const signal = body['signal']
  if (typeof signal === 'string' && /^[A-Za-z0-9]{1,16}$/.test(signal)) return { signal, ...readWorkers(body) }
  throw badRequest(`"signal" is ${JSON.stringify(signal) ?? 'missing'}`, 'Name a signal, such as "SIGUSR2".')
}

export function readStop(body: Fields): StopRequest {
  allowOnly(Object.keys(body), ['now'], 'field')
  const now = body['now']
  if (now === undefined) return {}
  if (typeof now === 'boolean') return { now }
  throw badRequest(`"now" is ${JSON.stringify(now)}`, 'Use true or false.')
}

export function readUpgrade(body: Fields): UpgradeRequest {
  allowOnly(Object.keys(body), ['node', 'launcher', 'dryRun', 'waitMs'], 'field')
  const { node, launcher, dryRun, waitMs } = body
  if (!isAbsolute(node)) throw mistyped('node', 'an absolute path')
  if (!isAbsolute(launcher)) throw mistyped('launcher', 'an absolute path')
  if (dryRun !== undefined && typeof dryRun !== 'boolean') throw mistyped('dryRun', 'true or false')
  if (waitMs !== undefined && !(typeof waitMs === 'number' && waitMs >= 0)) throw mistyped('waitMs', 'milliseconds')
  return { node, launcher, ...(dryRun !== undefined && { dryRun }), ...(waitMs !== undefined && { waitMs }) }
}

export function readStart(body: Fields): StartRequest {
  allowOnly(Object.keys(body), ['sources', 'fresh'], 'field')
  const { sources, fresh = false } = body
  if (typeof fresh !== 'boolean') throw mistyped('fresh', 'true or false')
  if (!Array.isArray(sources) || sources.length === 0)
    throw badRequest('"sources" is not a list of apps', 'Start apps with `supervise start`, which fills it in.')
  const read = sources.map((source, index) => readSource(source, `sources[${index}]`))
  return fresh ? { sources: read, fresh } : { sources: read }
}

export function readDeploy(body: Fields): DeployRequest {
  allowOnly(Object.keys(body), ['path', 'version', 'strategy', 'force', 'node', 'env', 'wait'], 'field')
  const { path = null, version = null, strategy, node, env, wait } = body
  if (path !== null && !isAbsolute(path)) throw mistyped('path', 'an absolute path or null')
  if (version !== null && !isText(version)) throw mistyped('version', 'a text or null')
  if (strategy !== undefined && strategy !== 'blue-green' && strategy !== 'rolling')
    throw badRequest(`"strategy" is ${JSON.stringify(strategy)}`, 'Use "blue-green" or "rolling".')
  if (node !== undefined && !isAbsolute(node)) throw mistyped('node', 'an absolute path')
  if (env !== undefined && !isRecordOf(env, isVariable)) throw mistyped('env', 'an object of texts')
  if (wait !== undefined && typeof wait !== 'boolean') throw mistyped('wait', 'true or false')
  const label = version === null ? null : plainText(version, 100)
  return {
    path,
    version: label,
    ...(strategy !== undefined && { strategy }),
    ...(node !== undefined && { node }),
    ...(env !== undefined && { env }),
    ...(wait !== undefined && { wait }),
    ...readForce(body),
  }
}

export function readRollback(body: Fields): RollbackRequest {
  allowOnly(Object.keys(body), ['release', 'force'], 'field')
  const { release = null } = body
  if (release !== null && !isText(release)) throw mistyped('release', 'the id or version of a release, or null')
  return { release, ...readForce(body) }
}

function readForce({ force }: Fields): { readonly force?: boolean } {
  if (force === undefined) return {}
  if (typeof force !== 'boolean') throw mistyped('force', 'true or false')
  return { force }
}

function readSource(source: unknown, where: string): ConfigSource {
  if (!isFields(source)) throw mistyped(where, 'an object')
  allowOnly(Object.keys(source), ['file', 'app', 'flags', 'directory', 'environment'], 'field')
  const { file = null, app = null, flags = {}, directory, environment = {} } = source
  if (file !== null && !isAbsolute(file)) throw mistyped(`${where}.file`, 'an absolute path or null')
  if (app !== null && !isText(app)) throw mistyped(`${where}.app`, 'a name or null')
  if (!isAbsolute(directory)) throw mistyped(`${where}.directory`, 'an absolute path')
  if (!isRecordOf(flags, isFlag)) throw mistyped(`${where}.flags`, 'an object of texts, booleans or lists of texts')
  if (!isRecordOf(environment, isText)) throw mistyped(`${where}.environment`, 'an object of texts')
  return { file, app, flags, directory, environment }
}

export function mistyped(field: string, what: string): Error {
  return badRequest(`"${field}" is not ${what}`, 'See docs/reference/control-api.md.')
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isFlag(value: unknown): value is FlagValues[string] {
  return isText(value) || typeof value === 'boolean' || (Array.isArray(value) && value.every(isText))
}

function isVariable(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}

function isRecordOf<Value>(
  value: unknown,
  isValue: (each: unknown) => each is Value,
): value is Readonly<Record<string, Value>> {
  return isFields(value) && Object.values(value).every(isValue)
}

function isAbsolute(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/') && !value.includes('\0')
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readWorkers(body: Fields): { readonly workers?: readonly number[] } {
  const workers = body['workers']
  if (workers === undefined) return {}
  if (Array.isArray(workers) && workers.length > 0 && workers.every(isId)) return { workers }
  throw badRequest(
    `"workers" is ${JSON.stringify(workers)}`,
    'List worker ids, such as [1, 3], or leave it out for all.',
  )
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
}

/** A field that is not known may mean something to the client: to leave it out would do something else than was asked. */
export function allowOnly(given: readonly string[], known: readonly string[], kind: 'parameter' | 'field'): void {
  const stranger = given.find((name, index) => !known.includes(name) || given.indexOf(name) !== index)
  if (stranger === undefined) return
  const why = known.includes(stranger)
    ? `${kind} "${stranger}" is given twice`
    : `${kind} "${stranger}" is not known here`
  throw badRequest(
    why,
    known.length === 0 ? `Leave it out: there is no ${kind} here.` : `Known are: ${known.join(', ')}.`,
  )
}

/** Text from outside, fit for one line of a log. */
export function plainText(text: string, maxLength: number): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, maxLength)
}
