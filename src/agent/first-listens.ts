// When an app has bound everything that it listens on at its start: all `listen()` calls of the first tick after the
// first one was bound. What `ready: 'listen'` waits for.

import { subscribe } from 'node:diagnostics_channel'
import { errorMonitor, type EventEmitter } from 'node:events'

/** A call that neither binds nor fails for so long has thrown, and the app has caught it. */
const GIVE_UP_MS = 2_000

export interface FirstListensEvents {
  /** A server listens, whoever gave it its socket. */
  bound(server: object): void
  allBound(): void
}

export class FirstListens {
  readonly #events: FirstListensEvents
  readonly #underWay = new Map<object, () => void>()
  readonly #ignored: (server: object) => boolean
  #anyBound = false
  #said = false

  constructor(events: FirstListensEvents, ignored: (server: object) => boolean) {
    this.#events = events
    this.#ignored = ignored
    // A listen() with a host name looks it up first, so the call itself must be seen and not only its socket's request.
    subscribe('tracing:net.server.listen:asyncStart', (message) => this.#begun(serverOf(message)))
    subscribe('tracing:net.server.listen:asyncEnd', (message) => this.bound(serverOf(message)))
  }

  get allBound(): boolean {
    return this.#said
  }

  bound(server: EventEmitter): void {
    if (this.#ignored(server)) return
    this.#anyBound = true
    this.#finish(server)
    this.#events.bound(server)
  }

  #begun(server: EventEmitter): void {
    if (this.#said || this.#ignored(server) || this.#underWay.has(server)) return
    const finish = () => this.#finish(server)
    const timer = setTimeout(finish, GIVE_UP_MS).unref()
    server.once(errorMonitor, finish)
    server.once('close', finish)
    this.#underWay.set(server, () => {
      clearTimeout(timer)
      server.off(errorMonitor, finish)
      server.off('close', finish)
    })
  }

  #finish(server: object): void {
    this.#underWay.get(server)?.()
    this.#underWay.delete(server)
    if (!this.#said) setImmediate(() => this.#look())
  }

  #look(): void {
    if (this.#said || !this.#anyBound || this.#underWay.size > 0) return
    this.#said = true
    this.#events.allBound()
  }
}

function serverOf(message: unknown): EventEmitter {
  return Reflect.get(Object(message), 'server')
}
