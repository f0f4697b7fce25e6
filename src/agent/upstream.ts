// A client connection's own connection to the other group's worker. Each has one of its own, so that what is said of a
// client (its address, its certificate) can never be said of another. Requests take turns on it, in their order.

import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import net, { type Socket } from 'node:net'

import { preambleOf } from './client-facts.ts'
import { isPeer } from './route-state.ts'

const upstreams = new Map<Socket, Upstream>()

export function upstreamOf(client: Socket): Upstream {
  let upstream = upstreams.get(client)
  if (upstream !== undefined) return upstream
  const opened = (upstream = new Upstream(client))
  upstreams.set(client, opened)
  client.once('close', () => {
    upstreams.delete(client)
    opened.end()
  })
  return opened
}

/** Ends idle connections to workers that nothing is routed to any more: those may be draining. */
export function endUnusedUpstreams(): void {
  for (const upstream of upstreams.values()) upstream.endIfUnused()
}

let turn = 0

/** The next peer that has not been tried; null when all have been. */
export function nextPeer(peers: readonly string[], tried: ReadonlySet<string>): string | null {
  for (let count = 0; count < peers.length; count++) {
    const peer = peers[turn++ % peers.length]
    if (peer !== undefined && !tried.has(peer)) return peer
  }
  return null
}

/** Connects to a peer and introduces the client. */
export function connectTo(peer: string, client: Socket): Socket {
  const socket = net.connect({ path: peer })
  socket.write(preambleOf(client))
  return socket
}

export class Upstream {
  /** Names this one among all connections of the agent. */
  readonly name: string
  readonly #client: Socket
  readonly #waiting: (() => void)[] = []
  #peer: string | null = null
  #socket: Socket | null = null
  #isBusy = false

  constructor(client: Socket) {
    this.#client = client
    this.name = String(++names)
  }

  /** Runs when the requests before it are done. Nothing may overtake: the responses leave in order. */
  take(run: () => void): void {
    if (this.#isBusy) return void this.#waiting.push(run)
    this.#isBusy = true
    run()
  }

  /** The request whose turn it was is done; its connection is free again after this tick. */
  release(): void {
    process.nextTick(() => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#isBusy = false
      else next()
    })
  }

  /** Keeps to its peer as long as it is one. */
  choosePeer(peers: readonly string[], tried: ReadonlySet<string>): string | null {
    const known = this.#peer
    if (known !== null && peers.includes(known) && !tried.has(known)) return known
    this.end()
    this.#peer = nextPeer(peers, tried)
    return this.#peer
  }

  request(options: RequestOptions): ClientRequest {
    const { ClientRequest } = process.getBuiltinModule('node:http')
    // Not http.request: what instruments an app replaces that, and would add to its client's headers.
    return new ClientRequest({ ...options, agent: sharedAgent(), upstream: this } as RequestOptions)
  }

  connect(): Socket {
    const socket = connectTo(this.#peer ?? '', this.#client)
    this.#socket = socket
    return socket
  }

  endIfUnused(): void {
    if (!this.#isBusy && this.#peer !== null && !isPeer(this.#peer)) this.end()
  }

  end(): void {
    this.#socket?.destroy()
    this.#socket = null
  }
}

let names = 0
let agent: Agent | null = null

/** Keeps connections between requests, as any client does; each belongs to one upstream. */
function sharedAgent(): Agent {
  if (agent !== null) return agent
  const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
  // How long an idle connection lives is ours to say, not the response's.
  agent = new HttpAgent({ keepAlive: true, agentKeepAliveTimeoutBuffer: 0 })
  // The options are those of `request` above, which Node passes on.
  agent.getName = (options) => (options as unknown as { upstream: Upstream }).upstream.name
  agent.createConnection = (options) => (options as unknown as { upstream: Upstream }).upstream.connect()
  return agent
}
