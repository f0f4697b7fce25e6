// One listener: its address and the slots behind it, bound or taken over, never listened on. Closing it is the only thing
// that closes its sockets here; who borrows them is the lending's business.

import type { ListenerStatus } from '../control/messages.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import type { ListenerKey, ListenRequest, SocketName } from '../protocol/messages.ts'
import { countStrangers, inodeOfDescriptor } from './port-owner.ts'
import { nameOf } from './server-handle.ts'
import { bindFirstSlot, bindNextSlot, canShareAddresses, claimAddress } from './tcp-slots.ts'
import { adoptUnixName, bindUnixSocket, removeUnixName, restoreUnixName, type UnixName } from './unix-name.ts'

export interface BindFailure {
  /** A negative errno, as `server.listen()` of plain node would have met it. */
  readonly errno: number
}

interface Origin {
  readonly name: SocketName
  readonly canMultiply: boolean
  readonly unixName: UnixName | null
  readonly note: string | null
  readonly release: () => void
  /** Whose sockets are somebody else's: they stay open for the next listener. */
  readonly isForeign?: boolean
}

export class Listener {
  readonly key: ListenerKey
  readonly request: ListenRequest
  readonly name: SocketName
  /** What a person should know of how it was bound; null when all is as it should be. */
  readonly note: string | null
  readonly #origin: Origin
  readonly #slots = new Map<number, SocketHandle>()
  /** Slots whose sockets somebody else closes. */
  #foreign: ReadonlySet<number> = new Set()
  readonly #expected = new Set<number>()

  /** @internal The functions below make listeners. */
  constructor(key: ListenerKey, request: ListenRequest, origin: Origin, foreign: readonly SocketHandle[] = []) {
    this.key = key
    this.request = request
    this.name = origin.name
    this.note = origin.note
    this.#origin = origin
    for (const [slot, handle] of foreign.entries()) this.addSlot(slot, handle)
    this.#foreign = new Set(this.#slots.keys())
  }

  /** Somebody else has its sockets, too, and hands them on: systemd. */
  get isForeign(): boolean {
    return this.#origin.isForeign === true
  }

  /** Slots whose sockets are here. */
  get slots(): readonly number[] {
    return [...this.#slots.keys()].toSorted((a, b) => a - b)
  }

  handle(slot: number): SocketHandle | undefined {
    return this.#slots.get(slot)
  }

  /** Takes a slot that somebody else kept; a second socket of the same slot is closed. */
  addSlot(slot: number, handle: SocketHandle): void {
    this.#expected.delete(slot)
    if (this.#slots.has(slot)) return handle.close()
    // A socket that is only kept must not keep the process.
    handle.unref()
    this.#slots.set(slot, handle)
  }

  /** Whether the socket of this slot is one that somebody else has, too. */
  hasForeign(slot: number): boolean {
    return this.#foreign.has(slot)
  }

  /** Whether this is a socket of its own, and not that of the slot. */
  isAnother(slot: number, handle: SocketHandle): boolean {
    const known = this.#slots.get(slot)
    return known !== undefined && inodeOfDescriptor(known.fd) !== inodeOfDescriptor(handle.fd)
  }

  /** Gives those of somebody else numbers of their own, from this one on: workers have other sockets under theirs. */
  setForeignAside(first: number): void {
    const handles = [...this.#foreign].flatMap((slot) => this.#slots.get(slot) ?? [])
    for (const slot of this.#foreign) this.#slots.delete(slot)
    for (const [index, handle] of handles.entries()) this.#slots.set(first + index, handle)
    this.#foreign = new Set(handles.map((_, index) => first + index))
  }

  /** Closes the socket of a slot that is of no use after all. */
  dropSlot(slot: number): void {
    this.#slots.get(slot)?.close()
    this.#slots.delete(slot)
  }

  /** Says that this slot exists somewhere. */
  expectSlot(slot: number): void {
    if (!this.#slots.has(slot)) this.#expected.add(slot)
  }

  /** Gives up a slot that nobody has any more. */
  forgetSlot(slot: number): void {
    this.#expected.delete(slot)
  }

  missingSlots(): readonly number[] {
    return [...this.#expected]
  }

  /** Binds more slots until there are `count`, where the address can be shared; returns the new ones. */
  grow(count: number): readonly number[] {
    const added: number[] = []
    if (!this.#origin.canMultiply) return added
    for (let slot = 0; this.#slots.size + this.#expected.size < count; slot += 1) {
      if (this.#slots.has(slot) || this.#expected.has(slot)) continue
      const handle = bindNextSlot(this.name, this.request.flags)
      if (typeof handle === 'number') break
      this.addSlot(slot, handle)
      added.push(slot)
    }
    return added
  }

  /** Puts the path of a Unix socket back when it was deleted; returns whether it had to. */
  restore(): boolean {
    return this.#origin.unixName !== null && restoreUnixName(this.#origin.unixName)
  }

  /** How many sockets of others share the port, which gives them a part of the connections. */
  countStrangers(): number {
    const { address, port } = this.name
    if (port === undefined) return 0
    const own = [...this.#slots.values()].map((handle) => inodeOfDescriptor(handle.fd) ?? '')
    return countStrangers(address ?? null, port, new Set(own))
  }

  /** Another supervisor has the sockets and their names: closes what is here, and nothing ends by it. */
  letGo(): void {
    // Here its address may be bound again, as soon as that other one does not have it any more.
    this.#origin.release()
    for (const handle of this.#slots.values()) handle.close()
    this.#slots.clear()
    this.#expected.clear()
  }

  close(): void {
    if (this.#origin.unixName !== null) removeUnixName(this.#origin.unixName)
    this.#origin.release()
    for (const [slot, handle] of this.#slots) if (!this.#foreign.has(slot)) handle.close()
    this.#slots.clear()
    this.#expected.clear()
  }

  status(): ListenerStatus {
    const slots = this.#slots.size + this.#expected.size
    if (this.request.addressType === -1) return { address: null, port: null, path: this.request.address, slots }
    return { address: this.name.address ?? null, port: this.name.port ?? null, path: null, slots }
  }
}

/** Binds a new listener with as many slots as the address allows, up to `count`. */
export function bindListener(key: ListenerKey, request: ListenRequest, count: number): Listener | BindFailure {
  if (request.addressType === -1) return bindUnixListener(key, request)
  const first = bindFirstSlot(request)
  if (typeof first === 'number') return { errno: first }
  const listener = new Listener(key, request, { ...first.address, unixName: null, note: null })
  listener.addSlot(0, first.handle)
  listener.grow(count)
  return listener
}

/** A listener that another supervisor bound. Its slots come from the workers that keep them. */
export function adoptListener(key: ListenerKey, request: ListenRequest, name: SocketName): Listener {
  return new Listener(key, request, {
    name,
    canMultiply: request.addressType !== -1 && canShareAddresses,
    unixName: request.addressType === -1 && request.address !== null ? adoptUnixName(request.address) : null,
    note: null,
    release: request.addressType === -1 ? () => {} : claimAddress(name, request.flags),
  })
}

/**
 * Binds a first socket beside one of another supervisor that nobody can hand over: both are served until the processes that
 * have the old one are gone. Returns the listener that has it, which of a path is another one.
 */
export function bindBeside(adopted: Listener): Listener | BindFailure {
  const { key, request } = adopted
  if (request.addressType === -1) return bindUnixListener(key, request, adoptUnixName(request.address ?? ''))
  const handle = bindNextSlot(adopted.name, request.flags)
  if (typeof handle === 'number') return { errno: handle }
  adopted.addSlot(0, handle)
  return adopted
}

/**
 * A listener whose sockets were bound by somebody who also ends them, such as systemd. It does not grow, and closing it
 * closes none of them: `onClose` gives them back.
 */
export function listenerFromHandles(
  key: ListenerKey,
  request: ListenRequest,
  handles: readonly SocketHandle[],
  onClose: () => void,
): Listener {
  const name = handles[0] === undefined ? {} : nameOf(handles[0])
  const isTcp = request.addressType !== -1
  const unclaim = isTcp ? claimAddress(name, request.flags) : () => {}
  const release = () => {
    unclaim()
    onClose()
  }
  const origin = { name, canMultiply: false, unixName: null, note: null, release, isForeign: true }
  return new Listener(key, request, origin, handles)
}

function bindUnixListener(
  key: ListenerKey,
  request: ListenRequest,
  replaced: UnixName | null = null,
): Listener | BindFailure {
  const bound = bindUnixSocket(request.address ?? '', request.flags, replaced)
  if (typeof bound === 'number') return { errno: bound }
  const { handle, name, note } = bound
  const listener = new Listener(key, request, {
    name: {},
    canMultiply: false,
    unixName: name,
    note,
    release: () => {},
  })
  listener.addSlot(0, handle)
  return listener
}
