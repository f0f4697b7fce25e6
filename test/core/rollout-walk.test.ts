// What holds in every history of a rollout: the machine is walked whole.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  endRollout,
  ROLLOUT_TRANSITIONS,
  stepRollout,
  type Rollout,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutState,
  type TableEvent,
} from '../../src/core/rollout.ts'
import { EVENTS, fresh, play, rolloutIn, STATES } from './rollout-scene.ts'

/** Nobody takes the old group back while it drains. */
const UNTOUCHED = EVENTS.filter((event) => !('serving' in event && event.serving === 'old'))

describe('every history', () => {
  it('has a table in which every state answers every event', () => {
    const names = Object.keys(ROLLOUT_TRANSITIONS.starting) as TableEvent[]
    for (const row of Object.values(ROLLOUT_TRANSITIONS)) expect(Object.keys(row)).toEqual(names)
    for (const state of STATES) for (const event of EVENTS) stepRollout(rolloutIn(state), event, 0)
  })

  it('never flips after an abort', () => {
    for (const rollout of reachable(fresh()).rollouts.filter(
      ({ state }) => !['retiring', 'endingOld'].includes(state),
    )) {
      const { rollout: aborted } = stepRollout(rollout, { type: 'abortWanted', why: 'root aborted it' }, 0)
      expect([rollout.state, reachable(aborted).commands.has('flip')]).toEqual([rollout.state, false])
    }
  })

  it('always flips back after a watch that failed, and promotes it no more by itself', () => {
    for (const rollout of reachable(fresh()).rollouts.filter(({ state }) => state === 'baking')) {
      const after = stepRollout(rollout, { type: 'bakeFailed', why: 'x' }, 0)
      expect(after.commands).toEqual(['flipBack'])
      const byOthers = ['flippedByHand', 'resumedBySupervisor', 'superseded']
      const byItself = EVENTS.filter(({ type }) => !byOthers.includes(type))
      expect(reachable(after.rollout, byItself).commands).not.toContain('retireOld')
    }
  })

  it('never ends both groups, nor anything before the other one is to serve alone', () => {
    const { rollouts } = reachable(fresh())
    for (const rollout of rollouts) {
      if (rollout.state === 'endingOld') expect(reachable(rollout, UNTOUCHED).commands).not.toContain('endNew')
      if (rollout.state === 'endingNew') expect(reachable(rollout).commands).not.toContain('retireOld')
    }
  })

  it('starts no process on the way back, and none once it has flipped', () => {
    for (const state of ['baking', 'retiring', 'goingBack', 'heldUp', 'withdrawn', 'endingOld', 'endingNew'] as const) {
      expect(reachable(rolloutIn(state)).commands, state).not.toContain('startGroup')
    }
  })

  it('knows its outcome as soon as nothing but tidying up is left', () => {
    const open: readonly RolloutState[] = ['starting', 'ready', 'smoking', 'awaiting', 'flipping', 'baking']
    for (const { state, outcome } of reachable(fresh()).rollouts) expect(outcome === null).toBe(open.includes(state))
  })

  it('has a deadline only where one is answered, and none while paused', () => {
    for (const rollout of reachable(fresh()).rollouts) {
      const { state, deadline, paused } = rollout
      if (deadline !== null) expect(ROLLOUT_TRANSITIONS[state].timedOut, state).not.toBeNull()
      if (paused && state !== 'heldUp') expect(deadline).toBeNull()
    }
  })

  it('makes room for a newer release, also when the traffic cannot go back to the old one (B9)', () => {
    // No flip back ever works.
    const goOn: Readonly<Partial<Record<RolloutState, RolloutEvent['type']>>> = {
      flipping: 'flipped',
      goingBack: 'flipBackFailed',
      heldUp: 'timedOut',
      withdrawn: 'timedOut',
      endingOld: 'groupEnded',
      endingNew: 'groupEnded',
    }
    for (const start of reachable(fresh()).rollouts) {
      let rollout = stepRollout(start, { type: 'superseded', why: 'r3 came' }, 0).rollout
      for (let steps = 0; steps < 6 && rollout.state !== 'done'; steps += 1) {
        const event = goOn[rollout.state]
        if (event !== undefined) rollout = play(rollout, [event]).rollout
      }
      expect([start.state, rollout.state]).toEqual([start.state, 'done'])
      // What was found bad is not found good by that.
      if (start.outcome !== null && start.outcome !== 'promoted') expect(rollout.outcome).toBe(start.outcome)
    }
  })

  it('has no good end by a stop or a loss of everything, unless it was found good before', () => {
    for (const rollout of reachable(fresh()).rollouts) {
      for (const ended of ['stopped', 'lost'] as const) {
        const { state, outcome, deadline } = endRollout(rollout, ended, 0)
        expect([state, deadline]).toEqual(['done', rollout.state === 'done' ? rollout.deadline : null])
        if (rollout.outcome !== null) expect(outcome).toBe(rollout.outcome)
        else if (ended === 'stopped') expect(outcome).toBe('aborted')
        else expect(outcome).toBe(rollout.served ? 'rolledBack' : 'failed')
      }
    }
  })

  it('says that it never served only of what never had the traffic', () => {
    for (const { state, served, outcome } of reachable(fresh()).rollouts) {
      if (['baking', 'retiring', 'endingOld'].includes(state)) expect(served).toBe(true)
      if (outcome === 'rolledBack') expect(served).toBe(true)
    }
  })

  it('ends when everything that is asked for is done', () => {
    const answers: Readonly<Record<RolloutState, RolloutEvent['type'] | null>> = {
      starting: 'groupReady',
      ready: 'timedOut',
      smoking: 'smokePassed',
      awaiting: 'promoteWanted',
      flipping: 'flipped',
      baking: 'bakePassed',
      retiring: 'timedOut',
      endingOld: 'groupEnded',
      goingBack: 'flippedBack',
      heldUp: 'timedOut',
      withdrawn: 'timedOut',
      endingNew: 'groupEnded',
      done: null,
    }
    const script = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.nat(1000)), { maxLength: 40 })
    fc.assert(
      fc.property(fc.boolean(), script, (autoPromote, events) => {
        let now = 0
        let rollout = fresh(autoPromote)
        for (const [event, ms] of events) {
          now += ms
          rollout = stepRollout(rollout, event, now).rollout
          expect(JSON.parse(JSON.stringify(rollout))).toEqual(rollout)
        }
        rollout = stepRollout(rollout, { type: 'resumeWanted' }, now).rollout
        for (let steps = 0; steps < 12 && rollout.state !== 'done'; steps += 1) {
          const answer = answers[rollout.state]
          if (answer !== null) rollout = play(rollout, [answer], now).rollout
        }
        expect(rollout.state).toBe('done')
        expect(rollout.outcome).not.toBeNull()
      }),
      { numRuns: 300 },
    )
  })
})

/** Every rollout and command that some sequence of events leads to, with the clock standing still. */
function reachable(start: Rollout, events = EVENTS) {
  const seen = new Map<string, Rollout>()
  const commands = new Set<RolloutCommand>()
  const queue = [start]
  for (let rollout = queue.pop(); rollout !== undefined; rollout = queue.pop()) {
    // Words and figures decide nothing.
    const key = JSON.stringify({ ...rollout, why: null, flipMs: null })
    if (seen.has(key)) continue
    seen.set(key, rollout)
    for (const event of events) {
      const step = stepRollout(rollout, event, 0)
      for (const command of step.commands) commands.add(command)
      queue.push(step.rollout)
    }
  }
  return { rollouts: [...seen.values()], commands }
}
