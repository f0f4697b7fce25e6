// The sockets of an app that is a command. One socket an address, which listens before any process has it and is given to
// every process of every generation: whoever accepts takes the next connection, and a dead process has nothing of its own
// that would be lost. They close with the app, never with a process. See docs/how-to/run-any-program.md.

import type { AppConfig, ListenAddress } from '../config/app-config.ts'
import { addressText } from '../config/command-parsers.ts'
import type { ListenerStatus } from '../control/messages.ts'
import { DEFAULT_BACKLOG, type ListenRequest } from '../protocol/messages.ts'
import { describeBindFailure } from '../sockets/bind-error.ts'
import type { InheritedSockets } from '../sockets/inherited.ts'
import { listenElsewhere, makeBlocking } from '../sockets/listen-elsewhere.ts'
import { adoptListener, bindBeside, bindListener, Listener } from '../sockets/listener.ts'

type Wanted = Pick<AppConfig, 'listen'>
type Inherited = Pick<InheritedSockets, 'take'>

/** What a process is given. */
export interface GivenSocket {
  readonly fd: number
  readonly address: ListenAddress
}

interface Opening {
  done: Promise<void>
  /** Nobody wants it any more: a reload was taken back meanwhile. */
  isCalledOff: boolean
}

export class CommandSockets {
  /** By address; one without a socket is of an earlier supervisor, and its processes alone have it. */
  readonly #listeners = new Map<string, Listener>()
  readonly #opening = new Map<string, Opening>()
  readonly #inherited: Inherited
  readonly #notice: (text: string) => void

  /** What systemd passed is taken before anything is bound. */
  constructor(inherited: Inherited, notice: (text: string) => void) {
    this.#inherited = inherited
    this.#notice = notice
  }

  /** Processes of an earlier supervisor listen there, and cannot hand their sockets back; systemd can, where it has them. */
  adopt({ listen }: Wanted): void {
    // A state may be older than the option.
    for (const address of listen ?? []) {
      const key = addressText(address)
      if (this.#listeners.has(key)) continue
      const request = requestOf(address)
      const passed = this.#inherited.take(key, request)
      passed?.slots.forEach((slot) => makeBlocking(passed.handle(slot)))
      this.#listeners.set(key, passed ?? adoptListener(key, request, nameOf(address)))
    }
  }

  /** Opens what is not open; rejects with words for a person where that cannot be. */
  async open({ listen }: Wanted): Promise<void> {
    // Each is known as being opened from now on, so that each can be called off.
    await Promise.all((listen ?? []).map((address) => this.#opened(addressText(address), address)))
  }

  /** In the order of the configuration, which is how a program tells them apart. */
  given({ listen }: Wanted): readonly GivenSocket[] {
    return (listen ?? []).flatMap((address) => {
      const listener = this.#listeners.get(addressText(address))
      // systemd may have several at one address: each has a queue of its own, so every process needs all of them.
      const handles = (listener?.slots ?? []).flatMap((slot) => listener?.handle(slot) ?? [])
      return handles.map(({ fd }) => ({ fd, address }))
    })
  }

  places(): readonly Listener[] {
    return [...this.#listeners.values()]
  }

  /** A socket that an earlier supervisor has handed over. */
  takeOver(listener: Listener): void {
    for (const slot of listener.slots) makeBlocking(listener.handle(slot))
    this.#listeners.set(listener.key, listener)
  }

  status(): readonly ListenerStatus[] {
    return [...this.#listeners.values()].map((listener) => listener.status())
  }

  /** Closes what this configuration does not have. */
  keepOnly({ listen }: Wanted): void {
    const kept = new Set((listen ?? []).map(addressText))
    for (const [key, opening] of this.#opening) if (!kept.has(key)) opening.isCalledOff = true
    for (const [key, listener] of this.#listeners) {
      if (kept.has(key)) continue
      this.#listeners.delete(key)
      listener.close()
    }
  }

  #opened(key: string, address: ListenAddress): Promise<void> {
    const before = this.#opening.get(key)
    if (before?.isCalledOff === false) return before.done
    const opening: Opening = { done: Promise.resolve(), isCalledOff: false }
    this.#opening.set(key, opening)
    const open = async (): Promise<void> => {
      // It has the address until it is closed.
      await before?.done.catch(() => {})
      await this.#open(key, address, opening)
    }
    opening.done = open().finally(() => {
      if (this.#opening.get(key) === opening) this.#opening.delete(key)
    })
    return opening.done
  }

  async #open(key: string, address: ListenAddress, opening: Readonly<Opening>): Promise<void> {
    if (opening.isCalledOff) return
    const known = this.#listeners.get(key)
    // Whoever deletes the path of a socket before it binds its own would cut everybody off.
    known?.restore()
    if (known?.handle(0) !== undefined) return
    const request = requestOf(address)
    const passed = known === undefined ? this.#inherited.take(key, request) : null
    if (passed !== null) {
      passed.slots.forEach((slot) => makeBlocking(passed.handle(slot)))
      this.#listeners.set(key, passed)
      return
    }
    const bound = known === undefined ? bindListener(key, request, 1) : bindBeside(known)
    if (!(bound instanceof Listener)) throw describeBindFailure(request, bound.errno)
    const handle = bound.handle(0)
    const errno = handle === undefined ? 0 : await listenElsewhere(handle, DEFAULT_BACKLOG)
    if (handle === undefined || errno !== 0 || opening.isCalledOff) {
      // What an earlier supervisor's processes have is still there, and is opened beside another time.
      if (bound === known) bound.dropSlot(0)
      else bound.close()
      if (opening.isCalledOff) return
      throw describeBindFailure(request, errno)
    }
    makeBlocking(handle)
    this.#listeners.set(key, bound)
    if (known === undefined) return
    const left = 'connections that wait in the old one are lost when the last of them ends'
    this.#notice(
      `the socket at ${key} is with processes of an earlier supervisor, another one is open beside it; ${left}`,
    )
  }
}

function requestOf(address: ListenAddress): ListenRequest {
  if ('path' in address) return { address: address.path, port: -1, addressType: -1, flags: 0, backlog: null }
  const addressType = address.host.includes(':') ? 6 : 4
  return { address: address.host, port: address.port, addressType, flags: 0, backlog: null }
}

function nameOf(address: ListenAddress) {
  if ('path' in address) return {}
  return { address: address.host, port: address.port, family: address.host.includes(':') ? 'IPv6' : 'IPv4' }
}
