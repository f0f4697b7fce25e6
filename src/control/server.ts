// The control socket: binds it, keeps clients that are slow, silent or wrong from costing anything, and lets it go.

import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { badRequest } from '../errors/control.ts'
import type { SupervisorOperations } from '../supervisor/operations.ts'
import { answerRequest, type Answering, type ControlCounts, type ControlLimits } from './answer-request.ts'
import { asDirectoryError, type InstanceDirectory } from './instance-directory.ts'
import type { LineStream } from './line-stream.ts'
import { SCHEMA } from './messages.ts'
import { http } from './node-http.ts'

export interface ServerLimits extends ControlLimits {
  readonly maxConnections: number
  /** How long a client may take for the head of a request, and for the whole of it. Answers may take any time. */
  readonly headMs: number
  readonly requestMs: number
}

export const LIMITS: ServerLimits = {
  maxBodyBytes: 1_048_576,
  maxStreams: 100,
  maxWaitingBytes: 1_048_576,
  farewellMs: 5_000,
  maxConnections: 1_200,
  headMs: 5_000,
  requestMs: 10_000,
}

export interface ControlServer {
  readonly counts: () => ControlCounts
  /** Takes nothing new. Whoever is in it stays until `close`: another one of the same supervisor has its place. */
  giveWay(): void
  /** Takes nothing new, ends what only follows, and waits so long for the answers under way. */
  close(withinMs?: number): Promise<void>
}

export interface ControlServerOptions {
  /** Sees errors that are nobody's request's fault. Must not throw. */
  readonly onError: (error: unknown, request: string) => void
  readonly limits?: Partial<ServerLimits>
}

/** The instance's lock must be held: whatever socket is found there is dead and gives way. */
export async function startControlServer(
  directory: InstanceDirectory,
  supervisor: SupervisorOperations,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const limits = { ...LIMITS, ...options.limits }
  const answering = answeringFor(supervisor, limits, options.onError)
  const server = createHttpServer(answering, limits)
  await bind(server, directory)
  server.on('error', (error) => options.onError(error, 'accepting on the control socket'))
  const inode = lstatSync(directory.controlSocket).ino
  let closed: Promise<void> | null = null
  // A second close of the same server would not wait for those who are in it.
  const stopAccepting = () => (closed ??= new Promise<void>((resolve) => server.close(() => resolve())))
  return {
    counts: () => structuredClone(answering.counts),
    giveWay: () => void stopAccepting(),
    close: (withinMs = 1_000) => {
      unlinkOwn(directory.controlSocket, inode)
      return end(server, answering, stopAccepting(), withinMs)
    },
  }
}

/** What an entrance needs to answer for a supervisor. */
export function answeringFor(
  supervisor: SupervisorOperations,
  limits: ControlLimits,
  onError: Answering['onError'],
): Answering {
  const counts = { streams: 0, dropped: { unread: 0, timedOut: 0, malformed: 0, tooMany: 0 } }
  return { supervisor, limits, counts, following: new Set<LineStream>(), onError }
}

function createHttpServer(answering: Answering, limits: ServerLimits): Server {
  const { dropped } = answering.counts
  const server = http.createServer({
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headMs / 2),
  })
  server.maxConnections = limits.maxConnections
  server.on('request', (request, response) => void answerRequest(answering, request, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') dropped.timedOut += 1
    else if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') dropped.malformed += 1
    refuse(socket, error)
  })
  server.on('drop', () => (dropped.tooMany += 1))
  return server
}

const PARSER_REFUSALS: Readonly<Record<string, readonly [status: string, why: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'it was not whole in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'its head is larger than 16 kB'],
}

/** What the parser refuses never becomes a request, so it is answered here, by hand. */
function refuse(socket: Duplex, error: NodeJS.ErrnoException & { bytesParsed?: number }): void {
  const [status, why] = PARSER_REFUSALS[error.code ?? ''] ?? ['400 Bad Request', 'it is not HTTP']
  // In the middle of another answer it would be taken for a part of that.
  const isFresh = (socket as Duplex & { bytesWritten?: number }).bytesWritten === 0
  if (!socket.writable || !isFresh) {
    socket.destroy()
    return
  }
  const text = JSON.stringify({
    schema: SCHEMA,
    error: badRequest(why, 'Send one HTTP/1.1 request at a time.').toJSON(),
  })
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`
  socket.end(head + text, () => socket.destroy())
}

/** Under a temporary name first: at no moment is there a socket at the real name that nobody accepts on. */
async function bind(server: Server, { controlSocket }: InstanceDirectory): Promise<void> {
  const temporary = `${controlSocket}.new`
  try {
    rmSync(temporary, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: temporary, exclusive: true, backlog: 1_024 }, () => {
        server.off('error', reject)
        resolve()
      })
    })
    chmodSync(temporary, 0o600)
    renameSync(temporary, controlSocket)
  } catch (error) {
    server.close()
    throw asDirectoryError(controlSocket, error)
  }
}

async function end(server: Server, { following }: Answering, closed: Promise<void>, withinMs: number): Promise<void> {
  for (const lines of following) lines.end()
  const deadline = setTimeout(() => server.closeAllConnections(), withinMs)
  await closed
  clearTimeout(deadline)
}

/** A supervisor that took over has its own socket at this name. */
function unlinkOwn(path: string, inode: number): void {
  try {
    if (lstatSync(path).ino === inode) rmSync(path)
  } catch {
    // Somebody removed it before.
  }
}
