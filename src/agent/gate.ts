// The object that an app's server listens through: it has the interface of Node's listening handles, and nothing below
// it. Connections are put into it by whichever slots are attached at the moment.

import type { SocketHandle } from '../protocol/handle.ts'
import type { SocketName } from '../protocol/messages.ts'

export interface GateOwner {
  /** The app's server is set up: connections may come in. */
  gateListens(): void
  gateCloses(): void
  /** Descriptor of any attached slot, or -1. */
  readonly fd: number
}

/** The longest time of a timer: this one is never meant to fire. */
const NEVER_MS = 2 ** 31 - 1

export class Gate {
  /** Set by the server, as on any handle. */
  onconnection: ((status: number, connection: SocketHandle | undefined) => void) | null = null
  /** Absent for a Unix socket, as on Node's own handles: `server.address()` is the path then. */
  getsockname?: (out: SocketName) => number
  readonly #owner: GateOwner
  #open = true
  /** Slots come and go; that a listening server keeps its process alive must not depend on them. */
  #anchor: NodeJS.Timeout | null = null

  constructor(owner: GateOwner, name: SocketName | null) {
    this.#owner = owner
    if (name !== null) {
      this.getsockname = (out) => {
        Object.assign(out, name)
        return 0
      }
    }
    this.ref()
  }

  get fd(): number {
    return this.#owner.fd
  }

  /** The backlog is the supervisor's matter: it came with the request. */
  listen(): number {
    this.#owner.gateListens()
    return 0
  }

  close(done?: () => void): void {
    if (this.#open) {
      this.#open = false
      this.unref()
      this.#owner.gateCloses()
    }
    if (done !== undefined) process.nextTick(() => done.call(this))
  }

  ref(): void {
    if (this.#open) this.#anchor ??= setInterval(() => {}, NEVER_MS)
  }

  unref(): void {
    if (this.#anchor !== null) clearInterval(this.#anchor)
    this.#anchor = null
  }

  hasRef(): boolean {
    return this.#anchor !== null
  }
}
