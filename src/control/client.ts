// The client's end of the control socket: what the CLI asks through, with every way of not being answered named. It
// imports little, because `supervise status` has to end within 100 ms.

/* oxlint-disable typescript/no-unsafe-type-assertion -- what a route answers is fixed in messages.ts, and both ends are
   built from it; another version's answer is found out by its schema. */

import type { ClientRequest, IncomingMessage } from 'node:http'
import { userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import {
  connectionLost,
  instanceNotPermitted,
  instanceNotRunning,
  otherSchema,
  supervisorSilent,
  unreadableAnswer,
} from '../errors/control.ts'
import { fromErrorBody, type ErrorBody } from '../errors.ts'
import { systemCodeOf } from '../config/failure.ts'
import { isStrangers, type InstanceDirectory } from './instance-directory.ts'
import { SCHEMA, VERSION_HEADER } from './messages.ts'
import { http } from './node-http.ts'
import { absenceOf, ping } from './ping.ts'

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface StreamOptions {
  readonly body?: object
  readonly query?: Query
  /** Stops following; what was asked goes on in the supervisor. The iteration then throws the signal's reason. */
  readonly signal?: AbortSignal
}

export interface InstanceClient {
  get<Answer>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer>
  /** An answer that is no JSON, as it is. */
  text(path: string, query?: Query): Promise<string>
  /** Waits for an operation's end, and gives its result whether it went well or not. */
  send<Answer>(method: 'POST' | 'DELETE', path: string, body?: object): Promise<Answer>
  /** Gives one line after the other; leaving the loop early ends the connection. */
  stream<Line>(method: 'GET' | 'POST' | 'DELETE', path: string, options?: StreamOptions): AsyncIterable<Line>
}

/** After this long without a word, the supervisor is asked whether it is there at all. */
const SILENCE_MS = 3_000
const PING_MS = 2_000
const RETRY_MS = 25

interface Call extends StreamOptions {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly accept: 'application/json' | 'application/x-ndjson' | 'text/plain'
}

/** Connects with the first request, not before. Paths are those of messages.ts, beginning with `/v1`. */
export function connectInstance(directory: InstanceDirectory): InstanceClient {
  const json = 'application/json' as const
  return {
    get: async <Answer>(path: string, query: Query = {}, signal?: AbortSignal) => {
      const call = { method: 'GET', path, query, accept: json, ...(signal && { signal }) } as const
      return (await readDocument(new Exchange(directory, call))) as Answer
    },
    text: (path, query = {}) => readText(new Exchange(directory, { method: 'GET', path, query, accept: 'text/plain' })),
    send: async <Answer>(method: 'POST' | 'DELETE', path: string, body?: object) =>
      (await readDocument(new Exchange(directory, { method, path, accept: json, ...(body && { body }) }))) as Answer,
    stream: <Line>(method: Call['method'], path: string, options: StreamOptions = {}) =>
      readLines(
        new Exchange(directory, { method, path, accept: 'application/x-ndjson', ...options }),
      ) as AsyncIterable<Line>,
  }
}

async function readDocument(exchange: Exchange): Promise<unknown> {
  try {
    const response = await exchange.open()
    let text = ''
    for await (const chunk of exchange.chunks(response)) text += chunk
    const document = parse(text, exchange.title)
    throwIfError(document)
    checkSchema(document, exchange.directory.name)
    return document
  } finally {
    exchange.close()
  }
}

async function readText(exchange: Exchange): Promise<string> {
  try {
    const response = await exchange.open()
    let text = ''
    for await (const chunk of exchange.chunks(response)) text += chunk
    if (response.headers['content-type']?.startsWith('text/plain') === true) return text
    throwIfError(parse(text, exchange.title))
    throw unreadableAnswer(exchange.title, 'it is no plain text')
  } finally {
    exchange.close()
  }
}

async function* readLines(exchange: Exchange): AsyncGenerator {
  try {
    const response = await exchange.open()
    if (response.headers['content-type'] !== 'application/x-ndjson') {
      let text = ''
      for await (const chunk of exchange.chunks(response)) text += chunk
      throwIfError(parse(text, exchange.title))
      throw unreadableAnswer(exchange.title, 'it is not a stream')
    }
    let rest = ''
    for await (const chunk of exchange.chunks(response)) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) {
        const line = parse(text, exchange.title)
        if (line['type'] === 'error') throwIfError(line)
        checkSchema(line, exchange.directory.name)
        yield line
      }
    }
  } finally {
    exchange.close()
  }
}

let heed: (version: string, instance: string) => void = () => {}

/** `listener` hears the version of each supervisor that answers. */
export function heedVersions(listener: (version: string, instance: string) => void): void {
  heed = listener
}

/** One request and its answer, watched for silence. */
class Exchange {
  readonly title: string
  readonly directory: InstanceDirectory
  readonly #call: Call
  readonly #startedAt = performance.now()
  #request: ClientRequest | null = null
  #watch: NodeJS.Timeout | null = null
  #silent = false

  constructor(directory: InstanceDirectory, call: Call) {
    this.directory = directory
    this.#call = call
    this.title = titleOf(call)
  }

  async open(): Promise<IncomingMessage> {
    const { name, controlSocket } = this.directory
    if (isStrangers(this.directory)) throw instanceNotPermitted(name, controlSocket)
    this.#watch = setTimeout(() => void this.#askIfThere(), SILENCE_MS)
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await this.#ask()
      } catch (error) {
        const code = systemCodeOf(error)
        const isLate = performance.now() - this.#startedAt > SILENCE_MS
        // oxlint-disable-next-line no-await-in-loop -- ends the loop, unless the queue of connections is full for now
        if (code !== 'EAGAIN' || isLate) throw await this.#reasonFor(code)
        // oxlint-disable-next-line no-await-in-loop
        await delay(RETRY_MS)
      }
    }
  }

  #ask(): Promise<IncomingMessage> {
    const { method, path, query, body, accept, signal } = this.#call
    const text = body === undefined ? '' : JSON.stringify(body)
    const asked = http.request({
      socketPath: this.directory.controlSocket,
      path: path + searchOf(query ?? {}),
      method,
      // A pooled connection would keep the process alive after the answer.
      agent: false,
      headers: {
        accept,
        'x-supervise-caller': caller(),
        ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      ...(signal && { signal }),
    })
    this.#request = asked
    return new Promise((resolve, reject) => {
      asked.on('response', (response) => {
        const version = response.headers[VERSION_HEADER]
        if (typeof version === 'string') heed(version, this.directory.name)
        resolve(response)
      })
      asked.on('error', reject)
      asked.end(text)
    })
  }

  async #reasonFor(code: string | undefined): Promise<Error> {
    const { name, root, controlSocket } = this.directory
    this.#call.signal?.throwIfAborted()
    const absence = absenceOf(code)
    if (absence === 'absent') return instanceNotRunning(name, root)
    if (absence === 'forbidden') return instanceNotPermitted(name, controlSocket)
    return this.#silent || code === 'EAGAIN' ? this.#silenceError() : this.#lost()
  }

  async *chunks(response: IncomingMessage): AsyncGenerator<string> {
    // A stream that only looks is allowed to be quiet for hours; an operation is not without its supervisor.
    if (this.#call.method === 'GET' && response.headers['content-type'] === 'application/x-ndjson') this.#stopWatching()
    response.setEncoding('utf8')
    const chunks: AsyncIterator<string> = response[Symbol.asyncIterator]()
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- chunks come one after the other
      const next = await chunks.next().catch(() => this.#failMidway())
      if (next.done === true) return
      this.#watch?.refresh()
      yield next.value
    }
  }

  async #failMidway(): Promise<never> {
    this.#call.signal?.throwIfAborted()
    throw this.#silent ? this.#silenceError() : await this.#lost()
  }

  close(): void {
    this.#stopWatching()
    this.#request?.destroy()
  }

  async #askIfThere(): Promise<void> {
    const answer = await ping(this.directory.controlSocket, PING_MS)
    if (this.#watch === null) return
    // Absent is no silence: a supervisor that is shutting down still ends what it has begun.
    if (answer === 'silent') {
      this.#silent = true
      this.#request?.destroy(new Error('silent'))
    } else this.#watch.refresh()
  }

  #stopWatching(): void {
    if (this.#watch !== null) clearTimeout(this.#watch)
    this.#watch = null
  }

  #silenceError(): Error {
    return supervisorSilent(this.directory.name, Math.round(performance.now() - this.#startedAt))
  }

  async #lost(): Promise<Error> {
    const answer = await ping(this.directory.controlSocket, PING_MS)
    if (answer === 'silent') return this.#silenceError()
    // A supervisor that is younger than the request knows nothing of it.
    const lives = typeof answer === 'object' && answer.uptimeSeconds * 1_000 >= performance.now() - this.#startedAt
    return connectionLost(this.title, lives)
  }
}

function parse(text: string, title: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {}
  throw unreadableAnswer(title, text === '' ? 'it is empty' : 'it is not JSON')
}

/** The result of an operation that failed has an error too, and is an answer all the same. */
function throwIfError(document: Record<string, unknown>): void {
  const error = document['error']
  if (typeof error !== 'object' || error === null || 'ok' in document) return
  throw fromErrorBody(error as ErrorBody)
}

function checkSchema(document: Record<string, unknown>, name: string): void {
  if (document['schema'] !== SCHEMA) throw otherSchema(name, JSON.stringify(document['schema']) ?? 'none', SCHEMA)
}

function searchOf(query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value !== null && value !== undefined)
  if (set.length === 0) return ''
  return `?${new URLSearchParams(set.map(([key, value]): [string, string] => [key, String(value)])).toString()}`
}

/** What was asked, as a person would say it. */
function titleOf({ method, path }: Call): string {
  const [, , area, app, verb] = path.split('/')
  if (area !== 'apps') return method === 'GET' ? `\`supervise ${area}\`` : `${area} of the instance`
  if (app === undefined) return 'the start'
  return `${verb ?? (method === 'DELETE' ? 'delete' : 'describe')} of "${decodeURIComponent(app)}"`
}

function caller(): string {
  try {
    return encodeURIComponent(userInfo().username)
  } catch {
    // A container's user need not have a name.
    return `uid ${process.getuid?.() ?? '?'}`
  }
}
