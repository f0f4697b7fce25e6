// The cheapest question to a control socket: is anybody there, and who?

import type { Pong } from './messages.ts'
import { http } from './node-http.ts'

export type PingAnswer =
  | Pong
  | 'silent' // somebody accepts connections and does not answer in time
  | 'absent' // nobody listens
  | 'forbidden'

export function ping(socketPath: string, withinMs: number): Promise<PingAnswer> {
  return new Promise((resolve) => {
    const question = http.request({ socketPath, path: '/v1/ping', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => finish(readPong(text)))
      response.on('error', () => finish('silent'))
    })
    const timer = setTimeout(() => finish('silent'), withinMs)
    const finish = (answer: PingAnswer) => {
      clearTimeout(timer)
      resolve(answer)
      question.destroy()
    }
    question.on('error', (error: NodeJS.ErrnoException) => finish(absenceOf(error.code)))
    question.end()
  })
}

export function absenceOf(code: string | undefined): 'silent' | 'absent' | 'forbidden' {
  if (code === 'EACCES' || code === 'EPERM') return 'forbidden'
  // ENOTSOCK and the like: there is something at that path which nobody can listen on.
  if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK', 'ELOOP'].includes(code ?? '')) return 'absent'
  return 'silent'
}

function readPong(text: string): PingAnswer {
  try {
    const value: unknown = JSON.parse(text)
    if (isPong(value)) return value
  } catch {}
  return 'silent'
}

function isPong(value: unknown): value is Pong {
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('uptimeSeconds' in value)) return false
  return typeof value.pid === 'number' && typeof value.uptimeSeconds === 'number'
}
