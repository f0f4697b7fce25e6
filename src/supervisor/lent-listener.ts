// One listener and who has its slots: what each worker was sent, and what it answered. Which worker may borrow is the
// lending's business, which slot goes to whom is decided in core/slots.
//
// Rules
// 1. A loan ends only when all who shall have the slot accept on it, or when nobody shall.
// 2. Every worker that listens keeps a duplicate of every slot.
// 3. What a worker says it has counts, whatever was sent before.

import { loansToEnd, planLoans, type LoanState } from '../core/slots.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import { DEFAULT_BACKLOG, type ListenerReport, type SupervisorMessage } from '../protocol/messages.ts'
import type { Listener } from '../sockets/listener.ts'

/** A worker, as far as lending goes. */
export interface Borrower {
  readonly incarnation: string
  send(message: SupervisorMessage, handle?: SocketHandle): void
}

interface Loan {
  state: LoanState
  /** Attaches and detaches sent and not answered. They are answered in order: only the last answer tells how things stand. */
  unanswered: number
}

interface Member {
  borrower: Borrower
  isListening: boolean
  readonly held: Set<number>
  readonly loans: Map<number, Loan>
  /** It answered an attach with an error: nothing more is lent to it until something changes. */
  refuses: boolean
}

/** Higher than the number of any slot that a worker has, but for those that were set aside before. */
const BEYOND_SLOTS = 10_000

export class LentListener {
  readonly listener: Listener
  /** The longest time that a worker took from its start until it listened. */
  openedAfterMs = 0
  readonly #members = new Map<string, Member>()
  /** Those who may borrow and get nothing by the last plan: there are fewer loans than workers. */
  #spare: ReadonlySet<string> = new Set()
  /** Missing slots, and who was asked for them. */
  readonly #asked = new Map<number, string>()
  /** Whether it is known that the sockets which the service manager has passed are those that workers have, or not. */
  #isCompared = false
  /** Who was asked for one of its own to find that out, and has not answered. */
  #comparing: string | null = null

  constructor(listener: Listener) {
    this.listener = listener
  }

  // ---- looking --------------------------------------------------------------------------------------

  isListening(incarnation: string): boolean {
    return this.#members.get(incarnation)?.isListening ?? false
  }

  /** Whether this worker does its part: it was seen to accept on all that is lent to it, or has no part here. */
  isServedBy(incarnation: string): boolean {
    if (!this.isListening(incarnation)) return true
    const states = this.#loansOf(incarnation).map(([, loan]) => loan.state)
    if (states.includes('attaching')) return false
    // One that was passed over has no loan to wait for, and serves nothing all the same.
    return states.includes('attached') || this.#spare.has(incarnation)
  }

  countLoans(): number {
    return [...this.#members.keys()].reduce((sum, incarnation) => sum + this.#loansOf(incarnation).length, 0)
  }

  /** Whether it accepts, or is about to, on some slot that nobody has asked it to give up. */
  hasLoans(incarnation: string): boolean {
    return this.#loansOf(incarnation).some(([, loan]) => loan.state !== 'detaching')
  }

  /** Whether it was told to attach or detach and has not answered. */
  isWaitedFor(incarnation: string): boolean {
    return this.#loansOf(incarnation).some(([, loan]) => loan.unanswered > 0)
  }

  // ---- what workers say -----------------------------------------------------------------------------

  join(borrower: Borrower, afterMs: number): void {
    // One that closes and listens again hours later does not need hours.
    if (!this.#members.has(borrower.incarnation)) this.openedAfterMs = Math.max(this.openedAfterMs, afterMs)
    const member = this.#member(borrower)
    member.isListening = true
    member.refuses = false
    this.#giveHolds(member)
  }

  /** The worker's server is closed: what was lent to it is free again, what it keeps it goes on keeping. */
  leave(incarnation: string): void {
    const member = this.#members.get(incarnation)
    if (member === undefined) return
    member.isListening = false
    dropLoans(member)
  }

  /** The worker is dead. */
  forget(incarnation: string): void {
    this.#members.delete(incarnation)
    for (const [slot, asked] of this.#asked) if (asked === incarnation) this.#asked.delete(slot)
    this.#askForMissing()
    this.#compareWithAnother(incarnation)
  }

  /** Takes the worker's word for what it has, and asks it for slots that are not here. */
  report(borrower: Borrower, report: ListenerReport): void {
    const member = this.#member(borrower)
    member.isListening = report.listening
    member.refuses = false
    member.held.clear()
    member.loans.clear()
    for (const slot of report.held) member.held.add(slot)
    for (const slot of report.attached) member.loans.set(slot, { state: 'attached', unanswered: 0 })
    for (const slot of [...report.held, ...report.attached]) this.listener.expectSlot(slot)
    for (const [slot, asked] of this.#asked) if (asked === borrower.incarnation) this.#asked.delete(slot)
    this.#askForMissing()
    if (member.isListening) this.#giveHolds(member)
    this.#compareWithAnother(borrower.incarnation)
  }

  slotReceived(slot: number, handle: SocketHandle): void {
    this.#asked.delete(slot)
    if (this.listener.hasForeign(slot)) {
      this.#isCompared = true
      if (this.listener.isAnother(slot, handle)) this.#keepBoth()
    }
    this.listener.addSlot(slot, handle)
    this.#giveHoldsToAll()
  }

  slotMissing(incarnation: string, slot: number): void {
    const member = this.#members.get(incarnation)
    member?.held.delete(slot)
    member?.loans.delete(slot)
    if (this.#asked.get(slot) === incarnation) this.#asked.delete(slot)
    this.#askForMissing()
    this.#compareWithAnother(incarnation)
  }

  attached(incarnation: string, slot: number, error: number): void {
    const member = this.#members.get(incarnation)
    if (member === undefined) return
    const loan = member.loans.get(slot) ?? { state: 'attached', unanswered: 0 }
    loan.unanswered = Math.max(loan.unanswered - 1, 0)
    if (loan.unanswered > 0) return
    if (error !== 0) {
      member.loans.delete(slot)
      if (loan.state === 'attaching') member.refuses = true
      return
    }
    // One that had dropped its loans may have opened again before it read this attach.
    if (loan.state !== 'leaving') loan.state = 'attached'
    member.loans.set(slot, loan)
  }

  detached(incarnation: string, slot: number): void {
    const loans = this.#members.get(incarnation)?.loans
    const loan = loans?.get(slot)
    if (loans === undefined || loan === undefined) return
    loan.unanswered = Math.max(loan.unanswered - 1, 0)
    if (loan.unanswered === 0) loans.delete(slot)
  }

  /** The worker let go of its loans by itself. */
  gaveUp(incarnation: string): void {
    const member = this.#members.get(incarnation)
    if (member !== undefined) dropLoans(member)
  }

  mayBeLentAgain(incarnation: string): void {
    const member = this.#members.get(incarnation)
    if (member !== undefined) member.refuses = false
  }

  // ---- what follows ---------------------------------------------------------------------------------

  /** Brings the loans to what they should be when exactly these may borrow. */
  lendTo(candidates: readonly string[], slots: number, loansPerSlot: number): void {
    if (this.listener.grow(slots).length > 0) this.#giveHoldsToAll()
    const borrowers = candidates.filter((incarnation) => this.#canBorrow(incarnation))
    const plan = planLoans({ slots: this.listener.slots, borrowers, loans: this.#loans(), loansPerSlot })
    const lent = new Set([...plan.loans.values()].flat())
    this.#spare = new Set(borrowers.filter((incarnation) => !lent.has(incarnation)))
    this.#want(plan.loans)
    for (const { slot, borrower } of plan.attach) this.#attach(slot, borrower)
    this.#endLoans()
  }

  /** Lets every worker drop what it keeps, and closes the sockets. */
  close(): void {
    const { key } = this.listener
    for (const member of this.#members.values()) {
      if (member.held.size + member.loans.size > 0) member.borrower.send({ type: 'forget', key })
    }
    this.#members.clear()
    this.listener.close()
  }

  #member(borrower: Borrower): Member {
    const known = this.#members.get(borrower.incarnation)
    if (known !== undefined) {
      known.borrower = borrower
      return known
    }
    const member: Member = { borrower, isListening: false, held: new Set(), loans: new Map(), refuses: false }
    this.#members.set(borrower.incarnation, member)
    return member
  }

  #loansOf(incarnation: string): readonly (readonly [number, Loan])[] {
    return [...(this.#members.get(incarnation)?.loans ?? [])]
  }

  #canBorrow(incarnation: string): boolean {
    const member = this.#members.get(incarnation)
    return member !== undefined && member.isListening && !member.refuses
  }

  /** Loans by slot, without those that end. A loan of a slot that is not here stays as the worker has it. */
  #loans(): Map<number, string[]> {
    const loans = new Map<number, string[]>(this.listener.slots.map((slot) => [slot, []]))
    for (const [incarnation, member] of this.#members) {
      for (const [slot, loan] of member.loans) if (loan.state !== 'detaching') loans.get(slot)?.push(incarnation)
    }
    return loans
  }

  /** Marks as leaving what the plan does not want, and as staying what it wants again before it was ended. */
  #want(loans: ReadonlyMap<number, readonly string[]>): void {
    for (const [incarnation, member] of this.#members) {
      for (const [slot, loan] of member.loans) {
        const isWanted = loans.get(slot)?.includes(incarnation) ?? true
        if (!isWanted && loan.state !== 'detaching') loan.state = 'leaving'
        if (isWanted && loan.state === 'leaving') loan.state = loan.unanswered > 0 ? 'attaching' : 'attached'
      }
    }
  }

  #attach(slot: number, incarnation: string): void {
    const member = this.#members.get(incarnation)
    const handle = this.listener.handle(slot)
    if (member === undefined || handle === undefined) return
    const unanswered = (member.loans.get(slot)?.unanswered ?? 0) + 1
    member.loans.set(slot, { state: 'attaching', unanswered })
    const { key, request } = this.listener
    member.borrower.send({ type: 'attach', key, slot, backlog: request.backlog ?? DEFAULT_BACKLOG }, handle)
  }

  #endLoans(): void {
    for (const slot of this.listener.slots) {
      const states = new Map<string, LoanState>()
      for (const [incarnation, member] of this.#members) {
        const loan = member.loans.get(slot)
        if (loan !== undefined) states.set(incarnation, loan.state)
      }
      for (const incarnation of loansToEnd(states)) this.#detach(slot, incarnation)
    }
  }

  #detach(slot: number, incarnation: string): void {
    const member = this.#members.get(incarnation)
    const loan = member?.loans.get(slot)
    if (member === undefined || loan === undefined) return
    loan.state = 'detaching'
    loan.unanswered += 1
    member.borrower.send({ type: 'detach', key: this.listener.key, slot })
  }

  #giveHoldsToAll(): void {
    for (const member of this.#members.values()) if (member.isListening) this.#giveHolds(member)
  }

  #giveHolds(member: Member): void {
    for (const slot of this.listener.slots) {
      if (member.held.has(slot)) continue
      member.held.add(slot)
      member.borrower.send({ type: 'hold', key: this.listener.key, slot }, this.listener.handle(slot))
    }
  }

  /**
   * While a worker served on without a supervisor systemd may have closed its sockets and opened others, as it does when it
   * gives a service up: those that it passes then are nobody's, although they have the numbers of those that are lent.
   */
  #compare(): void {
    if (!this.listener.isForeign || this.#isCompared || this.#comparing !== null) return
    for (const { borrower, held, loans } of this.#members.values()) {
      const slot = [...held, ...loans.keys()].find((one) => this.listener.hasForeign(one))
      if (slot === undefined) continue
      this.#comparing = borrower.incarnation
      return borrower.send({ type: 'give', key: this.listener.key, slots: [slot] })
    }
  }

  /** This one does not answer any more, or begins anew. */
  #compareWithAnother(incarnation: string): void {
    if (this.#comparing === incarnation) this.#comparing = null
    this.#compare()
  }

  #keepBoth(): void {
    const theirs = new Set<number>()
    for (const { held, loans } of this.#members.values())
      for (const slot of [...held, ...loans.keys()]) theirs.add(slot)
    this.listener.setForeignAside(Math.max(BEYOND_SLOTS, Math.max(...theirs) + 1))
    for (const slot of theirs) this.listener.expectSlot(slot)
    this.#askForMissing()
  }

  /** Asks for each missing slot one worker that has it; a slot that nobody has is lost. */
  #askForMissing(): void {
    const wanted = new Map<Borrower, number[]>()
    for (const slot of this.listener.missingSlots()) {
      if (this.#asked.has(slot)) continue
      const keeper = [...this.#members.values()].find((member) => member.held.has(slot) || member.loans.has(slot))
      if (keeper === undefined) {
        this.listener.forgetSlot(slot)
        continue
      }
      this.#asked.set(slot, keeper.borrower.incarnation)
      wanted.set(keeper.borrower, [...(wanted.get(keeper.borrower) ?? []), slot])
    }
    for (const [borrower, slots] of wanted) borrower.send({ type: 'give', key: this.listener.key, slots })
  }
}

/** What was asked of the worker before is still going to be answered. */
function dropLoans(member: Member): void {
  for (const [slot, loan] of member.loans) {
    if (loan.unanswered === 0) member.loans.delete(slot)
    else loan.state = 'detaching'
  }
}
