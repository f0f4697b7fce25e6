import { describe, expect, it } from 'vitest'
import {
  begin,
  DRAIN_REPORT_GRACE_MS,
  isUp,
  KILL_AGAIN_MS,
  step,
  TRANSITIONS,
  type Life,
  type LifeEffect,
  type LifeEvent,
  type LifeState,
} from '../../src/core/worker-lifecycle.ts'

const policy = { readyTimeoutMs: 30_000, drainTimeoutMs: 20_000, killTimeoutMs: 10_000 }
const EVENTS = Object.keys(TRANSITIONS.starting) as LifeEvent[]

function lifeIn(state: LifeState, more: Partial<Life> = {}): Life {
  return { state, endWanted: false, deadline: null, ...more }
}

function play(events: readonly LifeEvent[], from = begin(0, policy)) {
  const effects: LifeEffect[] = []
  let life = from
  for (const event of events) {
    const result = step(life, event, 0, policy)
    life = result.life
    effects.push(...result.effects)
  }
  return { life, effects }
}

describe('step()', () => {
  it('leads a worker through a whole life', () => {
    const { life, effects } = play(['becameReady', 'attached', 'drainWanted', 'drained', 'exited'])
    expect(life).toEqual({ state: 'exited', endWanted: true, deadline: null })
    expect(effects).toEqual(['lend', 'drain', 'terminate', 'report'])
  })

  it('gives each state its own deadline', () => {
    expect(begin(5, policy).deadline).toBe(30_005)
    expect(step(lifeIn('serving'), 'drainWanted', 5, policy).life.deadline).toBe(20_005 + DRAIN_REPORT_GRACE_MS)
    // Nothing reports there, so nothing is waited for.
    const command = { ...policy, isCommand: true }
    expect(step(lifeIn('serving'), 'drainWanted', 5, command).life.deadline).toBe(20_005)
    expect(step(lifeIn('draining'), 'drained', 5, policy).life.deadline).toBe(10_005)
    expect(step(lifeIn('stopping'), 'timedOut', 5, policy).life.deadline).toBe(5 + KILL_AGAIN_MS)
    expect(step(lifeIn('starting'), 'becameReady', 5, policy).life.deadline).toBeNull()
  })

  it('kills one that is not ready in time (R2)', () => {
    expect(play(['timedOut']).effects).toEqual(['kill'])
  })

  it('kills one that is silent at the end of its drain, and asks one that answers to go (D14)', () => {
    expect(step(lifeIn('draining'), 'timedOutSilent', 0, policy).effects).toEqual(['kill'])
    expect(step(lifeIn('draining'), 'timedOut', 0, policy).effects).toEqual(['terminate'])
  })

  it('kills one that does not end after its stop signal, again and again (D15)', () => {
    expect(play(['timedOut', 'timedOut', 'timedOut'], lifeIn('stopping')).effects).toEqual(['kill', 'kill', 'kill'])
  })

  it('lets a draining worker serve again, and no longer expects its end (R11)', () => {
    const { life, effects } = play(['undrainWanted'], lifeIn('draining', { endWanted: true }))
    expect(life).toEqual({ state: 'ready', endWanted: false, deadline: null })
    expect(effects).toEqual(['undrain', 'lend'])
  })

  it('keeps one of a group without traffic warm, lends to it when that changes, and takes it back', () => {
    const warm = play(['becameReady', 'shelved'])
    expect(warm.life.state).toBe('standby')
    const { life, effects } = play(['lendWanted', 'attached', 'shelveWanted'], warm.life)
    expect(life.state).toBe('standby')
    expect(effects).toEqual(['lend', 'shelve'])
  })

  it('does not serve by an attach that was acknowledged after it was shelved', () => {
    expect(play(['becameReady', 'shelveWanted', 'attached']).life.state).toBe('standby')
  })

  it('never drains one that has nothing yet', () => {
    expect(play(['drainWanted']).effects).toEqual(['terminate'])
  })

  it('remembers that an end was wanted, whatever kills it then', () => {
    expect(play(['becameReady', 'drainWanted', 'killWanted', 'exited']).life.endWanted).toBe(true)
    expect(play(['becameReady', 'killWanted', 'exited']).life.endWanted).toBe(false)
  })

  it('never serves again once a stop was asked for and it is no longer draining', () => {
    for (const state of ['stopping', 'killing', 'exited'] as const) {
      for (const life of reachable(lifeIn(state))) expect(isUp(life.state), `${state} → ${life.state}`).toBe(false)
    }
  })

  it('never acts on a process that is gone', () => {
    for (const event of EVENTS) expect(step(lifeIn('exited'), event, 0, policy).effects).toEqual([])
  })

  it('reaches its end from every state by deadlines and the exit alone', () => {
    for (const state of ['starting', 'draining', 'stopping', 'killing'] as const) {
      const { life, effects } = play(['timedOut', 'timedOut', 'exited'], lifeIn(state))
      expect(life.state, state).toBe('exited')
      expect(effects, state).toContain('kill')
    }
  })
})

/** Every life that some sequence of events leads to, with the clock standing still. */
function reachable(start: Life): Life[] {
  const seen = new Map<string, Life>()
  const queue = [start]
  for (let life = queue.pop(); life !== undefined; life = queue.pop()) {
    const key = JSON.stringify(life)
    if (seen.has(key)) continue
    seen.set(key, life)
    for (const event of EVENTS) queue.push(step(life, event, 0, policy).life)
  }
  return [...seen.values()]
}
