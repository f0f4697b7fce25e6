// An HTTP/2 client that speaks frames, so that it can send a stream at exactly the wrong moment.

import type { Client } from './client.ts'

const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const ACK = 1
const END_STREAM = 1
const END_STREAM_AND_HEADERS = 5
const END_HEADERS = 4

export class Http2Client {
  /** Last stream ids of the GOAWAYs so far. */
  readonly goaways: number[] = []
  readonly done = new Set<number>()
  readonly reset: number[] = []
  readonly data = new Map<number, Buffer>()
  dataBytes = 0
  onGoaway: () => void = () => {}
  #rest = Buffer.alloc(0)
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
    client.socket.removeAllListeners('data')
    client.socket.on('data', (data: Buffer) => this.#read(data))
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    this.#send(SETTINGS, 0, 0)
  }

  get(stream: number, path: string): void {
    const name = Buffer.from(path)
    // Indexed `:method: GET` and `:scheme: http`, then literal `:path` and `:authority`.
    const block = Buffer.concat([Buffer.from([0x82, 0x86, 0x04, name.length]), name, Buffer.from([0x41, 1, 0x61])])
    this.#send(HEADERS, END_STREAM_AND_HEADERS, stream, block)
  }

  /** Extended CONNECT: a WebSocket over HTTP/2. */
  openWebSocket(stream: number): void {
    const fields = [
      literal(':method', 'CONNECT'),
      literal(':protocol', 'websocket'),
      literal(':scheme', 'http'),
      literal(':path', '/ws'),
      literal(':authority', 'a'),
    ]
    this.#send(HEADERS, END_HEADERS, stream, Buffer.concat(fields))
  }

  endStream(stream: number): void {
    this.#send(DATA, END_STREAM, stream)
  }

  widenWindows(): void {
    this.#send(SETTINGS, 0, 0, Buffer.from([0, 4, 0x7f, 255, 255, 255]))
    this.#send(WINDOW_UPDATE, 0, 0, Buffer.from([0x7f, 0xff, 0, 0]))
  }

  #send(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head[3] = type
    head[4] = flags
    head.writeUInt32BE(stream, 5)
    this.#client.write(Buffer.concat([head, payload]))
  }

  #read(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data])
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      const frame = this.#rest
      this.#rest = frame.subarray(9 + length)
      this.#handle(frame.readUInt8(3), frame.readUInt8(4), frame.readUInt32BE(5), frame.subarray(9, 9 + length))
    }
  }

  #handle(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === DATA) {
      this.dataBytes += payload.length
      this.data.set(stream, Buffer.concat([this.data.get(stream) ?? Buffer.alloc(0), payload.subarray(0, 1000)]))
    }
    if ((type === DATA || type === HEADERS) && flags & END_STREAM) this.done.add(stream)
    if (type === RST_STREAM) this.reset.push(stream)
    if (type === PING && !(flags & ACK)) this.#send(PING, ACK, 0, Buffer.from(payload))
    if (type === SETTINGS && !(flags & ACK)) this.#send(SETTINGS, ACK, 0)
    if (type === GOAWAY) {
      this.goaways.push(payload.readUInt32BE(0))
      this.onGoaway()
    }
  }
}

function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ])
}
