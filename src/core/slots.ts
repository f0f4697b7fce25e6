// Which slots are lent to which workers: one pure function of the slots, the workers able to serve and the loans so far.
//
// Invariants
// 1. Every slot has min(loansPerSlot, borrowers) distinct borrowers; the only slot of a listener is lent to all.
// 2. Shares are even: two borrowers of a listener differ by at most one loan.
// 3. Pairs vary: with two loans a slot and three or more borrowers, whoever has two slots has two partners, so that the
//    load of a blocked worker spreads. With more loans a slot it is so wherever an exchange of two loans can bring it about.
// 4. Few loans move: a join or a leave costs the attaches that 1 and 2 ask for, and at most `EXTRA_MOVES` more.
// 5. The same input gives the same plan. Attaches come first, those of slots that nobody serves before the others;
//    who detaches from a slot only after its attaches were acknowledged never leaves it without a borrower.

export interface Loan {
  readonly slot: number
  readonly borrower: string
}

/** Borrowers by slot. */
export type Loans = ReadonlyMap<number, readonly string[]>

export interface LoanInput {
  readonly slots: readonly number[]
  /** Workers able to serve. */
  readonly borrowers: readonly string[]
  /** Loans so far, also of workers that may no longer borrow. Leave out the dead: they need not be asked to detach. */
  readonly loans: Loans
  readonly loansPerSlot: number
}

export interface LoanPlan {
  readonly loans: Loans
  readonly attach: readonly Loan[]
  readonly detach: readonly Loan[]
}

/** How a loan stands between what was asked of the worker and what it answered. */
export type LoanState =
  | 'attaching' // asked to attach, not yet acknowledged
  | 'attached' // accepts
  | 'leaving' // wanted no more; accepts until others have taken over
  | 'detaching' // asked to detach, not yet acknowledged

/** Attaches beyond the minimum that one join or leave may cost; property-tested. */
export const EXTRA_MOVES = 4

/** With fewer loans than this a worker's share of connections would be too uneven: 3 and 2 loans are 50 % apart. */
const LOANS_PER_WORKER = 4

/**
 * How many slots a listener should have. They only grow: one more reuse-port socket loses nothing, closing one loses
 * the connections in its queue. A single slot is somebody's decision to share one socket, and stays.
 */
export function slotsWanted(configured: number, workers: number, loansPerSlot = 2): number {
  if (configured <= 1) return 1
  return Math.max(configured, Math.ceil((LOANS_PER_WORKER * workers) / Math.max(loansPerSlot, 1)))
}

export function planLoans(input: LoanInput): LoanPlan {
  const slots = [...new Set(input.slots)]
  const borrowers = [...new Set(input.borrowers)]
  const perSlot = slots.length === 1 ? borrowers.length : Math.min(Math.max(input.loansPerSlot, 1), borrowers.length)
  const table = new LoanTable(slots, borrowers, input.loans)
  trim(table, perSlot)
  fill(table, perSlot)
  balance(table)
  vary(table)
  return table.plan(input.loans)
}

/**
 * Which leaving loans of one slot may end now: all of them, once every borrower that the slot shall have accepts on it.
 * A slot that shall have none is given up at once: its connections wait in the queue.
 */
export function loansToEnd(loans: ReadonlyMap<string, LoanState>): readonly string[] {
  if ([...loans.values()].includes('attaching')) return []
  return [...loans].filter(([, state]) => state === 'leaving').map(([borrower]) => borrower)
}

/** The plan while it is made. It lives and dies within one call of `planLoans`. */
class LoanTable {
  readonly slots: readonly number[]
  readonly borrowers: readonly string[]
  readonly #loans = new Map<number, Set<string>>()
  readonly #shares: Map<string, number>
  /** Slots in common, by both borrowers. */
  readonly #common = new Map<string, Map<string, number>>()
  readonly #before = new Map<number, ReadonlySet<string>>()

  constructor(slots: readonly number[], borrowers: readonly string[], loans: Loans) {
    this.slots = slots
    this.borrowers = borrowers
    this.#shares = new Map(borrowers.map((borrower) => [borrower, 0]))
    for (const borrower of borrowers) this.#common.set(borrower, new Map())
    for (const slot of slots) {
      this.#loans.set(slot, new Set())
      this.#before.set(slot, new Set(loans.get(slot)))
      for (const borrower of this.#before.get(slot)!) if (this.#shares.has(borrower)) this.lend(slot, borrower)
    }
  }

  /** A copy, since callers lend and take back while they look at it. */
  of(slot: number): readonly string[] {
    return [...this.#loans.get(slot)!]
  }

  has(slot: number, borrower: string): boolean {
    return this.#loans.get(slot)!.has(borrower)
  }

  share(borrower: string): number {
    return this.#shares.get(borrower)!
  }

  lend(slot: number, borrower: string): void {
    this.#count(slot, borrower, 1)
    this.#loans.get(slot)!.add(borrower)
  }

  takeBack(slot: number, borrower: string): void {
    this.#loans.get(slot)!.delete(borrower)
    this.#count(slot, borrower, -1)
  }

  #count(slot: number, borrower: string, step: 1 | -1): void {
    this.#shares.set(borrower, this.share(borrower) + step)
    for (const other of this.#loans.get(slot)!) {
      this.#common.get(borrower)!.set(other, this.common(borrower, other) + step)
      this.#common.get(other)!.set(borrower, this.common(borrower, other))
    }
  }

  /** Whether this loan is older than the plan, so that ending it moves something. */
  isOld(slot: number, borrower: string): boolean {
    return this.#before.get(slot)!.has(borrower)
  }

  slotsOf(borrower: string): readonly number[] {
    return this.slots.filter((slot) => this.has(slot, borrower))
  }

  /** How many slots two borrowers have in common. */
  common(one: string, other: string): number {
    return this.#common.get(one)!.get(other) ?? 0
  }

  /** What `borrower` would have in common with the others of `slot`, squared so that repeating a pair costs more. */
  crowding(slot: number, borrower: string, without?: string): number {
    const others = this.of(slot).filter((other) => other !== borrower && other !== without)
    return others.reduce((sum, other) => sum + this.common(borrower, other) ** 2, 0)
  }

  /** The borrowers that have all of `borrower`'s slots. */
  shadows(borrower: string): number {
    const share = this.share(borrower)
    if (share < 2) return 0
    return this.borrowers.filter((other) => other !== borrower && this.common(borrower, other) === share).length
  }

  plan(before: Loans): LoanPlan {
    const loans = new Map(this.slots.map((slot) => [slot, this.of(slot)]))
    const attach = this.slots.flatMap((slot) =>
      this.of(slot)
        .filter((borrower) => !this.isOld(slot, borrower))
        .map((borrower) => ({ slot, borrower })),
    )
    const isServed = ({ slot }: Loan) => this.#before.get(slot)!.size > 0
    const detach = [...before].flatMap(([slot, old]) =>
      old.filter((borrower) => !this.#loans.get(slot)?.has(borrower)).map((borrower) => ({ slot, borrower })),
    )
    return { loans, attach: attach.toSorted((a, b) => Number(isServed(a)) - Number(isServed(b))), detach }
  }
}

/** Takes loans back where there are more than a slot shall have, from those with the largest share. */
function trim(table: LoanTable, perSlot: number): void {
  for (const slot of table.slots) {
    while (table.of(slot).length > perSlot) {
      table.takeBack(
        slot,
        least(table.of(slot), (borrower) => [-table.share(borrower)])!,
      )
    }
  }
}

/** Lends what is missing to those with the smallest share. */
function fill(table: LoanTable, perSlot: number): void {
  for (const slot of table.slots) {
    while (table.of(slot).length < perSlot) {
      const free = table.borrowers.filter((borrower) => !table.has(slot, borrower))
      table.lend(
        slot,
        least(free, (borrower) => [table.share(borrower), table.crowding(slot, borrower)])!,
      )
    }
  }
}

/** Moves loans from the largest share to the smallest until they differ by at most one. */
function balance(table: LoanTable): void {
  for (;;) {
    const rich = least(table.borrowers, (borrower) => [-table.share(borrower)])
    const poor = least(table.borrowers, (borrower) => [table.share(borrower)])
    if (rich === undefined || poor === undefined || table.share(rich) - table.share(poor) < 2) return
    // There is such a slot: the rich one has more slots than the poor one.
    const movable = table.slotsOf(rich).filter((slot) => !table.has(slot, poor))
    const slot = least(movable, (one) => [table.crowding(one, poor, rich) - table.crowding(one, rich)])!
    table.takeBack(slot, rich)
    table.lend(slot, poor)
  }
}

/** Exchanges loans, two at a time, until nobody's slots are all another one's too, or no exchange helps any more. */
function vary(table: LoanTable): void {
  for (const borrower of table.borrowers) {
    while (table.shadows(borrower) > 0) {
      const best = least(exchanges(table, borrower), (exchange) => exchange.cost)
      if (best === undefined) return
      swap(table, best)
    }
  }
}

interface Exchange {
  /** `partner` gives `slot` to `stranger` and gets `other` for it. */
  readonly slot: number
  readonly partner: string
  readonly other: number
  readonly stranger: string
  readonly cost: readonly number[]
}

/** Every exchange that leaves fewer borrowers shadowed than there are now. */
function exchanges(table: LoanTable, borrower: string): Exchange[] {
  const before = countShadows(table)
  const found: Exchange[] = []
  for (const slot of table.slotsOf(borrower)) {
    for (const partner of table.of(slot)) {
      if (partner === borrower || table.common(borrower, partner) < table.share(borrower)) continue
      for (const other of table.slots.filter((candidate) => !table.has(candidate, partner))) {
        for (const stranger of table.of(other)) {
          if (table.has(slot, stranger)) continue
          const after = afterwards(table, { slot, partner, other, stranger, cost: [] })
          if (after.shadows < before) {
            const moved = Number(table.isOld(slot, partner)) + Number(table.isOld(other, stranger))
            found.push({ slot, partner, other, stranger, cost: [after.shadows, moved, after.crowding] })
          }
        }
      }
    }
  }
  return found
}

/** How things stand after an exchange, found by trying. */
function afterwards(table: LoanTable, exchange: Exchange): { shadows: number; crowding: number } {
  swap(table, exchange)
  const { slot, partner, other, stranger } = exchange
  const result = {
    shadows: countShadows(table),
    crowding: table.crowding(slot, stranger) + table.crowding(other, partner),
  }
  swap(table, { ...exchange, partner: stranger, stranger: partner })
  return result
}

function swap(table: LoanTable, { slot, partner, other, stranger }: Exchange): void {
  table.takeBack(slot, partner)
  table.takeBack(other, stranger)
  table.lend(slot, stranger)
  table.lend(other, partner)
}

function countShadows(table: LoanTable): number {
  return table.borrowers.reduce((sum, borrower) => sum + table.shadows(borrower), 0)
}

/** The first item of the lowest cost, costs being compared figure by figure. */
function least<Item>(items: readonly Item[], cost: (item: Item) => readonly number[]): Item | undefined {
  let best: { item: Item; cost: readonly number[] } | undefined
  for (const item of items) {
    const candidate = { item, cost: cost(item) }
    if (best === undefined || isLess(candidate.cost, best.cost)) best = candidate
  }
  return best?.item
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  for (const [index, figure] of one.entries()) {
    if (figure !== other[index]) return figure < other[index]!
  }
  return false
}
