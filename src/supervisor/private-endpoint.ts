// Asking one worker over HTTP through its private endpoint: readiness and liveness.

import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'

export interface Answer {
  /** HTTP status; null when there was none. */
  readonly status: number | null
  /** Why it is no success, in words; null when it is one. */
  readonly problem: string | null
}

/** Never rejects. A server that speaks only HTTP/2 is asked in HTTP/2. */
export async function ask(endpoint: string, path: string, withinMs: number): Promise<Answer> {
  const answer = await askHttp1(endpoint, path, withinMs)
  return answer.status === null && answer.problem === NOT_HTTP1 ? askHttp2(endpoint, path, withinMs) : answer
}

/** Of a worker that is gone: one that was killed could do it itself as little as it could say which it had opened. */
export function removeEndpoints(directory: string, incarnation: string): void {
  try {
    const names = readdirSync(directory).filter((name) => name.startsWith(`${incarnation}-`))
    for (const name of names) rmSync(join(directory, name), { force: true })
  } catch {
    // Somebody has deleted the directory, and them with it.
  }
}

const NOT_HTTP1 = 'does not speak HTTP/1.1'

function judge(status: number): Answer {
  return { status, problem: status >= 200 && status < 300 ? null : `answered ${status}` }
}

function askHttp1(endpoint: string, path: string, withinMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const settle = (answer: Answer): void => {
      resolve(answer)
      asked.destroy()
    }
    // Loaded when first needed, and not by `import`, which would load all of undici for its `WebSocket`.
    const asked = process.getBuiltinModule('node:http').request({
      socketPath: endpoint,
      path,
      headers: { host: 'localhost', 'user-agent': 'supervise', connection: 'close' },
      agent: false,
      signal: AbortSignal.timeout(withinMs),
    })
    asked.on('response', (response) => {
      response.resume()
      settle(judge(response.statusCode ?? 0))
    })
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (error.name === 'AbortError' || error.name === 'TimeoutError') {
        settle({ status: null, problem: `did not answer within ${withinMs} ms` })
      } else if (error.code?.startsWith('HPE_') === true || error.code === 'ECONNRESET') {
        settle({ status: null, problem: NOT_HTTP1 })
      } else settle({ status: null, problem: `cannot be asked (${error.code ?? error.message})` })
    })
    asked.end()
  })
}

function askHttp2(endpoint: string, path: string, withinMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const session = process
      .getBuiltinModule('node:http2')
      .connect('http://localhost', { createConnection: () => connect(endpoint) })
    const timer = setTimeout(() => settle({ status: null, problem: `did not answer within ${withinMs} ms` }), withinMs)
    const settle = (answer: Answer): void => {
      clearTimeout(timer)
      resolve(answer)
      session.destroy()
    }
    session.on('error', (error: NodeJS.ErrnoException) =>
      settle({ status: null, problem: `cannot be asked (${error.code ?? error.message})` }),
    )
    const stream = session.request({ ':path': path, 'user-agent': 'supervise' })
    stream.on('error', () => undefined)
    stream.on('response', (headers) => settle(judge(headers[':status'] ?? 0)))
  })
}
