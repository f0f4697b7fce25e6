// Sends bytes and keeps what comes back, byte by byte.

import net from 'node:net'
import tls from 'node:tls'

import { sleep, until } from '../drain/worker.ts'

/** Text is sent (in Latin-1), a number waits for so many milliseconds. */
export type Part = string | number

/** No more is expected after so long without a byte. */
const QUIET_MS = 200
const DEADLINE_MS = 3_000

export interface Exchanged {
  readonly text: string
  readonly hasEnded: boolean
}

export async function exchange(port: number, parts: readonly Part[], isSecure = false): Promise<Exchanged> {
  const raw = net.connect(port, '127.0.0.1')
  const options = { socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], servername: 'localhost' }
  const socket = isSecure ? tls.connect(options) : raw
  let text = ''
  let hasEnded = false
  let lastAt = 0
  socket.setEncoding('latin1')
  socket.on('data', (data: string) => {
    text += data
    lastAt = performance.now()
  })
  socket.on('error', (error: NodeJS.ErrnoException) => (text += `<${error.code}>`))
  socket.on('close', () => (hasEnded = true))
  for (const part of parts) {
    if (typeof part === 'number') await sleep(part)
    else socket.write(part, 'latin1')
  }
  const isQuiet = () => lastAt > 0 && performance.now() - lastAt > QUIET_MS
  if (!(await until(() => hasEnded || isQuiet(), DEADLINE_MS))) text += '<nothing>'
  socket.destroy()
  return { text, hasEnded }
}
