// One place in a lane of WebSockets: shakes hands, sends a text, waits for the same text, pauses. The handshake counts as a
// request, and each echo too. How a connection ended is kept by close code; 1006 is an end without a close frame.

import { randomBytes } from 'node:crypto'
import type net from 'node:net'
import { Http1Connection, type ConnectionOwner, type Exchange } from './http1-connection.ts'
import { nameOf, type Lane } from './options.ts'
import { codeOf, type FailureContext, type FailureKind } from './outcome.ts'
import type { ResponseHead } from './response-parser.ts'
import type { Run, Sweepable } from './run.ts'
import { acceptFor, readFrame, writeFrame, type Frame } from './websocket-frames.ts'

const AFTER_CLOSE_MS = 20
const CLOSED_WITHOUT_CODE = 1005
const CLOSED_ABNORMALLY = 1006

export class WebSocketSlot implements ConnectionOwner, Sweepable {
  readonly #run: Run
  readonly #lane: Lane
  readonly #name: string
  #connection: Http1Connection | null = null
  #socket: net.Socket | null = null
  #key = ''
  #handshakeAt = 0
  #bytes: Buffer = Buffer.alloc(0)
  #echo: { readonly text: string; readonly sentAt: number } | null = null
  #echoes = 0
  #head: ResponseHead | null = null

  constructor(run: Run, lane: Lane) {
    this.#run = run
    this.#lane = lane
    this.#name = nameOf(lane)
  }

  start(): void {
    this.#run.watch(this)
    this.#run.atEnd(() => this.#leave())
    this.#run.next(() => this.#connect())
  }

  sweep(now: number): void {
    if (this.#socket === null) return this.#connection?.sweep(now, this.#run.timeoutMs)
    if (this.#echo !== null && now - this.#echo.sentAt > this.#run.timeoutMs) this.#broke('timedOut', 'no echo')
  }

  onConnected(connection: Http1Connection): void {
    const { path, target, headers } = this.#lane
    const host = 'path' in target ? 'localhost' : `${target.host}:${target.port}`
    const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${this.#key}\r\n`
    connection.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${upgrade}${own.join('')}\r\n`, [
      { id: '', sentAt: connection.openedAt, expect: 'anything', status: 101 },
    ])
  }

  onAnswer(connection: Http1Connection, _exchange: Exchange, head: ResponseHead): void {
    this.#fail('unexpectedStatus', `status ${head.status} instead of 101`, connection.context())
    connection.close()
    this.#again()
  }

  onFailure(connection: Http1Connection, kind: FailureKind, detail: string): void {
    this.#fail(kind, `handshake: ${detail}`, connection.context())
  }

  onOver(connection: Http1Connection, why: string): void {
    if (this.#connection === connection) this.#connection = null
    if (why === 'failed') this.#again()
  }

  onLingered(): void {}

  onUpgraded(connection: Http1Connection, head: ResponseHead, rest: Buffer): void {
    const { socket } = connection
    this.#socket = socket
    this.#head = head
    this.#bytes = rest
    this.#echoes = 0
    // The end of an earlier socket may come after its close frame, when the next one is open already.
    const broke = (kind: FailureKind, detail: string) => this.#socket === socket && this.#broke(kind, detail)
    socket.on('data', (chunk: Buffer) => this.#socket === socket && this.#read(chunk))
    socket.on('end', () => broke('emptyReply', 'ended without a close frame'))
    socket.on('error', (error) => broke('reset', codeOf(error)))
    socket.on('close', () => broke('reset', 'closed'))
    if (head.webSocketAccept !== acceptFor(this.#key)) return this.#broke('malformed', 'wrong Sec-WebSocket-Accept')
    this.#run.recorder.succeeded(this.#name, this.#handshakeAt, head.pid, head.release)
    this.#run.later(this.#thinkMs(), () => this.#send())
    this.#run.left()
    this.#read(Buffer.alloc(0))
  }

  #connect(): void {
    this.#run.entered()
    this.#key = randomBytes(16).toString('base64')
    this.#handshakeAt = performance.now()
    this.#run.recorder.connection(this.#name, 'opened')
    this.#connection = new Http1Connection(this, this.#lane.target, this.#lane.tls)
  }

  #send(): void {
    // It closed while we paused: a new connection is on its way.
    if (this.#socket === null || this.#echo !== null) return
    this.#run.entered()
    this.#echo = { text: `echo ${++this.#echoes}`, sentAt: performance.now() }
    this.#socket.write(writeFrame('text', Buffer.from(this.#echo.text)))
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (let next = readFrame(this.#bytes); next !== null && this.#socket !== null; next = readFrame(this.#bytes)) {
      this.#bytes = this.#bytes.subarray(next.length)
      this.#take(next.frame)
    }
  }

  #take(frame: Frame): void {
    if (frame.opcode === 'ping') this.#socket?.write(writeFrame('pong', frame.payload))
    if (frame.opcode === 'close') this.#closed(frame.payload)
    if (frame.opcode === 'text') this.#echoed(frame.payload.toString())
  }

  #echoed(text: string): void {
    const echo = this.#echo
    if (echo === null) return this.#broke('extraBytes', `"${text}" without having asked`)
    if (text !== echo.text) return this.#broke('wrongBody', `"${text}" for "${echo.text}"`)
    this.#echo = null
    this.#run.recorder.succeeded(this.#name, echo.sentAt, this.#head?.pid ?? null, this.#head?.release ?? null)
    this.#run.later(this.#thinkMs(), () => this.#send())
    this.#run.left()
  }

  #closed(payload: Buffer): void {
    this.#run.recorder.webSocketClosed(payload.length >= 2 ? payload.readUInt16BE(0) : CLOSED_WITHOUT_CODE)
    const wasUnderWay = this.#echo !== null
    if (wasUnderWay) this.#run.recorder.webSocketCut++
    this.#socket?.end(writeFrame('close', payload.subarray(0, 2)))
    this.#over(wasUnderWay)
  }

  #broke(kind: FailureKind, detail: string): void {
    if (this.#socket === null) return
    const wasUnderWay = this.#echo !== null
    this.#run.recorder.webSocketClosed(CLOSED_ABNORMALLY)
    this.#fail(wasUnderWay || kind === 'malformed' ? kind : 'abnormalClose', detail, {
      connectionAgeMs: Math.round(performance.now() - this.#handshakeAt),
      idleBeforeMs: null,
      requestsBefore: this.#echoes,
      bytesSeen: this.#bytes.length,
      localPort: this.#socket.localPort ?? null,
    })
    this.#socket.destroy()
    this.#over(wasUnderWay || kind === 'malformed')
  }

  #over(wasUnderWay: boolean): void {
    this.#socket = null
    this.#echo = null
    if (wasUnderWay) this.#again()
    else this.#run.later(AFTER_CLOSE_MS, () => this.#connect())
  }

  #again(): void {
    this.#run.later(AFTER_CLOSE_MS, () => this.#connect())
    this.#run.left()
  }

  #fail(kind: FailureKind, detail: string, context: FailureContext): void {
    this.#run.recorder.failedWith(this.#name, kind, detail, context)
  }

  #thinkMs(): number {
    const [least, most] = this.#lane.thinkMs
    return most === 0 ? 0 : least + Math.random() * (most - least)
  }

  #leave(): void {
    this.#run.unwatch(this)
    const socket = this.#socket
    this.#socket = null
    socket?.end(writeFrame('close', Buffer.from([0x03, 0xe8])))
    socket?.destroySoon()
    this.#connection?.close()
  }
}
