// Node's IPC pipes, used between unrelated processes: the one place that knows Node's undocumented names for them.
// None of it goes through `process.binding`, which warns under some flags and throws under others.

import net from 'node:net'

import type { SocketHandle } from './handle.ts'

/** Node's `Pipe` of type IPC, as far as the link touches it. */
export interface IpcPipe {
  readonly fd: number
  /** Bytes that the kernel has not taken yet. */
  readonly writeQueueSize: number
  /** The handle that came with the bytes just read. */
  pendingHandle: SocketHandle | null
  onread: (this: IpcPipe, bytes: ArrayBuffer | undefined) => unknown
  open(fd: number): number
  unref(): void
  close(): void
  writeUtf8String(request: WriteRequest | null, text: string, handle?: SocketHandle): number | WriteRequest
}

interface WriteRequest {
  oncomplete: ((status: number) => void) | undefined
}

interface Internals {
  readonly Pipe: new (type: number) => IpcPipe
  /** Null where `writeUtf8String` makes the request itself (Node 26). */
  readonly WriteRequest: (new () => WriteRequest) | null
}

/** `PipeConstants.IPC`. */
const IPC = 2

type CreateServerHandle = (address: string, port: number, addressType: number) => SocketHandle | number

// Not in the type definitions; node:cluster binds its shared handles with the same function.
const createServerHandle: CreateServerHandle | undefined = Reflect.get(net, '_createServerHandle')

let internals: Internals | string | undefined

function findInternals(): Internals | string {
  try {
    return (internals ??= lookForInternals())
  } catch (error) {
    return (internals = `IPC pipes (${error instanceof Error ? error.message : String(error)})`)
  }
}

function lookForInternals(): Internals | string {
  if (typeof createServerHandle !== 'function') return 'net._createServerHandle'
  const Pipe = pipeClass()
  if (Pipe === undefined) return 'handle of a connecting net.Socket'
  const pipe = new Pipe(IPC)
  pipe.close()
  const missing = ['open', 'writeUtf8String', 'readStart', 'unref', 'onread'].find((name) => !(name in pipe))
  if (missing !== undefined) return `"${missing}" of an IPC pipe`
  const WriteRequest = writeRequestClass()
  return WriteRequest === undefined ? 'write request of a net.Socket' : { Pipe, WriteRequest }
}

/** A socket that connects to a path has its handle at once, whatever becomes of the connection. */
function pipeClass(): Internals['Pipe'] | undefined {
  const socket = new net.Socket()
  socket.on('error', () => {})
  socket.connect({ path: '/dev/null' })
  const handle: { readonly constructor: Internals['Pipe'] } | null | undefined = Reflect.get(socket, '_handle')
  socket.destroy()
  return handle?.constructor
}

/** A socket with a handle of our own shows what it passes to a real one. */
function writeRequestClass(): Internals['WriteRequest'] | undefined {
  let seen: Internals['WriteRequest'] | undefined
  const handle = {
    close() {},
    writeUtf8String(request: { readonly constructor: new () => WriteRequest } | null) {
      seen = request === null ? null : request.constructor
      return 0
    },
  }
  const socket = socketOn(handle, false)
  socket.on('error', () => {})
  socket.write('probe')
  socket.destroy()
  return seen
}

/** A stream on a handle; it reads at once when that is connected. */
export function socketOn(handle: object, connected: boolean): net.Socket {
  // `handle` and `manualStart` are Node's own, and not in the type definitions.
  const options: object = { handle, manualStart: !connected }
  return new net.Socket(options)
}

/** What this Node lacks that the link needs; null when nothing is missing. */
export function probeLinkInternals(): string | null {
  const found = findInternals()
  return typeof found === 'string' ? found : null
}

/** An IPC pipe: unconnected, or on a connected Unix socket's descriptor. */
export function createIpcPipe(fd?: number): IpcPipe {
  const found = findInternals()
  if (typeof found === 'string') throw new Error(`Cannot open a link: this Node has no ${found}`)
  const pipe = new found.Pipe(IPC)
  const errno = fd === undefined ? 0 : pipe.open(fd)
  if (errno !== 0) throw new Error(`Cannot open a link: descriptor ${fd} gave error ${errno}`)
  return pipe
}

/**
 * Writes at once, past the stream's own queue: what the process says in its `exit` event must leave it.
 * Returns a negative errno, or 0; a failure that shows later goes to `failed`.
 */
export function writeLine(pipe: IpcPipe, line: string, handle: SocketHandle | undefined, failed: () => void): number {
  const found = findInternals()
  if (typeof found === 'string') return -1
  const made = found.WriteRequest === null ? null : new found.WriteRequest()
  const result = handle === undefined ? pipe.writeUtf8String(made, line) : pipe.writeUtf8String(made, line, handle)
  const request = made ?? (typeof result === 'number' ? null : result)
  if (request !== null) request.oncomplete = (status) => status < 0 && failed()
  return typeof result === 'number' ? result : 0
}

/** Binds a Unix socket without listening; throws where that is refused. */
export function bindPath(path: string): SocketHandle {
  if (createServerHandle === undefined) throw new Error('Cannot open a link: this Node has no net._createServerHandle')
  // Node 22 cuts a longer path off silently and binds another one.
  if (Buffer.byteLength(path) > 107) throw new Error(`Cannot listen on "${path}": it is longer than 107 bytes`)
  const handle = createServerHandle(path, -1, -1)
  if (typeof handle === 'number') throw new Error(`Cannot listen on "${path}": error ${handle}`)
  return handle
}
