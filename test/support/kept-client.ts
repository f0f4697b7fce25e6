// A client that keeps its one connection between requests, as browsers and proxies do, over HTTP/1 or HTTP/2, with or
// without TLS. It never sends a request twice.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'

export type Protocol = 'http' | 'https' | 'h2c' | 'h2'

export interface Reply {
  readonly status: number
  readonly release: string
  readonly pid: number
  readonly body: Buffer
  /** It came over a connection that had served another request before. */
  readonly wasKept: boolean
}

export interface UnderWay {
  /** The body that the app waits for; ended by the caller. */
  readonly body: Writable
  readonly reply: Promise<Reply>
}

export interface KeptClient {
  /** A whole request. */
  ask(path?: string): Promise<Reply>
  /** A request that goes on; one with a body is a POST. */
  begin(path: string, method?: 'GET' | 'POST'): UnderWay
}

/** Must be called inside a test, at whose end its connection is cut. */
export function keptClient(protocol: Protocol, port: number): KeptClient {
  const begin = protocol === 'http' || protocol === 'https' ? overHttp1(protocol, port) : overHttp2(protocol, port)
  return {
    begin,
    ask(path = '/') {
      const { body, reply } = begin(path)
      body.end()
      return reply
    },
  }
}

function overHttp1(protocol: 'http' | 'https', port: number): KeptClient['begin'] {
  const { Agent, request: send } = protocol === 'http' ? http : https
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  return (path, method = 'GET') => {
    const request = send({ host: '127.0.0.1', port, path, method, agent, rejectUnauthorized: false })
    const reply = once(request, 'response').then(async ([response]: http.IncomingMessage[]) => {
      if (response === undefined) throw new Error('There is no response')
      const { statusCode, headers } = response
      return replyOf(statusCode, headers, await bytesOf(response), request.reusedSocket)
    })
    return underWay(request, reply)
  }
}

function overHttp2(protocol: 'h2c' | 'h2', port: number): KeptClient['begin'] {
  const authority = `${protocol === 'h2' ? 'https' : 'http'}://127.0.0.1:${port}`
  let session: http2.ClientHttp2Session | null = null
  onTestFinished(() => session?.destroy())
  return (path, method = 'GET') => {
    const isKept = session !== null && !session.closed && !session.destroyed
    if (!isKept) session = http2.connect(authority, { rejectUnauthorized: false }).on('error', () => {})
    const stream = session?.request({ ':path': path, ':method': method }, { endStream: false })
    if (stream === undefined) throw new Error('There is no session')
    const reply = once(stream, 'response').then(
      async ([headers = {}]: (http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader)[]) =>
        replyOf(headers[':status'], headers, await bytesOf(stream), isKept),
    )
    return underWay(stream, reply)
  }
}

function underWay(body: Writable, reply: Promise<Reply>): UnderWay {
  // What ends the request is what the reply rejects with.
  body.on('error', () => {})
  reply.catch(() => {})
  return { body, reply }
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function replyOf(
  status: number | undefined,
  headers: http.IncomingHttpHeaders | http2.IncomingHttpHeaders,
  body: Buffer,
  wasKept: boolean,
): Reply {
  return { status: status ?? 0, release: String(headers['x-release']), pid: Number(headers['x-pid']), body, wasKept }
}
