// The link's transport: JSON lines, and socket handles beside some of them, over a named Unix socket between
// unrelated Node processes. Both ends are here; what the lines mean is in messages.ts.

import { renameSync } from 'node:fs'
import type { Socket } from 'node:net'

import type { SocketHandle } from './handle.ts'
import { bindPath, createIpcPipe, socketOn, writeLine, type IpcPipe } from './ipc-pipe.ts'

export { probeLinkInternals } from './ipc-pipe.ts'

/** One end of a connection. Messages arrive in the order in which they were sent, each with its handle. */
export interface Channel<In, Out> {
  /** Queues a message. After the end of the connection it does nothing; a handle is closed by whoever owns it. */
  send(message: Out, handle?: SocketHandle): void
  /** Set both before the next turn of the loop. A message that needs no handle has `undefined`. */
  onMessage: (message: In, handle: SocketHandle | undefined) => void
  onEnd: () => void
  /** Ends the connection; `onEnd` is not called. */
  close(): void
  /** Whether the connection alone keeps the process alive. */
  ref(): void
  unref(): void
}

/** Calls back with a connected channel, or the libuv error (negative errno). */
export type Dial = <In, Out>(path: string, done: (error: number, channel: Channel<In, Out> | null) => void) => void

export interface ChannelServer {
  close(): void
}

/** Binds to a temporary name and renames it onto `path`, so that no dialler meets a dead socket. */
export type Listen = <In, Out>(path: string, onChannel: (channel: Channel<In, Out>) => void) => ChannelServer

/** A longer line ends the connection, and so does a peer that leaves more than this unread. */
export const MAX_LINE_LENGTH = 16 * 1024 * 1024

/** Begins a line that has a handle beside it. No JSON does. */
const WITH_HANDLE = '+'

export const dial: Dial = <In, Out>(path: string, done: (error: number, channel: Channel<In, Out> | null) => void) => {
  const pipe = createIpcPipe()
  const socket = socketOn(pipe, false)
  const refused = (error: NodeJS.ErrnoException) => done(error.errno ?? -1, null)
  socket.once('error', refused)
  socket.once('connect', () => {
    socket.off('error', refused)
    done(0, new PipeChannel<In, Out>(pipe, socket))
  })
  socket.connect({ path })
}

export const listen: Listen = <In, Out>(path: string, onChannel: (channel: Channel<In, Out>) => void) => {
  const temporary = `${path}.${process.pid}`
  const server = bindPath(temporary)
  server.onconnection = (status, accepted) => {
    if (status !== 0 || accepted === undefined) return
    // Node accepts no IPC pipe, so a second one is opened on the same descriptor. Only that one is ever closed: closing
    // both would close whatever else has the number by then.
    accepted.unref()
    const pipe = createIpcPipe(accepted.fd)
    onChannel(new PipeChannel<In, Out>(pipe, socketOn(pipe, true)))
  }
  try {
    const errno = server.listen(511)
    if (errno !== 0) throw new Error(`Cannot listen on "${path}": error ${errno}`)
    renameSync(temporary, path)
  } catch (error) {
    // The temporary name would be taken the next time.
    server.close()
    throw error
  }
  return server
}

class PipeChannel<In, Out> implements Channel<In, Out> {
  onMessage: (message: In, handle: SocketHandle | undefined) => void = () => {}
  onEnd: () => void = () => {}
  readonly #pipe: IpcPipe
  readonly #socket: Socket
  readonly #received: SocketHandle[] = []
  /** Pieces of a line whose end has not come. */
  #begun: string[] = []
  #begunLength = 0
  #open = true
  readonly #fail = () => void this.#socket.destroy()

  constructor(pipe: IpcPipe, socket: Socket) {
    this.#pipe = pipe
    this.#socket = socket
    this.#collectHandles()
    socket.setEncoding('utf8')
    socket.on('error', this.#fail)
    socket.on('close', () => this.#ended())
    socket.on('data', (text) => this.#read(String(text)))
  }

  send(message: Out, handle?: SocketHandle): void {
    if (!this.#open) return
    const line = `${handle === undefined ? '' : WITH_HANDLE}${JSON.stringify(message)}\n`
    const errno = writeLine(this.#pipe, line, handle, this.#fail)
    if (errno < 0 || this.#pipe.writeQueueSize > MAX_LINE_LENGTH) this.#fail()
  }

  close(): void {
    this.#open = false
    this.#socket.destroy()
  }

  ref(): void {
    this.#socket.ref()
  }

  unref(): void {
    this.#socket.unref()
  }

  /** Each read may bring a handle, which the next read would overwrite: it is taken before the stream sees the bytes. */
  #collectHandles(): void {
    const { onread } = this.#pipe
    const received = this.#received
    this.#pipe.onread = function collect(bytes) {
      const handle = this.pendingHandle
      if (handle) {
        this.pendingHandle = null
        received.push(handle)
      }
      return onread.call(this, bytes)
    }
  }

  #read(text: string): void {
    let from = 0
    for (let to = text.indexOf('\n'); to >= 0 && this.#open; to = text.indexOf('\n', from)) {
      this.#begun.push(text.slice(from, to))
      const line = this.#begun.join('')
      this.#begun = []
      this.#begunLength = 0
      from = to + 1
      if (line.length > MAX_LINE_LENGTH || !this.#take(line)) return this.#fail()
    }
    this.#begun.push(text.slice(from))
    this.#begunLength += text.length - from
    if (this.#begunLength > MAX_LINE_LENGTH) return this.#fail()
    this.#closeUnclaimed()
  }

  /** Returns whether the line is one of ours. */
  #take(line: string): boolean {
    const announced = line.startsWith(WITH_HANDLE)
    const handle = announced ? this.#received.shift() : undefined
    // What a line means is between the peer and us; its protocol's version is checked with `hello`.
    const message: In = parse(announced ? line.slice(WITH_HANDLE.length) : line)
    if (typeof message !== 'object' || message === null || (announced && handle === undefined)) {
      handle?.close()
      return false
    }
    this.onMessage(message, handle)
    return true
  }

  /** A handle comes with its line's first byte at the latest, so one that is left over without such a line is nobody's. */
  #closeUnclaimed(): void {
    const expected = this.#begun.some((part) => part !== '') && this.#firstBegun() === WITH_HANDLE ? 1 : 0
    while (this.#received.length > expected) this.#received.shift()?.close()
  }

  #firstBegun(): string | undefined {
    return this.#begun.find((part) => part !== '')?.[0]
  }

  #ended(): void {
    const wasOpen = this.#open
    this.#open = false
    for (const handle of this.#received.splice(0)) handle.close()
    if (wasOpen) this.onEnd()
  }
}

function parse(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
