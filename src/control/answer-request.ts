// From one HTTP request to one operation of the supervisor and back. Knows no socket path and no listener, so that another
// address can answer with it too.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { badRequest, internalError, tooManyStreams } from '../errors/control.ts'
import { SuperviseError } from '../errors.ts'
import type { MetricOperations, OperationContext, SupervisorOperations } from '../supervisor/operations.ts'
import { LineStream } from './line-stream.ts'
import { VERSION_HEADER, type OperationResult } from './messages.ts'
import { ClientGone, readBody } from './request-body.ts'
import { plainText } from './request-values.ts'
import { respond, respondError, respondText, statusOfResults } from './responses.ts'
import { allowedMethods, findRoute, type Answer } from './routes.ts'

export interface ControlLimits {
  readonly maxBodyBytes: number
  /** Streams that only look, open at once: each may have `maxWaitingBytes` in memory. */
  readonly maxStreams: number
  readonly maxWaitingBytes: number
  readonly farewellMs: number
}

export interface ControlCounts {
  /** Streams of logs and events that are open now. */
  readonly streams: number
  /** Clients that were dropped since the start, by reason. */
  readonly dropped: {
    /** Read too slowly, or stopped reading. */
    readonly unread: number
    /** Did not send a whole request in time. */
    readonly timedOut: number
    /** Sent what is not HTTP, or too much of it. */
    readonly malformed: number
    /** Came when too many were connected or following already. */
    readonly tooMany: number
  }
}

export type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends object ? Mutable<T[Key]> : T[Key] }

export interface Answering {
  readonly supervisor: SupervisorOperations
  readonly limits: ControlLimits
  readonly counts: Mutable<ControlCounts>
  /** Streams that would never end by themselves. */
  readonly following: Set<LineStream>
  /** Sees what should not have happened; must not throw. */
  readonly onError: (error: unknown, request: string) => void
}

/** When an operation has said nothing for so long, the client gets the head: it was taken and goes on. */
const HEAD_AFTER_MS = 500

/** Never rejects: whatever goes wrong is the client's answer, and the supervisor goes on. */
export async function answerRequest(
  answering: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A client may go at any moment; that ends its answer and nothing else.
  response.on('error', () => {})
  const { metrics } = answering.supervisor
  response.once('finish', () => guard(answering, request, () => countAnswer(metrics, request, response)))
  response.setHeader(VERSION_HEADER, answering.supervisor.version)
  try {
    const { pathname, searchParams } = parseUrl(request.url ?? '')
    const allowed = allowedMethods(pathname)
    if (allowed.length > 0) response.setHeader('allow', allowed.join(', '))
    const { route, app } = findRoute(request.method ?? '', pathname)
    response.removeHeader('allow')
    const body = await readBody(request, answering.limits.maxBodyBytes)
    const answer = await route.answer(answering.supervisor, { app, query: searchParams, body })
    await perform(answering, answer, request, response)
  } catch (error) {
    if (error instanceof ClientGone) return
    fail(answering, error, request, response)
  }
}

function countAnswer(
  metrics: MetricOperations,
  { method = '' }: IncomingMessage,
  { statusCode }: ServerResponse,
): void {
  metrics.controlRequest(METHODS.includes(method) ? method : 'other', statusCode)
}

/** A label must not have whatever a client makes up. */
const METHODS: readonly string[] = ['GET', 'POST', 'DELETE']

async function perform(
  answering: Answering,
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (answer.as) {
    case 'document':
      return respond(response, 200, answer.body)
    case 'text':
      return respondText(response, answer.contentType, answer.text)
    case 'feed':
      return sendFeed(answering, answer, request, response)
    case 'call':
      return respond(response, 200, await answer.run(contextOf(request, response, () => {})))
    case 'operation':
      await answering.supervisor.upgrades.whenInCharge()
      return wantsLines(request)
        ? streamOperation(answering, answer, request, response)
        : runOperation(answering, answer, request, response)
  }
}

function sendFeed(
  answering: Answering,
  { feed, follow }: Extract<Answer, { as: 'feed' }>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { limits, counts, following } = answering
  if (counts.streams >= limits.maxStreams) {
    counts.dropped.tooMany += 1
    throw tooManyStreams(limits.maxStreams)
  }
  const lines = openLines(answering, response)
  counts.streams += 1
  const forget = answering.supervisor.upgrades.onReplaced((error) => {
    lines.write({ type: 'error', error: error.toJSON() })
    lines.end()
  })
  const unfollow = follow ? feed.follow((item) => guard(answering, request, () => lines.write(item))) : () => {}
  if (follow) following.add(lines)
  response.once('close', () => {
    counts.streams -= 1
    following.delete(lines)
    forget()
    guard(answering, request, unfollow)
  })
  lines.open()
  lines.replay(feed.recent)
  if (!follow) lines.end()
}

async function runOperation(
  answering: Answering,
  { run }: Extract<Answer, { as: 'operation' }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const result = await unlessReplaced(answering, run(contextOf(request, response, () => {})))
  if (isMany(result)) respond(response, statusOfResults(result), { results: result })
  else respond(response, statusOfResults([result]), result)
}

/** The operation goes on when the client leaves, unless it looks at `left`; its lines then go nowhere. */
async function streamOperation(
  answering: Answering,
  { run }: Extract<Answer, { as: 'operation' }>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const lines = openLines(answering, response)
  const head = setTimeout(() => lines.open(), HEAD_AFTER_MS)
  try {
    const progress: OperationContext['progress'] = (line) => guard(answering, request, () => lines.write(line))
    const result = await unlessReplaced(answering, run(contextOf(request, response, progress)))
    for (const each of isMany(result) ? result : [result]) lines.write({ type: 'result', result: each })
  } catch (error) {
    // Until the head is out, an error can still be an HTTP status.
    if (!response.headersSent) throw error
    lines.write({ type: 'error', error: asSuperviseError(answering, error, request).toJSON() })
  } finally {
    clearTimeout(head)
    if (response.headersSent) lines.end()
  }
}

/** Rejects when another supervisor takes over meanwhile: this one stands still then, and would never have an answer. */
function unlessReplaced<Result>({ supervisor }: Answering, answer: Promise<Result>): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>()
  const forget = supervisor.upgrades.onReplaced(reject)
  answer.then(resolve, reject)
  promise.then(forget, forget)
  return promise
}

function openLines({ limits, counts }: Answering, response: ServerResponse): LineStream {
  return new LineStream(response, limits, () => (counts.dropped.unread += 1))
}

function contextOf(
  request: IncomingMessage,
  response: ServerResponse,
  progress: OperationContext['progress'],
): OperationContext {
  const left = new AbortController()
  response.once('close', () => left.abort())
  return { cause: causeOf(request.headers['x-supervise-caller']), progress, left: left.signal }
}

/** Only our own user can connect, so the name is believed; it is text from outside all the same. */
function causeOf(header: string | readonly string[] | undefined): string {
  if (typeof header !== 'string') return 'control API'
  let name = header
  try {
    name = decodeURIComponent(header)
  } catch {}
  const text = plainText(name, 64)
  return text === '' ? 'control API' : `command by ${text}`
}

function wantsLines(request: IncomingMessage): boolean {
  return (request.headers.accept ?? '').split(',').some((type) => type.split(';')[0]?.trim() === 'application/x-ndjson')
}

function fail(answering: Answering, error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const known = asSuperviseError(answering, error, request)
  // The rest of a body that was not read would be taken for the next request.
  if (!request.complete && !response.headersSent) response.setHeader('connection', 'close')
  respondError(response, known)
}

function asSuperviseError(answering: Answering, error: unknown, request: IncomingMessage): SuperviseError {
  if (error instanceof SuperviseError) return error
  const what = `${request.method} ${request.url}`
  answering.onError(error, what)
  return internalError(what, error instanceof Error ? error.message : String(error))
}

/** Feeds and operations call us from the supervisor's own work, which nothing here may interrupt. */
function guard(answering: Answering, request: IncomingMessage, action: () => void): void {
  try {
    action()
  } catch (error) {
    answering.onError(error, `${request.method} ${request.url}`)
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text, 'http://localhost')
  if (url === null) throw badRequest(`"${plainText(text, 200)}" is not a path`, 'Ask for a path such as /v1/status.')
  return url
}

function isMany(result: OperationResult | readonly OperationResult[]): result is readonly OperationResult[] {
  return Array.isArray(result)
}
