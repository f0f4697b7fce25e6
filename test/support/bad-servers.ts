// Servers that each do one thing wrong on the wire, so that the load client can be seen to notice it. They speak bytes:
// node:http would not let them.

import net from 'node:net'
import { onTestFinished } from 'vitest'
import type { Target } from './load/options.ts'

const BODY = 'hello\n'

/** A whole and proper answer, with this `Connection` header. */
export function goodAnswer(connection: 'keep-alive' | 'close' = 'keep-alive', body = BODY): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: ${connection}\r\nx-pid: 1\r\n\r\n${body}`
}

/** Called for each request head that comes (GET only), with its number among all connections, from 1. */
export type OnRequest = (socket: net.Socket, request: number) => void

/** Listens on a port of its own until the test ends. */
export async function serve(onRequest: OnRequest): Promise<Target> {
  const sockets = new Set<net.Socket>()
  let requests = 0
  const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let text = ''
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        text = text.slice(end + 4)
        onRequest(socket, ++requests)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: portOf(server) }
}

export function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port')
  return address.port
}
