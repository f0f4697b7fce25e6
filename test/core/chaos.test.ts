import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apply,
  beginRehearsal,
  decide,
  DEAF_AFTER_MS,
  draw,
  FAULT_KINDS as KINDS,
  FAULT_RULES,
  type ChaosFacts,
  type ChaosPlan,
  type Decision,
  type FaultKind,
  type Rehearsal,
} from '../../src/core/chaos.ts'

const LENGTHS = { kill: 0, stop: 8000, hang: 8000, memory: 5000, delay: 5000, supervisor: 0 }

function planOf(change: Partial<ChaosPlan> = {}): ChaosPlan {
  const times = { everyMs: 5000, endsAt: 60_000, settleMs: 30_000, supervisorFrom: 0 }
  return { kinds: KINDS, seed: 1, lengthsMs: LENGTHS, ...times, ...change }
}

function factsOf(change: Partial<ChaosFacts> = {}): ChaosFacts {
  const serving = [worker(1), worker(2)]
  return { now: 3000, isBusy: false, serving, pids: serving.map(({ pid }) => pid), wanted: 2, ...change }
}

function worker(id: number, crashesLeft = 5, silentMs = 0) {
  return { id, pid: 100 + id, crashesLeft, silentMs }
}

/** A fault of this kind, begun at 3000 ms. */
function during(
  kind: FaultKind,
  change: Partial<ChaosPlan> = {},
): { readonly plan: ChaosPlan; readonly state: Rehearsal } {
  const plan = planOf({ kinds: [kind], ...change })
  const begun = decide(plan, beginRehearsal(3000), factsOf())
  if (begun.do !== 'begin') throw new Error(`${kind} did not begin`)
  return { plan, state: apply(beginRehearsal(3000), begun, plan, 3000) }
}

/** What the app still has when the fault has taken its worker. */
function without({ state }: { readonly state: Rehearsal }) {
  const serving = [worker(1), worker(2)].filter(({ pid }) => pid !== state.current?.worker?.pid)
  return { serving, pids: serving.map(({ pid }) => pid) }
}

describe('decide()', () => {
  it('waits for its time, and while something else is under way', () => {
    expect(decide(planOf(), beginRehearsal(3000), factsOf({ now: 2999 }))).toEqual({ do: 'wait' })
    expect(decide(planOf(), beginRehearsal(3000), factsOf({ isBusy: true }))).toEqual({ do: 'wait' })
    expect(decide(planOf(), beginRehearsal(3000), factsOf()).do).toBe('begin')
  })

  it.each(['kill', 'stop', 'hang', 'memory'] as const)('does not do %s to the last worker that serves', (kind) => {
    const alone = factsOf({ serving: [worker(1)], pids: [101, 102] })
    expect(decide(planOf({ kinds: [kind] }), beginRehearsal(0), alone)).toEqual({ do: 'wait' })
  })

  it('does not take the last worker whose event loop turns, whatever the state of the others', () => {
    const [heard, silent] = [DEAF_AFTER_MS, DEAF_AFTER_MS + 1].map((ms) =>
      factsOf({ serving: [worker(1), worker(2, 5, ms)] }),
    )
    const kills = planOf({ kinds: ['kill'] })
    expect(decide(kills, beginRehearsal(0), heard ?? factsOf()).do).toBe('begin')
    expect(decide(kills, beginRehearsal(0), silent ?? factsOf())).toEqual({ do: 'wait' })
  })

  it('does not take an app for whole again while a worker of it is not heard of', () => {
    const scene = during('kill')
    const said = [9000, 100].map((ms) => {
      const whole = { serving: [worker(4), worker(3, 5, ms)], pids: [103, 104] }
      return decide(scene.plan, scene.state, factsOf({ now: 8000, ...whole })).do
    })
    expect(said).toEqual(['wait', 'over'])
  })

  it('kills no supervisor that is too young, does something else meanwhile, and ends when it never will be', () => {
    const plan = planOf({ kinds: ['kill', 'supervisor'], supervisorFrom: 10_000 })
    const killed = beginRehearsal(0, ['kill', 'kill'])
    expect(decide(plan, killed, factsOf({ now: 9999 }))).toMatchObject({ fault: { kind: 'kill' } })
    expect(decide(plan, killed, factsOf({ now: 10_000 }))).toMatchObject({ fault: { kind: 'supervisor' } })
    const alone = planOf({ kinds: ['supervisor'], supervisorFrom: 10_000 })
    expect(decide(alone, beginRehearsal(0), factsOf({ now: 9999 }))).toEqual({ do: 'wait' })
    expect(decide({ ...alone, endsAt: 10_000 }, beginRehearsal(0), factsOf())).toEqual({ do: 'end' })
  })

  it('delays the only worker, and kills the supervisor of any', () => {
    const alone = factsOf({ serving: [worker(1)] })
    expect(decide(planOf({ kinds: ['delay'] }), beginRehearsal(0), alone)).toMatchObject({
      fault: { worker: { id: 1 } },
    })
    expect(decide(planOf({ kinds: ['supervisor'] }), beginRehearsal(0), alone)).toMatchObject({
      fault: { worker: null },
    })
  })

  it('spares a worker that one more crash would make failed', () => {
    const facts = factsOf({ serving: [worker(1, 0), worker(2, 1)] })
    for (let seed = 0; seed < 20; seed += 1)
      expect(decide(planOf({ kinds: ['kill'], seed }), beginRehearsal(0), facts)).toMatchObject({
        fault: { worker: { id: 2 } },
      })
    const none = factsOf({ serving: [worker(1, 0), worker(2, 0)] })
    expect(decide(planOf({ kinds: ['kill'] }), beginRehearsal(0), none)).toEqual({ do: 'wait' })
  })

  it('ends when no fault has time left, and at its end at the latest', () => {
    const stops = planOf({ kinds: ['stop'] })
    expect(decide(stops, beginRehearsal(0), factsOf({ now: 52_000 })).do).toBe('begin')
    expect(decide(stops, beginRehearsal(0), factsOf({ now: 52_001 }))).toEqual({ do: 'end' })
    expect(decide(planOf({ kinds: ['kill'] }), beginRehearsal(0), factsOf({ now: 60_000 }))).toEqual({ do: 'end' })
  })

  it('does each kind once before it does one again', () => {
    let state = beginRehearsal(0)
    for (let now = 0; state.done.length < 10; now += 5000) {
      const plan = planOf({ endsAt: Infinity, kinds: ['kill', 'delay', 'memory', 'stop', 'hang'] })
      const decision = decide(plan, state, factsOf({ now }))
      state = { ...apply(state, decision, plan, now), current: null }
    }
    expect(new Set(state.done.slice(0, 5)).size).toBe(5)
    expect(new Set(state.done.slice(5)).size).toBe(5)
  })

  it('takes a kill for over when the process is gone and as many serve as before', () => {
    const scene = during('kill')
    const gone = without(scene)
    expect(decide(scene.plan, scene.state, factsOf({ now: 3001 }))).toEqual({ do: 'wait' })
    expect(decide(scene.plan, scene.state, factsOf({ now: 3100, ...gone }))).toEqual({ do: 'wait' })
    const whole = { serving: [...gone.serving, worker(3)], pids: [...gone.pids, 103] }
    expect(decide(scene.plan, scene.state, factsOf({ now: 3500, ...whole }))).toEqual({ do: 'over', recovered: true })
    const late = factsOf({ now: 3000 + 30_000, ...gone })
    expect(decide(scene.plan, scene.state, late)).toEqual({ do: 'over', recovered: false })
    expect(decide(scene.plan, scene.state, factsOf({ now: 33_000 }))).toEqual({ do: 'over', recovered: false })
  })

  it('lets go of a worker that nothing has ended, once, and takes it for over then', () => {
    const { plan, state } = during('stop')
    expect(decide(plan, state, factsOf({ now: 10_999 }))).toEqual({ do: 'wait' })
    const undo = decide(plan, state, factsOf({ now: 11_000 }))
    expect(undo).toEqual({ do: 'undo' })
    const undone = apply(state, undo, plan, 11_000)
    expect(decide(plan, undone, factsOf({ now: 11_050 }))).toEqual({ do: 'over', recovered: true })
    expect(apply(undone, { do: 'over', recovered: true }, plan, 11_050).current).toBeNull()
  })

  it('leaves it to the next supervisor to say that it is there', () => {
    const { plan, state } = during('supervisor')
    expect(decide(plan, state, factsOf({ now: 3050 }))).toEqual({ do: 'wait' })
    expect(decide(plan, state, factsOf({ now: 33_000 }))).toEqual({ do: 'over', recovered: false })
  })

  it('asks for no more workers than are wanted by now', () => {
    const scene = during('kill')
    expect(decide(scene.plan, scene.state, factsOf({ now: 3500, wanted: 1, ...without(scene) }))).toEqual({
      do: 'over',
      recovered: true,
    })
  })

  it('has nothing to undo without a fault', () => {
    expect(apply(beginRehearsal(0), { do: 'undo' }, planOf(), 0).current).toBeNull()
    expect(apply(beginRehearsal(7), { do: 'end' }, planOf(), 0)).toEqual(beginRehearsal(7))
  })

  it('goes on with the seed where an earlier supervisor was', () => {
    const plan = planOf({ kinds: ['kill', 'delay'] })
    const after = decide(plan, beginRehearsal(0, ['kill']), factsOf())
    expect(after).toMatchObject({ fault: { n: 2, kind: 'delay' } })
  })
})

/** A model of an app: what is taken comes back after a while, sometimes not at all, and some go deaf by themselves. */
interface Model {
  readonly seed: number
  readonly workers: number
  readonly kinds: readonly FaultKind[]
  readonly everyMs: number
  readonly forMs: number
  /** How long each in turn takes to be back. */
  readonly backAfterMs: readonly number[]
  /** What hangs or is stopped is ended; else it goes on when its time is over. */
  readonly endsHangs: boolean
  /** Until a worker hears of what it is to do. */
  readonly hearsAfterMs: number
  /** When the app itself blocks the loop of its first workers, one after the other, and for how long. */
  readonly ownHangs: readonly { readonly at: number; readonly forMs: number }[]
  readonly supervisorFrom: number
}

const MODELS = fc.record<Model>({
  seed: fc.nat(),
  workers: fc.integer({ min: 1, max: 5 }),
  kinds: fc.subarray([...KINDS], { minLength: 1 }),
  everyMs: fc.integer({ min: 1000, max: 10_000 }),
  forMs: fc.integer({ min: 1000, max: 120_000 }),
  backAfterMs: fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 5 }),
  endsHangs: fc.boolean(),
  hearsAfterMs: fc.integer({ min: 0, max: 12_000 }),
  ownHangs: fc.array(
    fc.record({ at: fc.integer({ min: 0, max: 60_000 }), forMs: fc.integer({ min: 0, max: 60_000 }) }),
    { maxLength: 4 },
  ),
  supervisorFrom: fc.integer({ min: 0, max: 30_000 }),
})

interface Moment {
  readonly now: number
  readonly decision: Decision
  readonly facts: ChaosFacts
  /** Pids that serve nobody because of what was rehearsed. */
  readonly taken: readonly number[]
}

interface Played {
  readonly decisions: readonly Moment[]
  readonly endedAt: number
}

const STEP_MS = 250

/** Time in which a process does not turn its loop. */
interface Deafness {
  readonly pid: number
  readonly from: number
  until: number
  readonly isRehearsed: boolean
}

function silenceOf(pid: number, now: number, all: readonly Deafness[]): number {
  return Math.max(0, ...all.filter((one) => one.pid === pid && now < one.until).map(({ from }) => now - from))
}

function play({ seed, workers, kinds, everyMs, forMs, supervisorFrom, ...model }: Model): Played {
  const plan = planOf({ kinds, everyMs, endsAt: forMs, seed, supervisorFrom })
  let state = beginRehearsal(0)
  const decisions: Moment[] = []
  let present = Array.from({ length: workers }, (_, at) => worker(at + 1))
  const deaf = model.ownHangs.map(({ at, forMs: lastsMs }, index): Deafness => ({
    pid: 101 + index,
    from: at,
    until: at + lastsMs,
    isRehearsed: false,
  }))
  const back: (ChaosFacts['serving'][number] & { readonly at: number })[] = []
  let nextPid = 1000
  for (let now = 0; now < forMs + 200_000; now += STEP_MS) {
    present = present.concat(back.filter(({ at }) => at === now))
    const serving = present.map((one) => ({ ...one, silentMs: silenceOf(one.pid, now, deaf) }))
    const facts = { now, isBusy: false, serving, pids: serving.map(({ pid }) => pid), wanted: workers }
    const decision = decide(plan, state, facts)
    const taken = deaf.filter((one) => one.isRehearsed && now < one.until).map(({ pid }) => pid)
    decisions.push({ now, decision, facts, taken })
    if (decision.do === 'undo') for (const one of deaf) if (one.until === Infinity) one.until = now
    state = apply(state, decision, plan, now)
    if (decision.do === 'end') return { decisions, endedAt: now }
    if (decision.do !== 'begin') continue
    const { worker: victim, kind, n, lengthMs } = decision.fault
    if (victim === null || kind === 'delay' || kind === 'memory') continue
    if (kind !== 'kill' && !model.endsHangs) {
      const from = kind === 'stop' ? now : now + model.hearsAfterMs
      // The order to hang names its end; who is stopped hears of it when it is let go.
      deaf.push({ pid: victim.pid, from, until: kind === 'stop' ? Infinity : now + lengthMs, isRehearsed: true })
      continue
    }
    present = present.filter(({ pid }) => pid !== victim.pid)
    const afterMs = Math.ceil((model.backAfterMs[n % model.backAfterMs.length] ?? 0) / STEP_MS) * STEP_MS + STEP_MS
    back.push({ ...worker(victim.id), at: now + afterMs, pid: nextPid++ })
  }
  throw new Error('It has not ended')
}

describe('a rehearsal', () => {
  it('never takes the last worker that serves and is heard of, nor one of which neither is so', () => {
    fc.assert(
      fc.property(MODELS, (model) => {
        for (const { now, decision, facts, taken } of play(model).decisions) {
          if (decision.do !== 'begin') continue
          const { kind, worker: victim } = decision.fault
          expect(model.kinds).toContain(kind)
          if (FAULT_RULES[kind].onWorker) expect(facts.serving).toContainEqual(victim)
          else expect([victim, now >= model.supervisorFrom]).toEqual([null, true])
          expect(taken).toEqual([])
          if (!FAULT_RULES[kind].takesAway) continue
          const others = facts.serving.filter(({ pid }) => pid !== victim?.pid)
          expect(Math.min(...others.map((one) => one.silentMs))).toBeLessThanOrEqual(DEAF_AFTER_MS)
          expect(victim?.silentMs).toBeLessThanOrEqual(DEAF_AFTER_MS)
        }
      }),
    )
  })

  it('ends in time, and does one fault at a time', () => {
    fc.assert(
      fc.property(MODELS, (model) => {
        const { decisions, endedAt } = play(model)
        let isOn = false
        for (const { now, decision } of decisions) {
          if (decision.do === 'begin') {
            expect(isOn).toBe(false)
            expect(now + decision.fault.lengthMs).toBeLessThanOrEqual(model.forMs)
            isOn = true
          }
          if (decision.do === 'over') isOn = false
        }
        expect(isOn).toBe(false)
        expect(endedAt).toBeLessThanOrEqual(model.forMs + 30_000 + 2 * STEP_MS)
      }),
    )
  })

  it('is the same with the same seed', () => {
    fc.assert(
      fc.property(MODELS, (model) => {
        expect(play(model)).toEqual(play(model))
      }),
    )
  })
})

describe('draw()', () => {
  it('is from 0 up to 1, and differs with seed and place', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(10_000), (seed, place) => {
        expect(draw(seed, place)).toBeGreaterThanOrEqual(0)
        expect(draw(seed, place)).toBeLessThan(1)
      }),
    )
    const drawn = Array.from({ length: 1000 }, (_, place) => draw(42, place))
    expect(new Set(drawn).size).toBeGreaterThan(990)
    const low = drawn.filter((one) => one < 0.5).length
    expect(low).toBeGreaterThan(400)
    expect(low).toBeLessThan(600)
  })
})
