import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  advance,
  beginReload,
  goBack,
  nextDeadline,
  onSeatFact,
  outcomeOf,
  SEAT_TRANSITIONS,
  type Reload,
  type ReloadEffect,
  type ReloadPlan,
  type SeatEvent,
  type SeatState,
} from '../../src/core/reload.ts'

const MIN_READY_MS = 1000
const ANSWER_MS = 5000

/** A group of processes that does what the machine says, at once or when told to. */
class World {
  now = 0
  reload: Reload
  /** Old and new process of each worker: what each is doing. */
  readonly old = new Map<number, 'serving' | 'draining' | 'gone'>()
  readonly fresh = new Map<number, 'booting' | 'serving' | 'leaving' | 'gone'>()
  readonly log: string[] = []
  most = 0
  /** New processes whose loop does not turn. */
  readonly hanging = new Set<number>()
  #asked: number[] = []

  constructor(workers: number, plan: Partial<ReloadPlan> = {}, dead: readonly number[] = []) {
    const ids = Array.from({ length: workers }, (_, index) => index + 1)
    for (const id of ids) this.old.set(id, dead.includes(id) ? 'gone' : 'serving')
    const full: ReloadPlan = {
      surge: workers,
      booting: workers,
      minReadyMs: MIN_READY_MS,
      answerMs: ANSWER_MS,
      restorable: false,
      ...plan,
    }
    this.reload = beginReload(
      ids.map((worker) => ({ worker, alive: !dead.includes(worker) })),
      full,
    )
    this.advance()
  }

  advance(ms = 0): void {
    this.now += ms
    this.#apply(advance(this.reload, this.now))
    for (const worker of this.#asked.splice(0)) if (!this.hanging.has(worker)) this.answer(worker)
  }

  answer(worker: number): void {
    this.#apply(onSeatFact(this.reload, worker, 'answered', this.now))
    this.advance()
  }

  fact(worker: number, fact: 'served' | 'oldGone' | 'newGone'): void {
    if (fact === 'served') this.fresh.set(worker, 'serving')
    if (fact === 'oldGone') this.old.set(worker, 'gone')
    if (fact === 'newGone') this.fresh.set(worker, 'gone')
    this.#apply(onSeatFact(this.reload, worker, fact, this.now))
    this.advance()
  }

  goBack(): void {
    this.#apply(goBack(this.reload, this.now))
  }

  get outcome() {
    return outcomeOf(this.reload)
  }

  states(): SeatState[] {
    return this.reload.seats.map((seat) => seat.state)
  }

  processes(): number {
    const olds = [...this.old.values()].filter((state) => state !== 'gone').length
    return olds + [...this.fresh.values()].filter((state) => state !== 'gone').length
  }

  serving(): number {
    return [...this.old.keys()].filter((id) => this.old.get(id) === 'serving' || this.fresh.get(id) === 'serving')
      .length
  }

  #apply({ reload, effects }: { reload: Reload; effects: readonly ReloadEffect[] }): void {
    this.reload = reload
    for (const effect of effects) this.#perform(effect)
    this.most = Math.max(this.most, this.processes())
  }

  #perform({ type, worker }: ReloadEffect): void {
    if (type !== 'askNew') this.log.push(`${type} ${worker}`)
    if (type === 'startNew' || type === 'startOld') this.fresh.set(worker, 'booting')
    if (type === 'askNew') this.#asked.push(worker)
    if (type === 'drainOld') this.old.set(worker, 'draining')
    if (type === 'undrainOld') this.old.set(worker, 'serving')
    if (type === 'drainNew') this.fresh.set(worker, 'leaving')
  }
}

describe('a reload with room for all', () => {
  it('lets no old process go before every new one is proven', () => {
    const world = new World(2)
    expect(world.log).toEqual(['startNew 1', 'startNew 2'])
    world.fact(1, 'served')
    world.advance(MIN_READY_MS)
    expect(world.states()).toEqual(['proven', 'starting'])
    world.fact(2, 'served')
    expect(world.log).not.toContain('drainOld 1')
    world.advance(MIN_READY_MS)
    expect(world.log.slice(2)).toEqual(['drainOld 1', 'drainOld 2'])
    world.fact(1, 'oldGone')
    expect(world.outcome).toBeNull()
    world.fact(2, 'oldGone')
    expect(world.outcome).toBe('moved')
  })

  it('keeps every old one when one of the new fails to boot (R5)', () => {
    const world = new World(3)
    world.fact(1, 'served')
    world.fact(2, 'newGone')
    expect(world.log.slice(3)).toEqual(['drainNew 1', 'drainNew 3'])
    world.fact(1, 'newGone')
    world.fact(3, 'newGone')
    expect(world.outcome).toBe('kept')
    expect(world.reload.failed).toBe(2)
    expect(world.serving()).toBe(3)
  })

  it('does not trust a new one whose loop hangs after it got ready (R4)', () => {
    const world = new World(2)
    world.hanging.add(2)
    world.fact(1, 'served')
    world.fact(2, 'served')
    world.advance(MIN_READY_MS)
    expect(world.states()).toEqual(['proven', 'asking'])
    world.advance(ANSWER_MS)
    expect(world.log.slice(2)).toEqual(['killNew 2'])
    world.advance(1)
    expect(world.log.filter((line) => line === 'killNew 2')).toHaveLength(1)
    world.fact(2, 'newGone')
    world.fact(1, 'newGone')
    expect(world.outcome).toBe('kept')
    expect(world.reload.failed).toBe(2)
  })

  it('takes one that answers late, but in time', () => {
    const world = new World(1)
    world.hanging.add(1)
    world.fact(1, 'served')
    world.advance(MIN_READY_MS)
    world.advance(ANSWER_MS - 1)
    world.answer(1)
    expect(world.states()).toEqual(['draining'])
  })

  it('keeps every old one when a new one dies within minReady', () => {
    const world = new World(2)
    world.fact(1, 'served')
    world.fact(2, 'served')
    world.advance(MIN_READY_MS - 1)
    world.fact(2, 'newGone')
    world.fact(1, 'newGone')
    expect(world.outcome).toBe('kept')
    expect(world.log).not.toContain('drainOld 1')
  })

  it('does not go back for a crash after the commit', () => {
    const world = new World(2, { minReadyMs: 0 })
    world.fact(1, 'served')
    world.fact(2, 'served')
    world.fact(1, 'newGone')
    expect(world.states()).toEqual(['draining', 'draining'])
    world.fact(1, 'oldGone')
    world.fact(2, 'oldGone')
    expect(world.outcome).toBe('moved')
  })

  it('boots no more at a time than the plan says', () => {
    const world = new World(4, { booting: 1, minReadyMs: 0 })
    expect(world.log).toEqual(['startNew 1'])
    world.fact(1, 'served')
    expect(world.log).toEqual(['startNew 1', 'startNew 2'])
  })

  it('starts where there is no old process at once, and has nothing to drain (R10)', () => {
    const world = new World(2, { surge: 1, minReadyMs: 0 }, [1, 2])
    expect(world.log).toEqual(['startNew 1', 'startNew 2'])
    world.fact(1, 'served')
    world.fact(2, 'served')
    expect(world.outcome).toBe('moved')
  })

  it('is over at once when there is nothing to replace', () => {
    expect(new World(0).outcome).toBe('moved')
  })
})

describe('a reload with room for one', () => {
  it('stays within one process more and never drops capacity (R17, R18)', () => {
    const world = new World(3, { surge: 1, minReadyMs: 0 })
    for (const id of [1, 2, 3]) {
      expect(world.states()[id - 1]).toBe('starting')
      world.fact(id, 'served')
      world.fact(id, 'oldGone')
    }
    expect(world.outcome).toBe('moved')
    expect(world.most).toBe(4)
  })

  it('starts the old code again where it was gone already, when that can be had (R5)', () => {
    const world = new World(2, { surge: 1, minReadyMs: 0, restorable: true })
    world.fact(1, 'served')
    world.fact(1, 'oldGone')
    world.fact(2, 'newGone')
    expect(world.log.at(-1)).toBe('startOld 1')
    expect(world.outcome).toBeNull()
    world.fact(1, 'served')
    expect(world.log.at(-1)).toBe('drainNew 1')
    expect(world.outcome).toBe('kept')
  })

  it('says that the mix is one when the old code cannot be had', () => {
    const world = new World(2, { surge: 1, minReadyMs: 0 })
    world.fact(1, 'served')
    world.fact(1, 'oldGone')
    world.fact(2, 'newGone')
    expect(world.outcome).toBe('mixed')
  })

  it('keeps the new process when the old code does not start either', () => {
    const world = new World(2, { surge: 1, minReadyMs: 0, restorable: true })
    world.fact(1, 'served')
    world.fact(1, 'oldGone')
    world.fact(2, 'newGone')
    world.fact(1, 'newGone')
    expect(world.outcome).toBe('mixed')
  })

  it('lets a draining old process serve again when the next one fails (R11)', () => {
    const world = new World(2, { surge: 2, booting: 2, minReadyMs: 0 })
    world.fact(1, 'served')
    world.goBack()
    expect(world.states()).toEqual(['discarding', 'discarding'])
    const tight = new World(3, { surge: 1, minReadyMs: 0 })
    tight.fact(1, 'served')
    expect(tight.states()[0]).toBe('draining')
    tight.fact(1, 'newGone')
    expect(tight.log.at(-1)).toBe('undrainOld 1')
    expect(tight.outcome).toBe('kept')
    expect(tight.serving()).toBe(3)
  })
})

describe('nextDeadline()', () => {
  it('is the end of the earliest watch', () => {
    const world = new World(2)
    expect(nextDeadline(world.reload)).toBeNull()
    world.now = 300
    world.fact(2, 'served')
    expect(nextDeadline(world.reload)).toBe(300 + MIN_READY_MS)
  })
})

describe('every history', () => {
  it('ends, drops no capacity, exceeds no surge and leaves no mix when the old code can be had', () => {
    const moves = fc.array(fc.tuple(fc.nat(20), fc.constantFrom('good', 'good', 'good', 'crash', 'oldCrash')), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        moves,
        (workers, surge, booting, script) => {
          const world = new World(workers, { surge, booting, minReadyMs: 10, restorable: true })
          for (const [pick, kind] of script) playOne(world, pick, kind)
          for (let round = 0; round < workers * 8 && world.outcome === null; round += 1) playOne(world, round, 'good')
          expect(world.outcome).not.toBeNull()
          expect(world.most).toBeLessThanOrEqual(workers + surge + (world.reload.goingBack ? workers : 0))
        },
      ),
      { numRuns: 500 },
    )
  })

  it('drops no capacity as long as no process crashes (R17)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.nat(20), { maxLength: 80 }),
        (workers, surge, picks) => {
          const world = new World(workers, { surge, booting: 2, minReadyMs: 10 })
          for (const pick of [...picks, ...Array.from({ length: 60 }, (_, index) => index)]) {
            playOne(world, pick, 'good')
            expect(world.serving()).toBe(workers)
            expect(world.most).toBeLessThanOrEqual(workers + surge)
          }
          expect(world.outcome).toBe('moved')
        },
      ),
    )
  })

  it('has a table in which every state answers every event', () => {
    const events = Object.keys(SEAT_TRANSITIONS.waiting) as SeatEvent[]
    for (const row of Object.values(SEAT_TRANSITIONS)) expect(Object.keys(row)).toEqual(events)
  })
})

/** Lets one process do the next thing that it can do. */
function playOne(world: World, pick: number, kind: 'good' | 'crash' | 'oldCrash'): void {
  const seats = world.reload.seats
  const seat = seats[pick % seats.length]
  if (seat === undefined || world.outcome !== null) return
  const { worker, state } = seat
  if (kind === 'oldCrash' && world.old.get(worker) === 'serving') return world.fact(worker, 'oldGone')
  const fresh = world.fresh.get(worker)
  if (kind === 'crash' && (fresh === 'booting' || fresh === 'serving')) return world.fact(worker, 'newGone')
  if (state === 'starting' || state === 'restoring') return world.fact(worker, 'served')
  if (state === 'discarding') return world.fact(worker, 'newGone')
  if (state === 'draining') return world.fact(worker, 'oldGone')
  world.advance(10)
}

describe('a new process that dies after its old one is gone, before the commit', () => {
  it('brings everything back when the old code can be had', () => {
    const world = new World(3, { surge: 1, minReadyMs: 0, restorable: true })
    world.fact(1, 'served')
    world.fact(1, 'oldGone')
    world.fact(1, 'newGone')
    expect(world.log).toContain('startOld 1')
    expect(world.reload.failed).toBe(1)
  })

  it('is started once more when it cannot', () => {
    const world = new World(3, { surge: 1, minReadyMs: 0 })
    world.fact(1, 'served')
    world.fact(1, 'oldGone')
    world.fact(1, 'newGone')
    expect(world.log.filter((line) => line === 'startNew 1')).toHaveLength(2)
    for (let round = 0; round < 40 && world.outcome === null; round += 1) playOne(world, round, 'good')
    expect(world.outcome).toBe('moved')
  })
})
