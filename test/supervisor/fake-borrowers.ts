// Workers for tests of lending: each does what an agent does with the messages it is sent, when it is told to.

import type { Clock } from '../../src/supervisor/clock.ts'
import type { SocketHandle } from '../../src/protocol/handle.ts'
import type { ListenerKey, ListenerReport, ListenRequest, SupervisorMessage } from '../../src/protocol/messages.ts'
import type { Borrower, Lending } from '../../src/supervisor/lending.ts'

const EBADF = -9

export class FakeClock implements Clock {
  #now = 0
  readonly #wakes = new Set<{ readonly time: number; readonly wake: () => void }>()

  now(): number {
    return this.#now
  }

  wakeAt(time: number, wake: () => void): () => void {
    const entry = { time, wake }
    this.#wakes.add(entry)
    return () => void this.#wakes.delete(entry)
  }

  advance(ms: number): void {
    this.#now += ms
    for (const entry of [...this.#wakes].filter(({ time }) => time <= this.#now)) {
      if (this.#wakes.delete(entry)) entry.wake()
    }
  }

  get pending(): number {
    return this.#wakes.size
  }
}

export class FakeBorrower implements Borrower {
  readonly incarnation: string
  readonly accepts = new Set<string>()
  readonly holds = new Map<string, SocketHandle>()
  readonly listening = new Set<ListenerKey>()
  readonly forgotten = new Set<ListenerKey>()
  readonly log: string[] = []
  isAlive = true
  isSaturated = false
  #inbox: { readonly message: SupervisorMessage; readonly handle: SocketHandle | undefined }[] = []
  readonly #lending: Lending

  constructor(incarnation: string, lending: Lending) {
    this.incarnation = incarnation
    this.#lending = lending
  }

  send(message: SupervisorMessage, handle?: SocketHandle): void {
    this.log.push('slot' in message ? `${message.type} ${message.slot}` : message.type)
    this.#inbox.push({ message, handle })
  }

  get unread(): number {
    return this.#inbox.length
  }

  listens(key: ListenerKey, afterMs = 0): void {
    this.listening.add(key)
    this.#lending.workerListening(this, key, afterMs)
  }

  closes(key: ListenerKey): void {
    this.listening.delete(key)
    for (const accepted of this.accepts) if (accepted.startsWith(`${key}/`)) this.accepts.delete(accepted)
    this.#lending.workerClosed(this.incarnation, key)
  }

  saturates(): void {
    this.isSaturated = true
    this.accepts.clear()
    this.#lending.saturated(this.incarnation)
  }

  dies(): void {
    this.isAlive = false
    this.accepts.clear()
    this.#inbox = []
    this.#lending.workerGone(this.incarnation)
  }

  slots(key: ListenerKey): number[] {
    return [...this.accepts]
      .filter((name) => name.startsWith(`${key}/`))
      .map((name) => Number(name.slice(key.length + 1)))
  }

  report(key: ListenerKey, request: ListenRequest, name: ListenerReport['name']): ListenerReport {
    const held = [...this.holds.keys()]
      .filter((hold) => hold.startsWith(`${key}/`))
      .map((hold) => Number(hold.slice(key.length + 1)))
    return { key, request, name, listening: this.listening.has(key), attached: this.slots(key), held, endpoint: null }
  }

  /** Reads one message and answers it. */
  read(): void {
    const next = this.#inbox.shift()
    if (next === undefined) return
    const { message, handle } = next
    if (message.type === 'hold' && handle !== undefined) this.holds.set(`${message.key}/${message.slot}`, handle)
    if (message.type === 'forget') {
      this.forgotten.add(message.key)
      for (const hold of this.holds.keys()) if (hold.startsWith(`${message.key}/`)) this.holds.delete(hold)
    }
    if (message.type === 'give') for (const slot of message.slots) this.#give(message.key, slot)
    if (message.type === 'attach') {
      const isOpen = this.listening.has(message.key) && !this.isSaturated
      if (isOpen) this.accepts.add(`${message.key}/${message.slot}`)
      this.#lending.attached(this.incarnation, message.key, message.slot, isOpen ? undefined : EBADF)
    }
    if (message.type === 'detach') {
      this.accepts.delete(`${message.key}/${message.slot}`)
      this.#lending.detached(this.incarnation, message.key, message.slot)
    }
  }

  readAll(): void {
    while (this.#inbox.length > 0) this.read()
  }

  #give(key: ListenerKey, slot: number): void {
    const handle = this.holds.get(`${key}/${slot}`)
    if (handle === undefined) this.#lending.slotMissing(this.incarnation, key, slot)
    else this.#lending.slotReceived(this.incarnation, key, slot, handle)
  }
}

export function settle(borrowers: readonly FakeBorrower[]): void {
  while (borrowers.some((borrower) => borrower.isAlive && borrower.unread > 0)) {
    for (const borrower of borrowers) borrower.readAll()
  }
}
