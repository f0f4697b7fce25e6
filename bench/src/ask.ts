// The smallest client: one GET on a connection of its own. Its cost is that of a socket, so that what is timed is the server.

import net from 'node:net'

export interface Answer {
  readonly pid: number
  /** Null for an app that does not say it. */
  readonly release: string | null
  readonly socket: net.Socket
}

const LIMIT_MS = 20_000

/** One request on a new connection that is closed after it. */
export async function ask(port: number, path = '/', signal?: AbortSignal): Promise<number> {
  const { pid, socket } = await request(port, path, 'close', signal)
  socket.destroy()
  return pid
}

/** Which release answers a request on a new connection. */
export async function askRelease(port: number): Promise<string | null> {
  const { release, socket } = await request(port, '/', 'close')
  socket.destroy()
  return release
}

/** One request on a new connection that stays open until `socket.destroy()`. */
export function askAndHold(port: number): Promise<Answer> {
  return request(port, '/', 'keep-alive')
}

function request(
  port: number,
  path: string,
  connection: 'close' | 'keep-alive',
  signal?: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    signal?.addEventListener('abort', () => socket.destroy())
    let text = ''
    socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error(`No answer from port ${port} in ${LIMIT_MS} ms`)))
    socket.once('connect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: ${connection}\r\n\r\n`),
    )
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const pid = /^HTTP\/1\.1 200 [^]*\r\nx-pid: (\d+)\r\n[^]*hello\n/.exec(text)?.[1]
      if (pid === undefined) return
      resolve({ pid: Number(pid), release: /\r\nx-release: (\S+)\r\n/.exec(text)?.[1] ?? null, socket })
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`Port ${port} ended the connection without an answer`)))
  })
}
