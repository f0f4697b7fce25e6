// Connections whose requests are sent and wait in the kernel's queue, since nobody accepts them for now.

import { once } from 'node:events'
import net from 'node:net'
import { onTestFinished } from 'vitest'
import type { Target } from './load/options.ts'

export interface QueuedRequests {
  /** Waits until each has its answer or is lost, and counts the answers. */
  answered(): Promise<number>
}

/** Resolves once all are connected, as the kernel does without the server's help. */
export async function queueRequests(target: Target, count: number): Promise<QueuedRequests> {
  const sockets = Array.from({ length: count }, () => net.connect(target))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const answers = sockets.map((socket) => answerOf(socket))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return {
    async answered() {
      const texts = await Promise.all(answers)
      return texts.filter((text) => text.startsWith('HTTP/1.1 200') && text.endsWith('hello\n')).length
    },
  }
}

function answerOf(socket: net.Socket): Promise<string> {
  let text = ''
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  socket.on('data', (chunk) => (text += chunk.toString()))
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}
