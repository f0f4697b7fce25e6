// A worker's private endpoint: a Unix socket of its own whose connections become connections of the app's server. Through
// it come health probes of this one worker, smoke tests of a group that has no public traffic, and requests of clients of
// the other group's workers.

import { unlinkSync } from 'node:fs'
import net, { type Server, type Socket } from 'node:net'

import { readPreamble, wearFacts, type ClientFacts } from './client-facts.ts'
import { HOP_BYTES } from './hop-header.ts'
import { moveToServer, startReading, withRoomForHeader } from './node-internals.ts'
import { markPrivate } from './private-connections.ts'
import { expectForwarded } from './route-state.ts'

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

/** Its first bytes tell who is there: another worker, which introduces its client, or a probe. */
function awaitFirstBytes(socket: Socket, endpoint: Server, server: Server): void {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('error', ignore)
  const end = () => void socket.destroy()
  socket.on('end', end)
  const read = () => {
    const more: Buffer | null = socket.read()
    if (more === null) return
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more])
    const preamble = readPreamble(bytes)
    if (preamble.state === 'incomplete') return
    if (preamble.state === 'broken') return end()
    socket.off('readable', read)
    socket.off('end', end)
    const rest = preamble.state === 'read' ? preamble.rest : bytes
    if (rest.length > 0) socket.unshift(rest)
    // The stream leaves its paused mode only after this tick.
    setImmediate(() => {
      socket.off('error', ignore)
      if (socket.destroyed) return
      if (preamble.state === 'read') introduce(socket, preamble.facts)
      else if (Reflect.has(server, 'setSecureContext')) introduceProbe(socket, rest)
      markPrivate(socket, preamble.state === 'read' ? 'client' : 'probe')
      adopt(socket, endpoint, server)
    })
  }
  socket.on('readable', read)
}

function introduce(socket: Socket, facts: ClientFacts): void {
  expectForwarded()
  wearFacts(socket, facts)
}

/** What TLS would have told the app's server. */
function introduceProbe(socket: Socket, firstBytes: Buffer): void {
  const isHttp2 = firstBytes.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE
  Object.assign(socket, { encrypted: true, authorized: false, alpnProtocol: isHttp2 ? 'h2' : 'http/1.1' })
}

/** Makes a connection of the endpoint one of the app's server, which counts it as its own: its `close()` waits for it. */
function adopt(socket: Socket, endpoint: Server, server: Server): void {
  moveToServer(socket, endpoint, server)
  socket.allowHalfOpen = Reflect.get(server, 'allowHalfOpen') === true
  const event = Reflect.has(server, 'setSecureContext') ? 'secureConnection' : 'connection'
  withRoomForHeader(server, HOP_BYTES, () => server.emit(event, socket))
  // What was read ahead may have stopped the handle, and HTTP/2 takes the handle without starting it again.
  if (Reflect.has(server, 'updateSettings')) startReading(socket)
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already, or the supervisor removes it.
  }
}
