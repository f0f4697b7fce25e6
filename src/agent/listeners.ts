// All of a worker's listeners: answers the app's `listen()` calls through node:cluster's own seam, asks the supervisor
// for the sockets, and does to them what the supervisor says.

import { AsyncResource } from 'node:async_hooks'
import cluster from 'node:cluster'
import type { Server } from 'node:net'
import { constants } from 'node:os'

import type { SocketHandle } from '../protocol/handle.ts'
import type {
  ListenerKey,
  ListenerReport,
  ListenRequest,
  SupervisorMessage,
  WorkerMessage,
} from '../protocol/messages.ts'
import { watchServer } from './drain.ts'
import { openEndpoint, type Endpoint } from './endpoint.ts'
import type { Gate } from './gate.ts'
import { keyOf, requestOf, type ServerQuery } from './listener-key.ts'
import { Listener, type ListenerEvents } from './listener.ts'
import { routeServer } from './route-intercept.ts'
import { speechOf } from './speech.ts'

type ListenReply = SupervisorMessage & { readonly type: 'listenReply' }
type GetServerCallback = (errno: number, handle: object | null) => void
type GetServer = (server: Server, query: ServerQuery, done: GetServerCallback) => void

export interface ListenersOptions {
  /** Path of the nth endpoint of this worker. */
  readonly endpointPath: (n: number) => string
  readonly send: (message: WorkerMessage, handle?: SocketHandle) => void
  readonly notice: (text: string) => void
  readonly accepted: (fd: number) => void
  readonly exhausted: () => void
  /** Nothing may be attached now. */
  readonly isSaturated: () => boolean
  /** What is not gated has got its socket. */
  readonly boundElsewhere: (server: Server) => void
}

/** A `listen()` that the supervisor has not answered. */
interface Unanswered {
  readonly key: ListenerKey
  readonly request: ListenRequest
  readonly server: Server
  readonly done: GetServerCallback
  readonly turn: number | undefined
}

/** An open server behind its listener. */
interface Opened {
  readonly server: Server
  endpoint: Endpoint | null
}

/** The longest time of a timer: this one is never meant to fire. */
const NEVER_MS = 2 ** 31 - 1

export class Listeners implements ListenerEvents {
  readonly #options: ListenersOptions
  readonly #listeners = new Map<ListenerKey, Listener>()
  readonly #opened = new Map<ListenerKey, Opened>()
  readonly #unanswered = new Map<number, Unanswered>()
  #lastId = 0
  #endpoints = 0
  /** Keeps a worker alive whose `listen()` waits for a supervisor. */
  #anchor: NodeJS.Timeout | null = null
  #openingEndpoint = false

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  /** The private endpoints are servers as well, but not the app's. */
  get isOpeningEndpoint(): boolean {
    return this.#openingEndpoint
  }

  /** Takes over `cluster._getServer`, through which every server of a cluster worker asks for its socket. */
  install(): void {
    const original: GetServer = Reflect.get(cluster, '_getServer')
    const getServer: GetServer = (server, query, done) => {
      const request = requestOf(query)
      if (request !== null) return this.#listen(server, request, AsyncResource.bind(done))
      original.call(cluster, server, query, (errno, handle) => {
        done(errno, handle)
        if (errno === 0) this.#options.boundElsewhere(server)
      })
    }
    Reflect.set(cluster, '_getServer', getServer)
  }

  reports(): ListenerReport[] {
    return [...this.#listeners.values()].map((listener) => listener.report())
  }

  /** Asks again what was never answered. */
  askAgain(): void {
    for (const id of this.#unanswered.keys()) this.#ask(id)
  }

  /** Closes the app's servers, as node:cluster does before a worker disconnects. */
  closeServers(done: () => void): void {
    const servers = [...this.#opened.values()].map(({ server }) => server)
    let left = servers.length
    if (left === 0) return done()
    for (const server of servers) server.close(() => --left === 0 && done())
  }

  attachHeld(): void {
    if (this.#options.isSaturated()) return
    for (const listener of this.#listeners.values()) listener.attachHeld()
  }

  detachAll(): void {
    for (const listener of this.#listeners.values()) listener.detachAll()
  }

  detachHeld(): void {
    for (const listener of this.#listeners.values()) listener.detachHeld()
  }

  answer(message: ListenReply): void {
    const unanswered = this.#unanswered.get(message.id)
    this.#unanswered.delete(message.id)
    this.#keepAlive()
    if (unanswered === undefined) return
    const { key, request } = unanswered
    // Here and now: sockets to hold may be on the next line.
    if ('name' in message && !this.#listeners.has(key)) {
      this.#listeners.set(key, new Listener(key, request, message.name, this))
    }
    // Apart from the link's own reading: what the app throws here must not cost the lines that follow.
    process.nextTick(() => this.#open(unanswered, message))
  }

  hold(key: ListenerKey, slot: number, handle: SocketHandle): void {
    const listener = this.#listeners.get(key)
    if (listener === undefined) handle.close()
    else listener.hold(slot, handle)
  }

  attach(key: ListenerKey, slot: number, handle: SocketHandle, backlog: number): void {
    const error = this.#attach(key, slot, handle, backlog)
    this.#options.send({ type: 'attached', key, slot, ...(error === 0 ? {} : { error }) })
  }

  #attach(key: ListenerKey, slot: number, handle: SocketHandle, backlog: number): number {
    const listener = this.#listeners.get(key)
    if (listener !== undefined && !this.#options.isSaturated()) return listener.attach(slot, handle, backlog)
    handle.close()
    return -(listener === undefined ? constants.errno.EBADF : constants.errno.EMFILE)
  }

  detach(key: ListenerKey, slot: number): void {
    this.#listeners.get(key)?.detach(slot)
    this.#options.send({ type: 'detached', key, slot })
  }

  give(key: ListenerKey, slots: readonly number[]): void {
    for (const slot of slots) {
      const handle = this.#listeners.get(key)?.socketOf(slot)
      if (handle === undefined) this.#options.send({ type: 'noSlot', key, slot })
      else this.#options.send({ type: 'slot', key, slot }, handle)
    }
  }

  forget(key: ListenerKey): void {
    const listener = this.#listeners.get(key)
    listener?.forget()
    if (listener?.isEmpty) this.#listeners.delete(key)
  }

  listening(listener: Listener): void {
    const opened = this.#opened.get(listener.key)
    if (opened === undefined) return
    watchServer(opened.server)
    routeServer(opened.server, listener.key)
    opened.endpoint = this.#openEndpoint(opened.server)
    listener.endpoint = opened.endpoint?.path ?? null
    // `cluster.worker` shows the state that node:cluster's own gate would have set.
    if (cluster.worker) Reflect.set(cluster.worker, 'state', 'listening')
    listener.speaks = speechOf(opened.server)
    const { key, endpoint, speaks } = listener
    this.#options.send({ type: 'listening', key, endpoint, speaks })
  }

  closed(listener: Listener): void {
    this.#opened.get(listener.key)?.endpoint?.close()
    this.#opened.delete(listener.key)
    listener.endpoint = null
    if (listener.isEmpty) this.#listeners.delete(listener.key)
    this.#options.send({ type: 'listenerClosed', key: listener.key })
  }

  accepted(fd: number): void {
    this.#options.accepted(fd)
  }

  exhausted(): void {
    this.#options.exhausted()
  }

  #listen(server: Server, request: ListenRequest, done: GetServerCallback): void {
    const key = keyOf(request, (wanted) => this.#isTaken(wanted))
    if (key === null) return process.nextTick(refuse, done, -constants.errno.EADDRINUSE)
    this.#unanswered.set(++this.#lastId, { key, request, server, done, turn: turnOf(server) })
    this.#keepAlive()
    this.#ask(this.#lastId)
  }

  #isTaken(key: ListenerKey): boolean {
    const waits = (one: Unanswered): boolean => one.key === key && one.turn === turnOf(one.server)
    return this.#opened.has(key) || [...this.#unanswered.values()].some(waits)
  }

  #ask(id: number): void {
    const unanswered = this.#unanswered.get(id)
    if (unanswered === undefined) return
    const { key, request, server } = unanswered
    const shared: unknown = callIfThere(server, '_getServerData')
    this.#options.send({ type: 'listen', id, key, request, ...(shared === undefined ? {} : { shared }) })
  }

  #open({ key, server, done }: Unanswered, reply: ListenReply): void {
    const listener = this.#listeners.get(key)
    if (!('name' in reply)) return refuse(done, reply.errno)
    // Forgotten on the line after the reply.
    if (listener === undefined) return refuse(done, -constants.errno.EBADF)
    if (reply.shared !== undefined) callIfThere(server, '_setServerData', reply.shared)
    this.#opened.set(key, { server, endpoint: null })
    const gate: Gate = listener.openGate()
    done(0, gate)
    // The app has closed its server while it waited, and Node the gate with it.
    if (!listener.listening && !gate.hasRef()) this.#opened.delete(key)
  }

  #openEndpoint(server: Server): Endpoint | null {
    this.#openingEndpoint = true
    const endpoint = openEndpoint(server, this.#options.endpointPath(++this.#endpoints))
    this.#openingEndpoint = false
    if (typeof endpoint !== 'string') return endpoint
    this.#options.notice(`Cannot open a private endpoint: ${endpoint}`)
    return null
  }

  #keepAlive(): void {
    if (this.#unanswered.size > 0) this.#anchor ??= setInterval(() => {}, NEVER_MS)
    else if (this.#anchor !== null) {
      clearInterval(this.#anchor)
      this.#anchor = null
    }
  }
}

/** Node closes the handle of a server that was closed while it waited, so there is one even with an error. */
/** Node counts a server's `close()` here, so that it drops an answer that comes after it. */
function turnOf(server: Server): number | undefined {
  return (server as Server & { readonly _listeningId?: number })._listeningId
}

function refuse(done: GetServerCallback, errno: number): void {
  done(errno, { close() {} })
}

function callIfThere(owner: object, name: string, ...args: unknown[]): unknown {
  const method: unknown = Reflect.get(owner, name)
  return typeof method === 'function' ? method.apply(owner, args) : undefined
}
