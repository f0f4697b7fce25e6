// The worker's end of the link: dials the supervisor, and dials again when it is gone, for as long as the worker lives.
// It never keeps the process alive by itself.

import { dial, type Channel } from '../protocol/channel.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import type { SupervisorMessage, WorkerMessage } from '../protocol/messages.ts'

export type WorkerChannel = Channel<SupervisorMessage, WorkerMessage>

export interface LinkEvents {
  /** Connected: say hello. `again` when the link was up before. */
  connected(again: boolean): void
  message(message: SupervisorMessage, handle: SocketHandle | undefined): void
  /** The connection has ended; another is being dialled. */
  ended(): void
  /** For a while now nobody has been at the other end of a link that was up. */
  orphaned(): void
}

const ORPHANED_AFTER_MS = 100
const FIRST_REDIAL_MS = 5
const STEEP_REDIAL_MS = 250
const STEADY_REDIAL_MS = 1_000
/** Attempts until the steady pace: some five seconds, in which a supervisor that is started again is back. */
const STEEP_ATTEMPTS = 24

/** How long to wait before the attempt after so many that failed. */
export function redialAfterMs(attempts: number): number {
  if (attempts >= STEEP_ATTEMPTS) return STEADY_REDIAL_MS
  return Math.min(FIRST_REDIAL_MS * 2 ** attempts, STEEP_REDIAL_MS)
}

export class Link {
  readonly #path: string
  readonly #events: LinkEvents
  #channel: WorkerChannel | null = null
  #wasUp = false
  /** Otherwise it is on the channel that it was given, and nothing is to be had again. */
  #dialled = false
  #attempts = 0
  #orphanTimer: NodeJS.Timeout | null = null

  constructor(path: string, events: LinkEvents) {
    this.#path = path
    this.#events = events
  }

  get isUp(): boolean {
    return this.#channel !== null
  }

  /** What is sent while the link is down is lost: `hello` tells how things are then. */
  send(message: WorkerMessage, handle?: SocketHandle): void {
    this.#channel?.send(message, handle)
  }

  dial(): void {
    this.#dialled = true
    dial<SupervisorMessage, WorkerMessage>(this.#path, (error, channel) => {
      if (channel === null || error !== 0) return this.#redial()
      this.use(channel)
    })
  }

  /** Takes a connected channel as the link. */
  use(channel: WorkerChannel): void {
    channel.unref()
    channel.onMessage = (message, handle) => {
      // Only a supervisor that talks is worth another fast try: one that refuses us ends the connection at once.
      this.#attempts = 0
      this.#events.message(message, handle)
    }
    channel.onEnd = () => this.#ended()
    this.#channel = channel
    if (this.#orphanTimer !== null) clearTimeout(this.#orphanTimer)
    const again = this.#wasUp
    this.#wasUp = true
    this.#events.connected(again)
  }

  #ended(): void {
    this.#channel = null
    this.#orphanTimer = setTimeout(() => this.#events.orphaned(), ORPHANED_AFTER_MS).unref()
    this.#events.ended()
    if (this.#dialled) this.#redial()
  }

  #redial(): void {
    setTimeout(() => this.dial(), redialAfterMs(this.#attempts++)).unref()
  }
}
