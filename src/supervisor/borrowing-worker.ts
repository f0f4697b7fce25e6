// One worker as lending sees it: whether it may borrow, how long it has owed an answer, and who waits for it.

import type { Clock } from './clock.ts'

/** A worker that has not answered an attach for so long is late: its slots go to others meanwhile. */
export const ATTACH_DEADLINE_MS = 2_000
/** When nobody takes over, a worker that is to go does not wait for ever. */
export const WITHDRAW_DEADLINE_MS = 5_000

export class BorrowingWorker {
  mayBorrow = false
  isWithdrawn = false
  /** Borrowed before, and stays: it is lent only what nobody else listens on. */
  isShelved = false
  isSaturated = false
  #isLate = false
  #cancelDeadline: (() => void) | null = null
  #servingWaiters: (() => void)[] = []
  #withdrawalWaiters: (() => void)[] = []
  readonly #clock: Clock
  readonly #becameLate: () => void

  constructor(clock: Clock, becameLate: () => void) {
    this.#clock = clock
    this.#becameLate = becameLate
  }

  get isLate(): boolean {
    return this.#isLate
  }

  lend(): void {
    this.mayBorrow = true
    this.isWithdrawn = false
    this.isShelved = false
  }

  shelve(): void {
    this.mayBorrow = false
    this.isShelved = true
    this.#servingWaiters = []
  }

  withdraw(): void {
    this.mayBorrow = false
    this.isShelved = false
    this.isWithdrawn = true
    this.#servingWaiters = []
  }

  /** An answer is owed from now on, unless one was owed already. */
  awaitAnswer(): void {
    if (this.#cancelDeadline !== null || this.#isLate) return
    this.#cancelDeadline = this.#clock.wakeAt(this.#clock.now() + ATTACH_DEADLINE_MS, () => {
      this.#cancelDeadline = null
      this.#isLate = true
      this.#becameLate()
    })
  }

  hasAnswered(): void {
    this.#isLate = false
    this.#cancelDeadline?.()
    this.#cancelDeadline = null
  }

  whenServing(resolve: () => void): void {
    this.#servingWaiters.push(resolve)
  }

  whenWithdrawn(resolve: () => void): void {
    const cancel = this.#clock.wakeAt(this.#clock.now() + WITHDRAW_DEADLINE_MS, resolve)
    this.#withdrawalWaiters.push(() => {
      cancel()
      resolve()
    })
  }

  serves(): void {
    for (const resolve of this.#servingWaiters.splice(0)) resolve()
  }

  hasNoLoans(): void {
    for (const resolve of this.#withdrawalWaiters.splice(0)) resolve()
  }

  gone(): void {
    this.hasAnswered()
    this.hasNoLoans()
    this.#servingWaiters = []
  }
}
