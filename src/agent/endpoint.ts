// A worker's private endpoint: a Unix socket of its own whose connections become connections of the app's server. Health
// probes of this one worker come through it, and smoke tests of a group that has no public traffic.

import { unlinkSync } from 'node:fs'
import net, { type Server, type Socket } from 'node:net'

/** Node 22 cuts off what is longer, and binds another path. */
const MAX_PATH_BYTES = 107

/** HTTP/2 with prior knowledge begins with `PRI * HTTP/2.0`. */
const HTTP2_PREFACE = 'PRI'

/** Paths that are bound. One listener for the process's end serves all: Node warns of more than ten. */
const bound = new Set<string>()

function unlinkAll(): void {
  for (const path of bound) unlinkQuietly(path)
}

export interface Endpoint {
  readonly path: string
  close(): void
}

/** Opens the endpoint of a server, or says why there is none. */
export function openEndpoint(server: Server, path: string): Endpoint | string {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `its path "${path}" is longer than ${MAX_PATH_BYTES} bytes`
  const endpoint = net.createServer({ allowHalfOpen: true }, (socket) => awaitFirstBytes(socket, endpoint, server))
  let refused = ''
  endpoint.on('error', (error) => (refused = error.message))
  // In a cluster worker, what is not exclusive would be asked of the primary.
  endpoint.listen({ path, exclusive: true })
  endpoint.unref()
  if (!endpoint.listening) return `"${path}" cannot be bound ${refused}`
  if (bound.size === 0) process.on('exit', unlinkAll)
  bound.add(path)
  return {
    path,
    close() {
      bound.delete(path)
      if (bound.size === 0) process.off('exit', unlinkAll)
      endpoint.close()
    },
  }
}

/** Until the app's server has the connection, nobody else listens for its errors. */
function ignore(): void {}

/** Its first bytes tell what a connection speaks, which TLS would have told the app's server. */
function awaitFirstBytes(socket: Socket, endpoint: Server, server: Server): void {
  socket.on('error', ignore)
  const end = () => socket.destroy()
  socket.on('end', end)
  const read = () => {
    const bytes: Buffer | null = socket.read()
    if (bytes === null) return
    socket.off('readable', read)
    socket.off('end', end)
    socket.unshift(bytes)
    // The stream leaves its paused mode only after this tick.
    setImmediate(() => {
      socket.off('error', ignore)
      if (!socket.destroyed) adopt(socket, bytes, endpoint, server)
    })
  }
  socket.on('readable', read)
}

/** Makes a connection of the endpoint one of the app's server: the one place where a preamble would be read first. */
function adopt(socket: Socket, firstBytes: Buffer, endpoint: Server, server: Server): void {
  moveCount(socket, endpoint, server)
  socket.allowHalfOpen = Reflect.get(server, 'allowHalfOpen') === true
  const isTls = Reflect.has(server, 'setSecureContext')
  if (isTls) {
    const isHttp2 = firstBytes.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE
    Object.assign(socket, { encrypted: true, authorized: false, alpnProtocol: isHttp2 ? 'h2' : 'http/1.1' })
  }
  server.emit(isTls ? 'secureConnection' : 'connection', socket)
  // What was read ahead may have stopped the handle, and HTTP/2 takes the handle without starting it again.
  if (Reflect.has(server, 'updateSettings')) {
    const handle: { readStart?(): void } | null | undefined = Reflect.get(socket, '_handle')
    handle?.readStart?.()
  }
}

/** The connection counts as the server's own, so that its `close()` waits for it. */
function moveCount(socket: Socket, from: Server, to: Server): void {
  addToCount(from, -1)
  addToCount(to, 1)
  Reflect.set(socket, '_server', to)
  Reflect.set(socket, 'server', to)
}

function addToCount(server: Server, change: number): void {
  const count: number = Reflect.get(server, '_connections')
  Reflect.set(server, '_connections', count + change)
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already, or the supervisor removes it.
  }
}
