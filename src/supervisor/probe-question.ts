// Asking one place over HTTP like any client would, and what is thought of the answer. Never rejects, and never takes longer
// than it may; redirects are not followed.

import { once } from 'node:events'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { formatDuration } from '../config/quantities.ts'
import type { Speech } from '../protocol/messages.ts'

export interface Place {
  readonly speaks: Speech
  readonly to: { readonly path: string } | { readonly host: string; readonly port: number }
  /** As a client of that name; the certificate must be good for it. Null is the app's own address, whatever it shows. */
  readonly name: string | null
}

export interface Question {
  readonly place: Place
  readonly path: string
  /** The first of them is the first of the request. */
  readonly headers: Readonly<Record<string, string>>
  readonly withinMs: number
  /** Null is any 2xx; `answered` is any that is not the server's own failure. */
  readonly status: number | 'answered' | null
  /** A text that must be in the answer. */
  readonly body: string | null
}

/** What metrics tell apart. */
export type ProbeOutcome =
  | 'ok'
  | 'status' // another one than was wanted
  | 'body' // the text was not in it
  | 'timeout'
  | 'refused' // nobody listens there
  | 'unreachable' // no such name, or no way there
  | 'tls'
  | 'cut' // the connection ended before the answer did
  | 'error'

export interface ProbeAnswer {
  readonly outcome: ProbeOutcome
  /** In words; null for `ok`. */
  readonly problem: string | null
  readonly tookMs: number
}

/** A text that comes later than this in a page is not found, and what follows is not waited for. */
const MOST_BODY_BYTES = 1024 ** 2

export async function askPlace(question: Question): Promise<ProbeAnswer> {
  const began = performance.now()
  const signal = AbortSignal.timeout(question.withinMs)
  const tookMs = (): number => performance.now() - began
  // A connection may end in ways that no event tells of: the time is up all the same.
  const isOver = once(signal, 'abort').then((): Verdict => tooLate(question))
  const answer = question.place.speaks.startsWith('h2') ? askHttp2(question, signal) : askHttp1(question, signal)
  const verdict = answer.catch((error: unknown) => (signal.aborted ? tooLate(question) : failure(error)))
  return { ...(await Promise.race([verdict, isOver])), tookMs: tookMs() }
}

type Verdict = Omit<ProbeAnswer, 'tookMs'>
type Body = AsyncIterable<Buffer>

async function askHttp1(question: Question, signal: AbortSignal): Promise<Verdict> {
  const { place, path, headers } = question
  const isSecure = place.speaks === 'https'
  // Loaded when first needed, and not by `import`, which would load all of undici for its `WebSocket`.
  const { request } = isSecure ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')
  const to: RequestOptions = 'path' in place.to ? { socketPath: place.to.path } : place.to
  const tls = isSecure && place.name === null ? { rejectUnauthorized: false, servername: 'localhost' } : {}
  const asked = request({ ...to, ...tls, path, headers: { ...headers, connection: 'close' }, agent: false, signal })
  // Errors after the response reach whoever reads it.
  asked.on('error', () => undefined)
  try {
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return await judge(question, response.statusCode ?? 0, response)
  } finally {
    asked.destroy()
  }
}

/** With prior knowledge: the place was found to speak nothing else. */
async function askHttp2(question: Question, signal: AbortSignal): Promise<Verdict> {
  const { place, path, headers } = question
  const socket = place.speaks === 'h2' ? connectTls(place.to) : connect(place.to)
  const scheme = place.speaks === 'h2' ? 'https' : 'http'
  const session = process
    .getBuiltinModule('node:http2')
    .connect(`${scheme}://localhost`, { createConnection: () => socket })
  session.on('error', () => undefined)
  signal.addEventListener('abort', () => session.destroy(), { once: true })
  try {
    const stream = session.request({ ...headers, ':path': path })
    stream.on('error', () => undefined)
    const [head] = (await Promise.race([once(stream, 'response'), cutOff(socket)])) as [Record<string, unknown>]
    return await judge(question, Number(head[':status']), stream)
  } finally {
    session.destroy()
  }
}

/** A connection that ends while the session begins is told of by its socket alone. What else is told of it comes first. */
function cutOff(socket: Socket): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(Object.assign(new Error('cut off'), { code: 'ECONNRESET' }))
    socket.once('close', () => setImmediate(end))
  })
}

function connectTls(to: Place['to']): Socket {
  const options = { ...to, ALPNProtocols: ['h2'], rejectUnauthorized: false, servername: 'localhost' }
  return process.getBuiltinModule('node:tls').connect(options)
}

async function judge({ status: wanted, body: text }: Question, status: number, body: Body): Promise<Verdict> {
  const isWanted = isGood(status, wanted)
  if (!isWanted) return { outcome: 'status', problem: statusWords(status, wanted) }
  const found = await readFor(body, text)
  return found ? { outcome: 'ok', problem: null } : { outcome: 'body', problem: `answered without ${quoteOf(text)}` }
}

function isGood(status: number, wanted: Question['status']): boolean {
  if (wanted === 'answered') return status < 500
  return wanted === null ? status >= 200 && status < 300 : status === wanted
}

function statusWords(status: number, wanted: Question['status']): string {
  if (typeof wanted === 'number') return `answered ${status}, and ${wanted} was expected`
  return status >= 300 && status < 400 ? `answered ${status}, and redirects are not followed` : `answered ${status}`
}

/** Reads the whole answer, up to the limit: one that stops in its middle is no good one. */
async function readFor(body: Body, text: string | null): Promise<boolean> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (text !== null) chunks.push(chunk)
    if (bytes >= MOST_BODY_BYTES) break
  }
  return text === null || Buffer.concat(chunks).toString('utf8').includes(text)
}

function tooLate({ withinMs }: Question): Verdict {
  return { outcome: 'timeout', problem: `was not answered within ${formatDuration(withinMs)}` }
}

const OUTCOMES: readonly (readonly [RegExp, ProbeOutcome, string])[] = [
  [/^(ECONNREFUSED|ENOENT)$/, 'refused', 'is refused: nobody listens there'],
  [/^(ENOTFOUND|EAI_\w+)$/, 'unreachable', 'has a host that no name server knows'],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPERM)$/, 'unreachable', 'cannot be reached'],
  [/CERT|TLS|SSL|^EPROTO$|UNABLE_TO_|DEPTH_ZERO|HOSTNAME/, 'tls', 'fails in its TLS handshake'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED)$|PREMATURE|STREAM|GOAWAY/, 'cut', 'was cut off before it was answered'],
]

function failure(error: unknown): Verdict {
  const { cause } = error as Error
  // Of an HTTP/2 stream that ended with its connection.
  const { code = '', message } = (cause instanceof Error ? cause : error) as NodeJS.ErrnoException
  const [, outcome, words] = OUTCOMES.find(([pattern]) => pattern.test(code)) ?? [null, 'error' as const, null]
  return { outcome, problem: words === null ? `cannot be asked (${code || message})` : `${words} (${code})` }
}

function quoteOf(text: string | null): string {
  const quoted = JSON.stringify(text)
  return quoted.length > 60 ? `${quoted.slice(0, 57)}..."` : quoted
}
