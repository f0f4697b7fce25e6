// The admin address: what the control socket answers, over TCP, with metrics and probes for those that watch from outside.
// Who may ask what is admin-guard.ts's business.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { AddressInfo } from 'node:net'
import { adminAddressTaken } from '../errors/control.ts'
import type { SupervisorOperations } from '../supervisor/operations.ts'
import { PUBLIC_PATHS, whyRefused, type AdminPolicy } from './admin-guard.ts'
import { answerRequest, type Answering } from './answer-request.ts'
import { http } from './node-http.ts'
import { respond, respondError, respondText } from './responses.ts'

export interface AdminAddress {
  readonly host: string
  readonly port: number
}

export interface AdminOptions {
  readonly address: AdminAddress
  readonly token: string | null
  readonly names: readonly string[]
}

export interface AdminServer {
  readonly url: string
  /** Leaves the address to another process. Whoever is connected stays until `close`. */
  giveWay(): void
  close(): Promise<void>
}

export async function startAdminServer(
  answering: Answering,
  { address, token, names }: AdminOptions,
): Promise<AdminServer> {
  const policy: AdminPolicy = {
    token,
    names: [hostname().toLowerCase(), ...names],
    isLoopback: isLoopback(address.host),
  }
  const { headMs, requestMs, maxConnections } = ADMIN_LIMITS
  const server = http.createServer({ headersTimeout: headMs, requestTimeout: requestMs })
  server.maxConnections = maxConnections
  server.on('request', (request, response) => void answer(answering, policy, request, response))
  server.on('clientError', (_error, socket) => socket.destroy())
  await listen(server, address)
  server.on('error', (error) => answering.onError(error, 'accepting on the admin address'))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`,
    giveWay: () => void server.close(),
    close: () => close(server, answering),
  }
}

const ADMIN_LIMITS = { headMs: 5_000, requestMs: 10_000, maxConnections: 200 }

/** Never rejects. */
async function answer(
  answering: Answering,
  policy: AdminPolicy,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => {})
  // A browser takes an answer for what it says to be, and for nothing else such as a script.
  response.setHeader('x-content-type-options', 'nosniff')
  const { method = '', url = '', headers } = request
  const path = url.split('?')[0] ?? ''
  const refusal = whyRefused({ method, path, headers }, policy)
  if (refusal !== null) {
    response.setHeader('connection', 'close')
    return respondError(response, refusal)
  }
  if (!PUBLIC_PATHS.includes(path) || method === 'POST') return answerRequest(answering, request, response)
  try {
    await probe(answering.supervisor, path, response)
  } catch (error) {
    answering.onError(error, `${method} ${path}`)
    respond(response, 500, { ok: false, why: 'an internal error, which is among the events' })
  }
}

async function probe(supervisor: SupervisorOperations, path: string, response: ServerResponse): Promise<void> {
  if (path === '/metrics') {
    const { text, contentType } = await supervisor.metrics.expose(null)
    return respondText(response, contentType, text)
  }
  const { live, started, ready } = supervisor.metrics.health()
  const condition = path === '/livez' ? live : path === '/startupz' ? started : ready
  respond(response, condition.ok ? 200 : 503, condition)
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(adminAddressTaken(address, error.code ?? String(error))),
    )
    // Not through node:cluster, whose primary this process is to its workers alone.
    server.listen({ ...address, exclusive: true }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

async function close(server: Server, { following }: Answering): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const lines of following) lines.end()
  server.closeAllConnections()
  await closed
}
