// The little of RFC 6455 that a client of short texts needs: frames there and back.

import { createHash, randomBytes } from 'node:crypto'

export interface Frame {
  readonly opcode: 'text' | 'close' | 'ping' | 'other'
  readonly payload: Buffer
}

const OPCODES = { 1: 'text', 8: 'close', 9: 'ping' } as const
const CODES = { text: 1, close: 8, pong: 10 } as const

/** A whole frame at the start of `bytes` and how long it is; null when more bytes are needed. */
export function readFrame(bytes: Buffer): { frame: Frame; length: number } | null {
  if (bytes.length < 2) return null
  const short = bytes.readUInt8(1) & 0x7f
  const headLength = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < headLength) return null
  const size = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  const length = headLength + size
  if (bytes.length < length) return null
  const code = bytes.readUInt8(0) & 0x0f
  const opcode = code === 1 || code === 8 || code === 9 ? OPCODES[code] : 'other'
  return { frame: { opcode, payload: bytes.subarray(headLength, length) }, length }
}

/** A frame of at most 65,535 bytes, masked as a client must. */
export function writeFrame(opcode: keyof typeof CODES, payload: Buffer): Buffer {
  const mask = randomBytes(4)
  const head = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4)
  head.writeUInt8(0x80 | CODES[opcode], 0)
  head.writeUInt8(0x80 | Math.min(payload.length, 126), 1)
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2)
  const masked = payload.map((byte, place) => byte ^ (mask[place % 4] ?? 0))
  return Buffer.concat([head, mask, masked])
}

export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}
