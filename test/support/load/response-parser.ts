// Reads HTTP/1.1 answers from the bytes of one connection. Its own reading, so that no library forgives what a client would
// suffer from: it says exactly how far an answer had come.

export interface ResponseHead {
  readonly status: number
  readonly minorVersion: number
  /** Null when the body is chunked or goes on to the end of the connection. */
  readonly contentLength: number | null
  readonly isChunked: boolean
  readonly willClose: boolean
  readonly pid: string | null
  readonly release: string | null
  readonly requestId: string | null
  readonly webSocketAccept: string | null
}

export interface ResponseListener {
  onHead(head: ResponseHead): void
  onBody(chunk: Buffer): void
  onEnd(): void
  /** No answer is due, or these bytes are none. Nothing is parsed after it. */
  onBroken(kind: 'extraBytes' | 'malformed', detail: string): void
  /** Asked before each answer's first byte. */
  isAnswerDue(): boolean
}

type State =
  | 'head'
  | 'lengthBody'
  | 'chunkSize'
  | 'chunkData'
  | 'chunkEnd'
  | 'trailers'
  | 'bodyToTheEnd'
  | 'upgraded'
  | 'broken'

const MOST_HEAD_BYTES = 65_536
const EMPTY = Buffer.alloc(0)

export class ResponseParser {
  readonly #listener: ResponseListener
  #state: State = 'head'
  #kept: Buffer = EMPTY
  #left = 0
  /** Bytes of the present answer so far. */
  bytesSeen = 0

  constructor(listener: ResponseListener) {
    this.#listener = listener
  }

  /** Bytes that came after a 101: they are no longer HTTP. */
  takeRest(): Buffer {
    const rest = this.#kept
    this.#kept = EMPTY
    return rest
  }

  feed(chunk: Buffer): void {
    let rest = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    this.#kept = EMPTY
    while (rest.length > 0) {
      const used = this.#step(rest)
      if (used === 0) {
        this.#kept = rest
        return
      }
      rest = used === rest.length ? EMPTY : rest.subarray(used)
    }
  }

  /** The server ended the connection. True when that is the proper end of the answer under way. */
  end(): boolean {
    if (this.#state !== 'bodyToTheEnd') return false
    this.#finish()
    return true
  }

  /** Bytes used of `rest`; 0 when more are needed. */
  #step(rest: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#head(rest)
      case 'lengthBody':
      case 'chunkData':
        return this.#counted(rest)
      case 'chunkSize':
        return this.#line(rest, (line) => this.#chunkSize(line))
      case 'chunkEnd':
        return this.#line(rest, (line) =>
          line === '' ? (this.#state = 'chunkSize') : this.#break('no line end after a chunk'),
        )
      case 'trailers':
        return this.#line(rest, (line) => (line === '' ? this.#finish() : undefined))
      case 'bodyToTheEnd':
        this.bytesSeen += rest.length
        this.#listener.onBody(rest)
        return rest.length
      case 'upgraded':
        return 0
      case 'broken':
        break
    }
    return rest.length
  }

  #head(rest: Buffer): number {
    if (!this.#listener.isAnswerDue()) {
      this.#state = 'broken'
      this.#listener.onBroken('extraBytes', JSON.stringify(rest.toString('latin1', 0, 80)))
      return rest.length
    }
    const end = rest.indexOf('\r\n\r\n', 0, 'latin1')
    this.bytesSeen = end === -1 ? rest.length : end + 4
    if (end === -1) {
      if (rest.length > MOST_HEAD_BYTES || !couldBeHead(rest)) {
        this.#break(JSON.stringify(rest.toString('latin1', 0, 80)))
        return rest.length
      }
      return 0
    }
    const head = parseHead(rest.toString('latin1', 0, end))
    if (head === null) {
      this.#break(JSON.stringify(rest.toString('latin1', 0, 80)))
      return rest.length
    }
    if (head.status === 101) this.#state = 'upgraded'
    else if (head.status < 200) return end + 4
    this.#listener.onHead(head)
    if (this.#state === 'head') this.#beginBody(head)
    return end + 4
  }

  #beginBody(head: ResponseHead): void {
    if (head.status === 204 || head.status === 304 || head.contentLength === 0) return this.#finish()
    this.#left = head.contentLength ?? 0
    if (head.isChunked) this.#state = 'chunkSize'
    else this.#state = head.contentLength === null ? 'bodyToTheEnd' : 'lengthBody'
  }

  #counted(rest: Buffer): number {
    const used = Math.min(this.#left, rest.length)
    this.bytesSeen += used
    this.#left -= used
    this.#listener.onBody(used === rest.length ? rest : rest.subarray(0, used))
    if (this.#left > 0) return used
    if (this.#state === 'chunkData') this.#state = 'chunkEnd'
    else this.#finish()
    return used
  }

  #chunkSize(line: string): void {
    this.#left = Number.parseInt(line, 16)
    if (!/^[0-9a-f]+/i.test(line)) return this.#break(`chunk size ${JSON.stringify(line.slice(0, 40))}`)
    this.#state = this.#left === 0 ? 'trailers' : 'chunkData'
  }

  #line(rest: Buffer, take: (line: string) => void): number {
    const end = rest.indexOf('\r\n', 0, 'latin1')
    if (end === -1) return 0
    this.bytesSeen += end + 2
    take(rest.toString('latin1', 0, end))
    return end + 2
  }

  #finish(): void {
    this.#state = 'head'
    this.#listener.onEnd()
    this.bytesSeen = 0
  }

  #break(detail: string): void {
    this.#state = 'broken'
    this.#listener.onBroken('malformed', detail)
  }
}

function couldBeHead(start: Buffer): boolean {
  return 'HTTP/1.'.startsWith(start.toString('latin1', 0, 7))
}

function parseHead(text: string): ResponseHead | null {
  const status = Number(text.slice(9, 12))
  if (!text.startsWith('HTTP/1.') || text[8] !== ' ' || !(status >= 100 && status < 1_000)) return null
  const minorVersion = text[7] === '0' ? 0 : 1
  let contentLength: number | null = null
  let isChunked = false
  let connection = ''
  let pid: string | null = null
  let release: string | null = null
  let requestId: string | null = null
  let webSocketAccept: string | null = null
  for (let start = text.indexOf('\r\n'); start !== -1;) {
    const next = text.indexOf('\r\n', start + 2)
    const colon = text.indexOf(':', start + 2)
    const value = text.slice(colon + 1, next === -1 ? undefined : next).trim()
    switch (text.slice(start + 2, colon).toLowerCase()) {
      case 'content-length':
        contentLength = Number(value)
        break
      case 'transfer-encoding':
        isChunked = value.toLowerCase() === 'chunked'
        break
      case 'connection':
        connection = value.toLowerCase()
        break
      case 'x-pid':
        pid = value
        break
      case 'x-release':
        release = value
        break
      case 'x-request-id':
        requestId = value
        break
      case 'sec-websocket-accept':
        webSocketAccept = value
        break
      default:
    }
    start = next
  }
  const willClose = connection === 'close' || (minorVersion === 0 && connection !== 'keep-alive')
  return { status, minorVersion, contentLength, isChunked, willClose, pid, release, requestId, webSocketAccept }
}
