// The end of a connection in two steps: FIN, then reading on and dropping what comes until the peer closes too.
// Closing at once would answer late bytes with a reset, and a reset takes back what the peer has not read yet.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import type { Connection } from './connections.ts'
import { parserOf, replaceMethod, type HttpParser } from './node-internals.ts'

/** A peer that has been silent for so long after our FIN is left alone. */
const LINGER_MS = 2000
/** One that goes on sending is read for so long. */
const LONGEST_LINGER_MS = 10 * LINGER_MS

/** A WebSocket's peer has this long to answer our close frame. */
const CLOSE_HANDSHAKE_MS = 500

/** Unmasked, as all frames of a server are: 1001 is "going away". */
const CLOSE_FRAME = closeFrame(1001, 'the server is going away')

export function linger(connection: Connection): void {
  const { socket } = connection
  if (connection.phase === 'lingering' || socket.destroyed) return
  startLinger(connection)

  const parser = parserOf(socket)
  if (parser !== null) parser.onIncoming = discardMessage
  else socket.resume()
  stopTimeout(socket)
  socket.end()
}

/** Any stream can be a connection: `emit('connection', stream)` is documented. */
export function stopTimeout(socket: Partial<Pick<Socket, 'setTimeout'>>): void {
  socket.setTimeout?.(0)
}

/** For a connection whose FIN somebody else has sent. */
export function startLinger(connection: Connection): void {
  connection.phase = 'lingering'
  connection.lingerSince = performance.now()
  connection.quietSince = connection.lingerSince
  connection.bytesSeen = connection.socket.bytesRead
}

export function isLingerOver(connection: Connection, now: number): boolean {
  const { socket } = connection
  const isRead = socket.bytesRead !== connection.bytesSeen && now - connection.lingerSince < LONGEST_LINGER_MS
  if (isRead || !socket.writableFinished) {
    connection.bytesSeen = socket.bytesRead
    connection.quietSince = now
    return false
  }
  return now - connection.quietSince >= LINGER_MS
}

/** Ends what the app believes to be open: nothing that it writes from now on may throw at it. */
export function endForApp(stream: Duplex): void {
  stream.on('error', () => {})
  stream.end()
  replaceMethod(stream, 'write', swallowWrite)
  replaceMethod(stream, 'end', swallowEnd)
}

/** As `endForApp`, after the close frame and the peer's answer to it: a FIN before that looks like an accident to some. */
export function closeWebSocket(stream: Duplex): void {
  const end = stream.end.bind(stream)
  const finish = () => {
    clearTimeout(giveUp)
    end()
    replaceMethod(stream, 'end', swallowEnd)
  }
  const giveUp = setTimeout(finish, CLOSE_HANDSHAKE_MS).unref()
  stream.on('error', () => {})
  if (stream.writable) stream.write(CLOSE_FRAME)
  replaceMethod(stream, 'write', swallowWrite)
  // The app's WebSocket library ends the socket when it reads the answer.
  replaceMethod(stream, 'end', function (this: Duplex, ...args: unknown[]) {
    finish()
    return swallowEnd.apply(this, args)
  })
}

type Done = (error?: Error | null) => void

function swallowWrite(_chunk: unknown, encoding?: unknown, done?: Done): boolean {
  const callback = typeof encoding === 'function' ? (encoding as Done) : done
  if (callback !== undefined) process.nextTick(callback, null)
  return true
}

function swallowEnd(this: Duplex, ...args: unknown[]): Duplex {
  const callback = args.findLast((argument) => typeof argument === 'function') as Done | undefined
  if (callback !== undefined) process.nextTick(callback, null)
  return this
}

/** Takes the place of Node's own `onIncoming`: 0 is "no special treatment". */
const discardMessage: NonNullable<HttpParser['onIncoming']> = (request) => {
  request.upgrade = false
  request._dump?.()
  return 0
}

function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.from(`  ${reason}`)
  payload.writeUInt16BE(code)
  return Buffer.concat([Buffer.from([0x88, payload.length]), payload])
}
