// A client that sees every byte: raw HTTP/1 over TCP or TLS, responses parsed strictly, never a retry.

import net from 'node:net'
import tls from 'node:tls'

import { sleep, until, type WorkerUnderTest } from './worker.ts'

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly isClose: boolean
}

export class Client {
  readonly socket: net.Socket
  bytes = Buffer.alloc(0)
  /** 1xx responses so far. */
  informational = 0
  endedAt: number | null = null
  closedAt: number | null = null
  error: string | null = null
  readonly ready: Promise<void>
  #lastByteAt = performance.now()

  constructor(port: number, isSecure: boolean, alpn: readonly string[] = ['http/1.1']) {
    const raw = net.connect(port, '127.0.0.1')
    const options = { socket: raw, rejectUnauthorized: false, ALPNProtocols: [...alpn] }
    this.socket = isSecure ? tls.connect(options) : raw
    this.socket.on('data', (data: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, data])
      this.#lastByteAt = performance.now()
    })
    this.socket.on('end', () => (this.endedAt = performance.now()))
    this.socket.on('close', () => (this.closedAt = performance.now()))
    const failed = (error: NodeJS.ErrnoException) => (this.error = error.code ?? error.message)
    this.socket.on('error', failed)
    raw.on('error', failed)
    this.ready = new Promise((resolve) => {
      this.socket.once(isSecure ? 'secureConnect' : 'connect', () => resolve())
      this.socket.once('close', () => resolve())
    })
  }

  get isOver(): boolean {
    return this.endedAt !== null || this.closedAt !== null
  }

  write(text: string | Buffer): void {
    this.socket.write(text)
  }

  /** The next response; throws with what came instead. */
  async response(isHead = false, ms = 12_000): Promise<Response> {
    let response: Response | null = null
    const isDecided = () => {
      response = this.#parse(isHead)
      return response !== null || this.closedAt !== null || this.error !== null
    }
    const isInTime = await until(isDecided, ms)
    if (response !== null) return response
    if (!isInTime) throw new Error('no response: time-out')
    const what = this.error ?? (this.bytes.length > 0 ? 'truncated' : 'closed without a reply')
    // On a machine that stands still for seconds, Node's own idle time-out may have been first.
    throw new Error(`no response: ${what}, ${Math.round(performance.now() - this.#lastByteAt)} ms after the last byte`)
  }

  async finished(ms = 8000): Promise<number> {
    if (!(await until(() => this.isOver, ms))) throw new Error('the connection was never closed')
    if (this.error !== null) throw new Error(`the connection was closed by ${this.error}`)
    return this.endedAt ?? this.closedAt ?? 0
  }

  async receive(text: string | number, ms = 6000): Promise<void> {
    const isThere = () => (typeof text === 'number' ? this.bytes.length >= text : this.bytes.includes(text))
    if (!(await until(isThere, ms))) throw new Error(`never received ${JSON.stringify(text)}`)
  }

  #parse(isHead: boolean): Response | null {
    const headEnd = this.bytes.indexOf('\r\n\r\n')
    if (headEnd < 0) return null
    const [statusLine = '', ...lines] = this.bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
    const status = Number(statusLine.split(' ')[1])
    const start = headEnd + 4
    if (status < 200 && status !== 101) {
      this.bytes = this.bytes.subarray(start)
      this.informational++
      return this.#parse(isHead)
    }
    const headers: Record<string, string> = {}
    for (const line of lines)
      headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.slice(line.indexOf(':') + 1).trim()
    const found =
      isHead || status === 304 || status === 101 ? { body: Buffer.alloc(0), end: start } : this.#body(headers, start)
    if (found === null) return null
    this.bytes = this.bytes.subarray(found.end)
    const isClose = (headers.connection ?? '').toLowerCase() === 'close'
    return { status, headers, body: Buffer.from(found.body), isClose }
  }

  #body(headers: Readonly<Record<string, string>>, start: number): { body: Buffer; end: number } | null {
    if (headers['transfer-encoding'] === 'chunked') return this.#chunks(start)
    const length = headers['content-length']
    if (length === undefined) return this.isOver ? { body: this.bytes.subarray(start), end: this.bytes.length } : null
    const end = start + Number(length)
    return this.bytes.length < end ? null : { body: this.bytes.subarray(start, end), end }
  }

  #chunks(start: number): { body: Buffer; end: number } | null {
    const chunks: Buffer[] = []
    for (let at = start; ;) {
      const lineEnd = this.bytes.indexOf('\r\n', at)
      if (lineEnd < 0) return null
      const size = Number.parseInt(this.bytes.subarray(at, lineEnd).toString(), 16)
      const end = lineEnd + 2 + size
      if (this.bytes.length < end + 2) return null
      chunks.push(this.bytes.subarray(lineEnd + 2, end))
      at = end + 2
      if (size === 0) return { body: Buffer.concat(chunks), end: at }
    }
  }
}

export async function connect(worker: WorkerUnderTest, alpn?: readonly string[]): Promise<Client> {
  const client = new Client(worker.port, worker.isSecure, alpn)
  await client.ready
  return client
}

/** A keep-alive connection that has had one response and is idle now. */
export async function connectIdle(worker: WorkerUnderTest): Promise<Client> {
  const client = await connect(worker)
  client.write(get('/'))
  await client.response()
  await sleep(30)
  return client
}

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`
}

export function post(path: string, length: number, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${headers}\r\n${'y'.repeat(length)}`
}

export const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
