import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EXTRA_MOVES, loansToEnd, planLoans, slotsWanted, type LoanPlan, type Loans } from '../../src/core/slots.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => index)
const names = (count: number) => range(count).map((index) => `w${index}`)

function share(loans: Loans, borrower: string): number {
  return [...loans.values()].filter((borrowers) => borrowers.includes(borrower)).length
}

function common(loans: Loans, one: string, other: string): number {
  return [...loans.values()].filter((borrowers) => borrowers.includes(one) && borrowers.includes(other)).length
}

/** What invariants 1 and 2 alone make any plan attach. */
function leastAttaches(slots: readonly number[], borrowers: readonly string[], perSlot: number, loans: Loans): number {
  const kept = slots.map((slot) => (loans.get(slot) ?? []).filter((borrower) => borrowers.includes(borrower)))
  const vacancies = kept.reduce((sum, borrowersOfSlot) => sum + Math.max(perSlot - borrowersOfSlot.length, 0), 0)
  const fair = Math.floor((slots.length * perSlot) / borrowers.length)
  const owed = borrowers.map((borrower) => fair - kept.filter((those) => those.includes(borrower)).length)
  return Math.max(
    vacancies,
    owed.reduce((sum, debt) => sum + Math.max(debt, 0), 0),
  )
}

type Step =
  | { readonly type: 'join' }
  | { readonly type: 'leave'; readonly which: number; readonly died: boolean }
  | { readonly type: 'grow'; readonly by: number }

const steps = fc.array(
  fc.oneof(
    fc.constant<Step>({ type: 'join' }),
    fc.record({ type: fc.constant('leave' as const), which: fc.nat(20), died: fc.boolean() }),
    fc.record({ type: fc.constant('grow' as const), by: fc.integer({ min: 1, max: 4 }) }),
  ),
  { maxLength: 25, size: 'max' },
)

interface Moment {
  readonly slots: readonly number[]
  readonly borrowers: readonly string[]
  readonly loansPerSlot: number
  readonly perSlot: number
  readonly before: Loans
  readonly plan: LoanPlan
  readonly step: Step
}

/** Lives through a history and looks at every moment of it. */
function live(history: readonly Step[], slotCount: number, loansPerSlot: number, look: (moment: Moment) => void): void {
  let slots = range(slotCount)
  let borrowers: readonly string[] = []
  let loans: Loans = new Map()
  let joined = 0
  for (const step of history) {
    let before = loans
    if (step.type === 'join') borrowers = borrowers.concat(`w${joined++}`)
    if (step.type === 'grow') slots = range(slots.length + step.by)
    if (step.type === 'leave') {
      const gone = borrowers[step.which % Math.max(borrowers.length, 1)]
      borrowers = borrowers.filter((borrower) => borrower !== gone)
      if (step.died) before = new Map([...loans].map(([slot, those]) => [slot, those.filter((one) => one !== gone)]))
    }
    const plan = planLoans({ slots, borrowers, loans: before, loansPerSlot })
    const perSlot = slots.length === 1 ? borrowers.length : Math.min(loansPerSlot, borrowers.length)
    look({ slots, borrowers, loansPerSlot, perSlot, before, plan, step })
    loans = plan.loans
  }
}

function holdsThroughout(look: (moment: Moment) => void): void {
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 4 }),
      (history, slots, loansPerSlot) => live(history, slots, loansPerSlot, look),
    ),
    { numRuns: 400 },
  )
}

describe('planLoans()', () => {
  it('gives every slot min(loansPerSlot, borrowers) distinct borrowers', () => {
    holdsThroughout(({ slots, borrowers, perSlot, plan }) => {
      expect([...plan.loans.keys()]).toEqual(slots)
      for (const those of plan.loans.values()) {
        expect(new Set(those).size).toBe(perSlot)
        expect(those).toHaveLength(perSlot)
        expect(those.every((borrower) => borrowers.includes(borrower))).toBe(true)
      }
    })
  })

  it('keeps shares within one loan of each other (L1)', () => {
    holdsThroughout(({ borrowers, plan }) => {
      const shares = borrowers.map((borrower) => share(plan.loans, borrower))
      if (shares.length > 0) expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
    })
  })

  it('gives whoever has two slots two partners, with two loans a slot and three borrowers or more (L6)', () => {
    holdsThroughout(({ slots, borrowers, loansPerSlot, plan }) => {
      if (loansPerSlot !== 2 || borrowers.length < 3 || slots.length === 1) return
      for (const borrower of borrowers.filter((one) => share(plan.loans, one) >= 2)) {
        const partners = borrowers.filter((other) => other !== borrower && common(plan.loans, borrower, other) > 0)
        expect(partners.length).toBeGreaterThanOrEqual(2)
      }
    })
  })

  it('moves hardly more loans than a join, a leave or a new slot makes necessary', () => {
    holdsThroughout(({ slots, borrowers, loansPerSlot, perSlot, before, plan }) => {
      if (borrowers.length === 0) return
      const extra = plan.attach.length - leastAttaches(slots, borrowers, perSlot, before)
      expect(extra).toBeLessThanOrEqual(loansPerSlot <= 2 ? 2 : EXTRA_MOVES)
    })
  })

  it('says exactly what to attach and to detach to get from the loans before to those of the plan', () => {
    holdsThroughout(({ before, plan }) => {
      const state = new Map([...before].map(([slot, those]) => [slot, new Set(those)]))
      for (const { slot, borrower } of plan.attach) {
        expect(state.get(slot)?.has(borrower) ?? false).toBe(false)
        state.set(slot, (state.get(slot) ?? new Set()).add(borrower))
      }
      for (const { slot, borrower } of plan.detach) expect(state.get(slot)!.delete(borrower)).toBe(true)
      for (const [slot, those] of plan.loans) expect([...(state.get(slot) ?? [])].toSorted()).toEqual(those.toSorted())
    })
  })

  it('leaves no slot without a borrower when all attaches are done before the detaches', () => {
    holdsThroughout(({ before, plan, borrowers }) => {
      const state = new Map([...before].map(([slot, those]) => [slot, new Set(those)]))
      for (const { slot, borrower } of plan.attach) state.set(slot, (state.get(slot) ?? new Set()).add(borrower))
      for (const { slot, borrower } of plan.detach) {
        state.get(slot)!.delete(borrower)
        if (borrowers.length > 0) expect(state.get(slot)!.size).toBeGreaterThan(0)
      }
    })
  })

  it('attaches to slots that nobody serves before all others', () => {
    const loans = new Map([
      [0, ['a', 'b']],
      [1, ['a']],
      [2, []],
    ])
    const plan = planLoans({ slots: [0, 1, 2], borrowers: ['a', 'b', 'c'], loans, loansPerSlot: 2 })
    expect(plan.attach.map(({ slot }) => slot)).toEqual([2, 2, 1])
  })

  it('plans the same for the same input, and nothing to do for its own plan', () => {
    holdsThroughout(({ slots, borrowers, loansPerSlot, before, plan }) => {
      expect(planLoans({ slots, borrowers, loans: before, loansPerSlot })).toEqual(plan)
      const again = planLoans({ slots, borrowers, loans: plan.loans, loansPerSlot })
      expect([again.attach, again.detach]).toEqual([[], []])
    })
  })

  it('lends the only slot of a listener to all', () => {
    const plan = planLoans({ slots: [0], borrowers: names(5), loans: new Map([[0, ['w3']]]), loansPerSlot: 2 })
    expect(plan.loans.get(0)!.toSorted()).toEqual(names(5))
    expect(plan.attach).toHaveLength(4)
  })

  it('spreads 12 slots over 4 workers so that each pair has 2 of them in common', () => {
    const { loans } = planLoans({ slots: range(12), borrowers: names(4), loans: new Map(), loansPerSlot: 2 })
    for (const one of names(4)) {
      for (const other of names(4)) if (one !== other) expect(common(loans, one, other)).toBe(2)
    }
  })

  it('takes loans back when fewer a slot are wanted', () => {
    const three = planLoans({ slots: range(6), borrowers: names(4), loans: new Map(), loansPerSlot: 3 }).loans
    const plan = planLoans({ slots: range(6), borrowers: names(4), loans: three, loansPerSlot: 2 })
    expect([...plan.loans.values()].every((those) => those.length === 2)).toBe(true)
    expect(names(4).map((one) => share(plan.loans, one))).toEqual([3, 3, 3, 3])
  })

  it('takes a loan of less than one as one', () => {
    const plan = planLoans({ slots: range(2), borrowers: names(2), loans: new Map(), loansPerSlot: 0 })
    expect([...plan.loans.values()].every((those) => those.length === 1)).toBe(true)
  })

  it('separates two who share all their slots as soon as a third has borrowed', () => {
    const loans = new Map([
      [0, ['a', 'b']],
      [1, ['a', 'b']],
      [2, ['c', 'd']],
      [3, ['c', 'd']],
    ])
    const plan = planLoans({ slots: range(4), borrowers: ['a', 'b', 'c', 'd'], loans, loansPerSlot: 2 })
    expect(common(plan.loans, 'a', 'b')).toBe(1)
    expect(plan.attach).toHaveLength(2)
  })

  it('ends the loans of a slot that is no more', () => {
    const loans = new Map([
      [0, ['a']],
      [7, ['a']],
    ])
    const plan = planLoans({ slots: [0], borrowers: ['a'], loans, loansPerSlot: 2 })
    expect(plan).toEqual({ loans: new Map([[0, ['a']]]), attach: [], detach: [{ slot: 7, borrower: 'a' }] })
  })

  it('takes every loan back when nobody may borrow', () => {
    const plan = planLoans({ slots: [0, 1], borrowers: [], loans: new Map([[0, ['a']]]), loansPerSlot: 2 })
    expect(plan.attach).toEqual([])
    expect(plan.detach).toEqual([{ slot: 0, borrower: 'a' }])
  })
})

describe('loansToEnd()', () => {
  it('waits until every new borrower of the slot accepts', () => {
    expect(
      loansToEnd(
        new Map([
          ['old', 'leaving'],
          ['new', 'attaching'],
          ['other', 'attached'],
        ] as const),
      ),
    ).toEqual([])
    expect(
      loansToEnd(
        new Map([
          ['old', 'leaving'],
          ['new', 'attached'],
        ] as const),
      ),
    ).toEqual(['old'])
  })

  it('ends all at once when nobody shall have the slot', () => {
    expect(
      loansToEnd(
        new Map([
          ['a', 'leaving'],
          ['b', 'leaving'],
          ['c', 'detaching'],
        ] as const),
      ),
    ).toEqual(['a', 'b'])
  })
})

describe('slotsWanted()', () => {
  it('keeps what is configured while every worker can have four loans', () => {
    expect([1, 2, 4, 6].map((workers) => slotsWanted(12, workers))).toEqual([12, 12, 12, 12])
  })

  it('grows with the workers, so that shares stay within a quarter of each other', () => {
    expect(slotsWanted(12, 10)).toBe(20)
    expect(slotsWanted(12, 64)).toBe(128)
    expect(slotsWanted(12, 10, 4)).toBe(12)
    expect(slotsWanted(2, 3, 0)).toBe(12)
  })

  it('leaves a single shared socket single', () => {
    expect(slotsWanted(1, 64)).toBe(1)
    expect(slotsWanted(0, 4)).toBe(1)
  })
})
