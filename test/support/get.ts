// One request over a connection of its own, for tests that look at a single answer.

import http from 'node:http'
import type { Target } from './load/options.ts'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  readonly pid: number
}

export function get(target: Target, path = '/', timeoutMs = 10_000): Promise<Answer> {
  const where = 'path' in target ? { socketPath: target.path } : target
  return new Promise((resolve, reject) => {
    const request = http.get({ ...where, path, agent: false, timeout: timeoutMs }, (response) => {
      let text = ''
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          pid: Number(response.headers['x-pid']),
        }),
      )
    })
    request.on('timeout', () => request.destroy(new Error(`No answer to ${path} within ${timeoutMs} ms`)))
    request.on('error', reject)
  })
}
