// One app's listeners, and which of its workers may borrow their slots. The app tells what its workers say and what
// becomes of them; who gets which slot is decided in core/slots, and lent-listener.ts keeps the books of each listener.
//
// A worker borrows from `addBorrower` to `withdraw` or its death. Saturated ones are passed over: they would accept only
// to close. So are late ones, which do not answer, unless there is nobody else.

import type { AppConfig } from '../config/app-config.ts'
import type { ListenerStatus } from '../control/messages.ts'
import { slotsWanted } from '../core/slots.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import type { ListenerKey, ListenerReport, ListenRequest, SocketName } from '../protocol/messages.ts'
import { describeBindFailure } from '../sockets/bind-error.ts'
import type { InheritedSockets } from '../sockets/inherited.ts'
import { adoptListener, bindListener, Listener } from '../sockets/listener.ts'
import { BorrowingWorker } from './borrowing-worker.ts'
import type { Clock } from './clock.ts'
import { LentListener, type Borrower } from './lent-listener.ts'

export type { Borrower } from './lent-listener.ts'

export interface ListenAnswer {
  /** 0, or the negative errno that `listen()` meets in the worker. */
  readonly errno: number
  readonly name: SocketName
  /** Why it failed, or what is to be known although it did not; empty when there is nothing to say. */
  readonly words: string
  /** What a person can do about it; empty when it did not fail. */
  readonly fix: string
  /** What the first worker that listened wants all others to have. */
  readonly shared: unknown
}

export type LendingSettings = Pick<AppConfig, 'slots' | 'loansPerSlot'>

/** So long after a worker was adopted nothing moves: its siblings are about to say what they have. */
export const ADOPTION_REST_MS = 250

const CLOSE_GRACE_MS = 1000
/** However late a port was opened: until it is closed its clients wait for nobody. */
const MAX_CLOSE_GRACE_MS = 60_000

/** Listeners whose sockets were bound before this process began. */
export type Inherited = Pick<InheritedSockets, 'take'>

const NOTHING_INHERITED: Inherited = { take: () => null }

export class Lending {
  readonly #listeners = new Map<ListenerKey, LentListener>()
  readonly #workers = new Map<string, BorrowingWorker>()
  readonly #shared = new Map<ListenerKey, unknown>()
  /** Listeners that were looked at for strangers on their port. */
  readonly #inspected = new Set<ListenerKey>()
  /** Listeners that close in a moment unless somebody listens on them: what cancels it. */
  readonly #closing = new Map<ListenerKey, () => void>()
  readonly #clock: Clock
  readonly #settings: () => LendingSettings
  readonly #notice: (text: string) => void
  readonly #inherited: Inherited
  #cancelRest: (() => void) | null = null

  constructor(
    clock: Clock,
    settings: () => LendingSettings,
    notice: (text: string) => void = () => {},
    inherited = NOTHING_INHERITED,
  ) {
    this.#inherited = inherited
    this.#clock = clock
    this.#settings = settings
    this.#notice = notice
  }

  // ---- listeners ------------------------------------------------------------------------------------

  /** Finds the listener or binds it. While workers are being adopted their listeners may not be known yet. */
  listen(request: ListenRequest, key: ListenerKey, shared?: unknown): ListenAnswer {
    const known = this.#listeners.get(key)
    if (known !== undefined) {
      // Many an app deletes a Unix socket's path before it listens, and with it the path of its siblings.
      known.listener.restore()
      if (!this.#shared.has(key)) this.#shared.set(key, shared)
      return { errno: 0, name: known.listener.name, words: '', fix: '', shared: this.#shared.get(key) }
    }
    const bound = this.#inherited.take(key, request) ?? bindListener(key, request, this.#settings().slots)
    if (!(bound instanceof Listener)) {
      const { message, fix } = describeBindFailure(request, bound.errno)
      return { errno: bound.errno, name: {}, words: message, fix, shared: undefined }
    }
    this.#listeners.set(key, new LentListener(bound))
    this.#shared.set(key, shared)
    return { errno: 0, name: bound.name, words: bound.note ?? '', fix: '', shared }
  }

  status(): readonly ListenerStatus[] {
    return [...this.#listeners.values()].map(({ listener }) => listener.status())
  }

  places(): readonly Listener[] {
    return [...this.#listeners.values()].map(({ listener }) => listener)
  }

  /** A listener whose sockets an earlier supervisor has handed over, before any worker speaks of it. */
  takeOver(listener: Listener): void {
    this.#listeners.set(listener.key, new LentListener(listener))
    this.#inspected.add(listener.key)
  }

  /** How often the slots of each listener are lent, in the order of `status`. */
  loans(): readonly number[] {
    return [...this.#listeners.values()].map((lent) => lent.countLoans())
  }

  /** Slots whose sockets are still with the workers that kept them. */
  countMissingSlots(): number {
    return [...this.#listeners.values()].reduce((sum, { listener }) => sum + listener.missingSlots().length, 0)
  }

  /**
   * Closes the listeners that no worker listens on but those that were withdrawn, if that is still so after a grace: an app
   * may open a port seconds after it is ready, and is given twice the time that it took before, a minute at most.
   * Without a borrower it closes none.
   */
  closeUnused(): void {
    for (const [key, lent] of this.#listeners) {
      if (this.#closing.has(key) || !this.#isUnused(lent)) continue
      const graceMs = Math.min(2 * lent.openedAfterMs + CLOSE_GRACE_MS, MAX_CLOSE_GRACE_MS)
      const cancel = this.#clock.wakeAt(this.#clock.now() + graceMs, () => {
        this.#closing.delete(key)
        if (this.#isUnused(lent)) this.#close(key, lent)
      })
      this.#closing.set(key, cancel)
    }
  }

  #isUnused(lent: LentListener): boolean {
    const workers = [...this.#workers]
    if (!workers.some(([, worker]) => worker.mayBorrow)) return false
    return !workers.some(([incarnation, worker]) => !worker.isWithdrawn && lent.isListening(incarnation))
  }

  /** The app ends: closes every listener. */
  closeAll(): void {
    this.#cancelRest?.()
    this.#cancelRest = null
    for (const [key, lent] of this.#listeners) this.#close(key, lent)
    for (const incarnation of this.#workers.keys()) this.workerGone(incarnation)
  }

  // ---- who may borrow -------------------------------------------------------------------------------

  addBorrower(borrower: Borrower): void {
    this.#know(borrower.incarnation).lend()
    this.#relendAll()
  }

  /** Resolves when the worker accepts on all that is lent to it; never when it is withdrawn or gone before. */
  whenServing(incarnation: string): Promise<void> {
    return new Promise((resolve) => {
      this.#workers.get(incarnation)?.whenServing(resolve)
      this.#tellWaiters()
    })
  }

  /** Takes the loans from a worker that stays, but for those of listeners that nobody else could serve. */
  shelve(incarnation: string): void {
    this.#workers.get(incarnation)?.shelve()
    this.#relendAll()
  }

  /** Takes all loans from a worker; resolves when others serve its slots, at once when there are no others. */
  withdraw(incarnation: string): Promise<void> {
    const worker = this.#workers.get(incarnation)
    if (worker === undefined) return Promise.resolve()
    worker.withdraw()
    return new Promise((resolve) => {
      worker.whenWithdrawn(resolve)
      this.#relendAll()
    })
  }

  /** The worker is about to drain: it gives up whatever it still has by itself, without a word. */
  letGo(incarnation: string): void {
    for (const lent of this.#listeners.values()) lent.gaveUp(incarnation)
  }

  /** The worker is dead: what it had is lent to others at once. */
  workerGone(incarnation: string): void {
    const worker = this.#workers.get(incarnation)
    if (worker === undefined) return
    this.#workers.delete(incarnation)
    worker.gone()
    for (const lent of this.#listeners.values()) {
      lent.forget(incarnation)
      // Its exit handler may have deleted the path.
      lent.listener.restore()
    }
    this.#relendAll()
  }

  saturated(incarnation: string): void {
    const worker = this.#workers.get(incarnation)
    if (worker === undefined) return
    worker.isSaturated = true
    for (const lent of this.#listeners.values()) lent.gaveUp(incarnation)
    this.#relendAll()
  }

  unsaturated(incarnation: string): void {
    const worker = this.#workers.get(incarnation)
    if (worker === undefined) return
    worker.isSaturated = false
    for (const lent of this.#listeners.values()) lent.mayBeLentAgain(incarnation)
    this.#relendAll()
  }

  // ---- what workers say -----------------------------------------------------------------------------

  /** `afterMs` is how old the worker's process is. */
  workerListening(borrower: Borrower, key: ListenerKey, afterMs = 0): void {
    this.#know(borrower.incarnation)
    this.#listeners.get(key)?.join(borrower, afterMs)
    this.#relend(key)
  }

  workerClosed(incarnation: string, key: ListenerKey): void {
    const lent = this.#listeners.get(key)
    lent?.leave(incarnation)
    lent?.listener.restore()
    this.#relend(key)
  }

  attached(incarnation: string, key: ListenerKey, slot: number, error = 0): void {
    this.#listeners.get(key)?.attached(incarnation, slot, error)
    if (error === 0) this.#inspect(key)
    this.#hasAnswered(incarnation, key)
  }

  detached(incarnation: string, key: ListenerKey, slot: number): void {
    this.#listeners.get(key)?.detached(incarnation, slot)
    this.#hasAnswered(incarnation, key)
  }

  /** A worker that dialled again: it counts what it says it has. One that accepts goes on borrowing. */
  adoptReports(borrower: Borrower, reports: readonly ListenerReport[]): void {
    const worker = this.#know(borrower.incarnation)
    worker.hasAnswered()
    if (!worker.isWithdrawn && reports.some((report) => report.attached.length > 0)) worker.mayBorrow = true
    this.#rest()
    for (const report of reports) {
      if (!this.#listeners.has(report.key)) {
        const { key, request, name } = report
        const adopted = this.#inherited.take(key, request) ?? adoptListener(key, request, name)
        this.#listeners.set(key, new LentListener(adopted))
        // It was looked at when it was bound, and now it may have very many connections to look through.
        this.#inspected.add(report.key)
      }
      this.#listeners.get(report.key)?.report(borrower, report)
    }
  }

  slotReceived(_incarnation: string, key: ListenerKey, slot: number, handle: SocketHandle): void {
    const lent = this.#listeners.get(key)
    if (lent === undefined) return handle.close()
    lent.slotReceived(slot, handle)
    this.#relend(key)
  }

  slotMissing(incarnation: string, key: ListenerKey, slot: number): void {
    this.#listeners.get(key)?.slotMissing(incarnation, slot)
    this.#relend(key)
  }

  // ---- lending --------------------------------------------------------------------------------------

  #know(incarnation: string): BorrowingWorker {
    const known = this.#workers.get(incarnation)
    if (known !== undefined) return known
    const worker = new BorrowingWorker(this.#clock, () => this.#relendAll())
    this.#workers.set(incarnation, worker)
    return worker
  }

  /** Who may borrow the slots of a listener now. */
  #borrowersOf(lent: LentListener): readonly string[] {
    const listening = [...this.#workers].filter(
      ([incarnation, worker]) => !worker.isSaturated && lent.isListening(incarnation),
    )
    const serving = listening.filter(([, worker]) => worker.mayBorrow)
    // A port that the new release does not have any more is the old one's until it goes.
    const able = serving.length > 0 ? serving : listening.filter(([, worker]) => worker.isShelved)
    const prompt = able.filter(([, worker]) => !worker.isLate)
    return (prompt.length > 0 ? prompt : able).map(([incarnation]) => incarnation)
  }

  #relendAll(): void {
    for (const key of this.#listeners.keys()) this.#relend(key)
    this.#tellWaiters()
  }

  #relend(key: ListenerKey): void {
    const lent = this.#listeners.get(key)
    if (lent === undefined || this.#cancelRest !== null) return
    const { slots, loansPerSlot } = this.#settings()
    const borrowers = this.#borrowersOf(lent)
    lent.lendTo(borrowers, slotsWanted(slots, borrowers.length, loansPerSlot), loansPerSlot)
    for (const [incarnation, worker] of this.#workers) if (lent.isWaitedFor(incarnation)) worker.awaitAnswer()
    this.#tellWaiters()
  }

  #hasAnswered(incarnation: string, key: ListenerKey): void {
    const worker = this.#workers.get(incarnation)
    const wasLate = worker?.isLate ?? false
    worker?.hasAnswered()
    if (wasLate) this.#relendAll()
    else this.#relend(key)
  }

  #tellWaiters(): void {
    if (this.#cancelRest !== null) return
    for (const [incarnation, worker] of this.#workers) {
      const listeners = [...this.#listeners.values()]
      if (worker.mayBorrow && !worker.isLate && listeners.every((lent) => lent.isServedBy(incarnation))) {
        worker.serves()
      }
      if (worker.isWithdrawn && !listeners.some((lent) => lent.hasLoans(incarnation))) {
        worker.hasNoLoans()
      }
    }
  }

  #rest(): void {
    this.#cancelRest ??= this.#clock.wakeAt(this.#clock.now() + ADOPTION_REST_MS, () => {
      this.#cancelRest = null
      this.#relendAll()
    })
  }

  /** Once a listener is served, the kernel tells who else is on its port. */
  #inspect(key: ListenerKey): void {
    const listener = this.#listeners.get(key)?.listener
    if (listener === undefined || this.#inspected.has(key)) return
    this.#inspected.add(key)
    if (listener.countStrangers() === 0) return
    const { address, port } = listener.name
    this.#notice(`another program shares port ${port} of ${address} and gets a part of its connections`)
  }

  #close(key: ListenerKey, lent: LentListener): void {
    this.#closing.get(key)?.()
    this.#closing.delete(key)
    this.#listeners.delete(key)
    this.#shared.delete(key)
    this.#inspected.delete(key)
    lent.close()
  }
}
