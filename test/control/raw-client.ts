// Speaks to a control socket byte by byte, with requests that no HTTP client would send.

/* oxlint-disable typescript/no-unsafe-type-assertion, unicorn/consistent-function-scoping -- a test knows what it was answered */

import { request } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: Record<string, unknown>
}

export interface RawRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export function ask(
  socketPath: string,
  path: string,
  { method = 'GET', headers, body }: RawRequest = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method, agent: false, headers: { ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => {
        const isDocument = response.headers['content-type'] === 'application/json'
        const json = isDocument ? (JSON.parse(text) as Record<string, unknown>) : {}
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

export function post(
  socketPath: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const text = JSON.stringify(body)
  return ask(socketPath, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers },
    body: text,
  })
}

/** A connection that has said `text` and nothing more. */
export function say(socketPath: string, text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write(text, () => resolve(socket)))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // The queue of connections is full for this turn of the loop; TCP would wait by itself.
      if (error.code === 'EAGAIN') setTimeout(() => resolve(say(socketPath, text)), 5)
      else reject(error)
    })
  })
}

/** Everything that comes until the other side ends. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

export function codeOfAnswer(answer: RawAnswer): unknown {
  return (answer.json['error'] as { code?: unknown } | undefined)?.code
}
