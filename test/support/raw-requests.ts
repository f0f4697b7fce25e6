// Many clients at once, each with one request of its own: how many were answered, and what the others met.

import net from 'node:net'
import { onTestFinished } from 'vitest'
import type { Target } from './load/options.ts'

export interface RawRequests {
  /** Waits until each has its answer or is lost, and counts the answers. */
  answered(): Promise<number>
  /** Codes of the errors so far, such as ECONNRESET. */
  errors(): readonly string[]
}

const ANSWER_LIMIT_MS = 30_000

/** Does not wait until any of them is connected. */
export function beginRequests(target: Target, count: number): RawRequests {
  const errors: string[] = []
  const sockets = Array.from({ length: count }, () => net.connect(target))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const answers = sockets.map((socket) => answerOf(socket, errors))
  return {
    async answered() {
      const texts = await Promise.all(answers)
      return texts.filter((text) => text.startsWith('HTTP/1.1 200') && text.endsWith('hello\n')).length
    },
    errors: () => errors,
  }
}

function answerOf(socket: net.Socket, errors: string[]): Promise<string> {
  let text = ''
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error('NO_ANSWER')))
  socket.on('data', (chunk) => (text += chunk.toString()))
  return new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message))
    socket.on('close', () => resolve(text))
  })
}
