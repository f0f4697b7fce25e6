// One listener as a worker has it: the app's gate, the slots that are attached to it, and the slots that are merely held.
// Invariant: a held slot outlives the app's server; only the supervisor's `forget` lets go of it.

import { constants } from 'node:os'

import type { SocketHandle } from '../protocol/handle.ts'
import {
  DEFAULT_BACKLOG,
  type ListenerKey,
  type ListenerReport,
  type ListenRequest,
  type Speech,
  type SocketName,
} from '../protocol/messages.ts'
import { Gate } from './gate.ts'

export interface ListenerEvents {
  /** The app's server stands behind its gate. */
  listening(listener: Listener): void
  closed(listener: Listener): void
  /** A connection was accepted; its descriptor's number tells how full the table is. */
  accepted(fd: number): void
  /** The kernel had no descriptor for a connection. */
  exhausted(): void
}

export class Listener {
  readonly key: ListenerKey
  readonly request: ListenRequest
  readonly name: SocketName
  endpoint: string | null = null
  /** Of its server; null for what is no HTTP. */
  speaks: Speech | null = null
  readonly #events: ListenerEvents
  readonly #loans = new Map<number, SocketHandle>()
  readonly #holds = new Map<number, SocketHandle>()
  #gate: Gate | null = null
  #listening = false

  constructor(key: ListenerKey, request: ListenRequest, name: SocketName, events: ListenerEvents) {
    this.key = key
    this.request = request
    this.name = name
    this.#events = events
  }

  get listening(): boolean {
    return this.#listening
  }

  /** Neither a server nor a socket is left. */
  get isEmpty(): boolean {
    return this.#gate === null && this.#loans.size === 0 && this.#holds.size === 0
  }

  /** Descriptor of any attached slot, or -1. */
  get fd(): number {
    for (const handle of this.#loans.values()) return handle.fd
    return -1
  }

  openGate(): Gate {
    this.#gate = new Gate(this, this.request.addressType === -1 ? null : this.name)
    return this.#gate
  }

  gateListens(): void {
    this.#listening = true
    this.#events.listening(this)
  }

  gateCloses(): void {
    const listened = this.#listening
    this.#gate = null
    this.#listening = false
    this.detachAll()
    if (listened) this.#events.closed(this)
  }

  hold(slot: number, handle: SocketHandle): void {
    if (this.#holds.has(slot)) return handle.close()
    handle.unref()
    this.#holds.set(slot, handle)
  }

  /** Accepts on a slot; returns 0 or a negative errno. */
  attach(slot: number, handle: SocketHandle, backlog: number): number {
    if (!this.#listening) {
      handle.close()
      return -constants.errno.EBADF
    }
    if (this.#loans.has(slot)) {
      handle.close()
      return 0
    }
    // The gate keeps the process alive, as long as the app wants it to.
    handle.unref()
    handle.onconnection = (status, connection) => this.#accept(status, connection)
    const errno = handle.listen(backlog)
    if (errno === 0) this.#loans.set(slot, handle)
    else handle.close()
    return errno
  }

  /** Accepts on every slot that is kept: nobody is there to lend them, and a dead sibling's clients wait. */
  attachHeld(): void {
    if (!this.#listening) return
    for (const [slot, handle] of this.#holds) {
      if (this.#loans.has(slot)) continue
      this.#holds.delete(slot)
      this.attach(slot, handle, this.request.backlog ?? DEFAULT_BACKLOG)
    }
  }

  detach(slot: number): void {
    const handle = this.#loans.get(slot)
    this.#loans.delete(slot)
    handle?.close()
  }

  detachAll(): void {
    for (const slot of this.#loans.keys()) this.detach(slot)
  }

  /** Detaches what is held as well: the last copy of a socket may be ours, and nobody could lend it again. */
  detachHeld(): void {
    for (const slot of this.#loans.keys()) if (this.#holds.has(slot)) this.detach(slot)
  }

  forget(): void {
    this.detachAll()
    for (const handle of this.#holds.values()) handle.close()
    this.#holds.clear()
  }

  socketOf(slot: number): SocketHandle | undefined {
    return this.#holds.get(slot) ?? this.#loans.get(slot)
  }

  report(): ListenerReport {
    const { key, request, name, endpoint, speaks, listening } = this
    const [attached, held] = [[...this.#loans.keys()], [...this.#holds.keys()]]
    return { key, request, name, endpoint, speaks, listening, attached, held }
  }

  #accept(status: number, connection: SocketHandle | undefined): void {
    const gate = this.#gate
    if (status === -constants.errno.EMFILE || status === -constants.errno.ENFILE) return this.#events.exhausted()
    if (gate === null) return connection?.close()
    gate.onconnection?.(status, connection)
    if (connection !== undefined) this.#events.accepted(connection.fd)
  }
}
