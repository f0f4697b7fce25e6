// An app's lending with workers that do as they are told: what its tests share.

import type { ListenRequest } from '../../src/protocol/messages.ts'
import { Lending, type Inherited } from '../../src/supervisor/lending.ts'
import { FakeBorrower, FakeClock, settle } from './fake-borrowers.ts'

export const KEY = 'tcp:127.0.0.1:0#0'
export const REQUEST: ListenRequest = { address: '127.0.0.1', port: 0, addressType: 4, flags: 0, backlog: 77 }
/** Enough for four workers: no growth but where it is meant. */
export const SLOTS = 8
export const SETTINGS = { slots: SLOTS, loansPerSlot: 2 }

export class Scene {
  readonly clock = new FakeClock()
  readonly notices: string[] = []
  readonly workers: FakeBorrower[] = []
  readonly lending = this.makeLending()

  makeLending(inherited?: Inherited): Lending {
    return new Lending(
      this.clock,
      () => SETTINGS,
      (text) => this.notices.push(text),
      inherited,
    )
  }

  worker(): FakeBorrower {
    const made = new FakeBorrower(`w${this.workers.length}`, this.lending)
    this.workers.push(made)
    return made
  }

  /** A worker that listens and may serve; its messages are not read yet. */
  join(key = KEY): FakeBorrower {
    const joined = this.worker()
    const { errno, words } = this.lending.listen(REQUEST, key)
    if (errno !== 0) throw new Error(words)
    joined.listens(key)
    this.lending.addBorrower(joined)
    return joined
  }

  serving(count: number): FakeBorrower[] {
    const joined = Array.from({ length: count }, () => this.join())
    this.settle()
    return joined
  }

  settle(): void {
    settle(this.workers)
  }

  /** How many workers accept on each slot. */
  coverage(): number[] {
    const slots = this.lending.status()[0]?.slots ?? 0
    return Array.from(
      { length: slots },
      (_, slot) => this.workers.filter((one) => one.slots(KEY).includes(slot)).length,
    )
  }
}

export function everySlot<Value>(of: (slot: number) => Value): Value[] {
  return Array.from({ length: SLOTS }, (_, slot) => of(slot))
}

export async function isResolved(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))])
}
