import { describe, expect, it } from 'vitest'
import {
  beginRollout,
  canFlip,
  FLIP_BACK_AGAIN_MS,
  servingSide,
  type RolloutCommand,
  type RolloutState,
} from '../../src/core/rollout.ts'
import { back, fresh, play, policy, rolloutIn, STATES, TO_BAKING, TO_FLIPPING } from './rollout-scene.ts'

describe('stepRollout()', () => {
  it('leads a good release through the whole rollout', () => {
    const { rollout, commands } = play(fresh(), [...TO_BAKING, 'bakePassed', 'timedOut', 'groupEnded'])
    expect(commands).toEqual(['smoke', 'flip', 'beginBake', 'retireOld'])
    expect(rollout).toMatchObject({ state: 'done', outcome: 'promoted', why: null, flipMs: 3, deadline: null })
  })

  it('begins with the new group', () => {
    const begun = beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 7)
    expect(begun.commands).toEqual(['startGroup'])
    expect(begun.rollout).toMatchObject({ state: 'starting', since: 7, deadline: 120_007 })
  })

  it('reaches every state as the tests say', () => {
    for (const state of STATES) expect(rolloutIn(state).state).toBe(state)
  })

  it('gives up a group that is not ready in time (B8)', () => {
    const { rollout, commands } = play(fresh(), ['timedOut'])
    expect(commands).toEqual(['endNew'])
    expect(rollout).toMatchObject({ outcome: 'failed', why: 'it was not ready within 120 s' })
  })

  it('gives it no deadline while paused, and what was left of it afterwards (B8)', () => {
    const paused = play(fresh(), ['pauseWanted'], 20_000).rollout
    expect(paused).toMatchObject({ deadline: null, leftMs: 100_000 })
    expect(play(paused, ['timedOut'], 500_000)).toEqual({ rollout: paused, commands: [] })
    expect(play(paused, ['pauseWanted'], 500_000).rollout).toEqual(paused)
    const resumed = play(paused, ['resumeWanted'], 500_000).rollout
    expect(resumed).toMatchObject({ deadline: 600_000, leftMs: null, paused: false })
    expect(play(fresh(), ['resumeWanted']).rollout).toEqual(fresh())
  })

  it('begins no step by itself while paused, and goes on when resumed', () => {
    const ready = play(fresh(), ['pauseWanted', 'groupReady']).rollout
    expect(ready).toMatchObject({ state: 'ready', deadline: null, leftMs: 1000 })
    const { rollout, commands } = play(rolloutIn('smoking'), ['pauseWanted', 'smokePassed'])
    expect([rollout.state, commands]).toEqual(['awaiting', []])
    expect(play(rollout, ['resumeWanted']).commands).toEqual(['flip'])
    expect(play(rolloutIn('baking'), ['pauseWanted', 'bakePassed']).rollout).toMatchObject({
      state: 'retiring',
      deadline: null,
    })
  })

  it('does not let a pause hold up going back', () => {
    const { commands, rollout } = play(rolloutIn('baking'), ['pauseWanted', 'bakeFailed', 'flipBackFailed'])
    expect(commands).toEqual(['flipBack'])
    expect(rollout.deadline).toBe(FLIP_BACK_AGAIN_MS)
  })

  it.each(['ready', 'smoking', 'awaiting'] as const)(
    'never promotes a group that dies while it is %s (B7)',
    (state) => {
      const { rollout, commands } = play(rolloutIn(state), ['groupDied', 'timedOut', 'smokePassed', 'promoteWanted'])
      expect(commands).toEqual(['endNew'])
      expect(rollout).toMatchObject({ outcome: 'failed', why: 'groupDied for a reason' })
    },
  )

  it('keeps what failed its smoke test for a while, then ends it (B2)', () => {
    const { rollout, commands } = play(rolloutIn('smoking'), ['smokeFailed'])
    expect(commands).toEqual([])
    expect(rollout).toMatchObject({ state: 'withdrawn', outcome: 'failed', deadline: 30_000 })
    expect(play(rollout, ['timedOut', 'groupEnded'])).toMatchObject({
      commands: ['endNew'],
      rollout: { state: 'done' },
    })
  })

  it('waits for a person when it is not to promote by itself', () => {
    expect(rolloutIn('awaiting')).toMatchObject({ deadline: null, outcome: null })
    expect(play(rolloutIn('awaiting'), ['resumeWanted']).commands).toEqual([])
    expect(play(rolloutIn('awaiting'), ['promoteWanted']).commands).toEqual(['flip'])
  })

  it('remembers a wish to promote that comes too early', () => {
    expect(play(fresh(false), ['promoteWanted', ...TO_FLIPPING]).commands).toEqual(['smoke', 'flip'])
    expect(play(fresh(), ['pauseWanted', 'promoteWanted']).rollout).toMatchObject({ paused: false, deadline: 120_000 })
  })

  it('lets a person end the watch', () => {
    expect(play(rolloutIn('baking'), ['promoteWanted']).rollout).toMatchObject({
      state: 'retiring',
      outcome: 'promoted',
    })
  })

  it('flips back when the watch fails, and says why (B6)', () => {
    const { rollout, commands } = play(rolloutIn('baking'), ['bakeFailed', 'flippedBack', 'timedOut', 'groupEnded'])
    expect(commands).toEqual(['flipBack', 'endNew'])
    expect(rollout).toMatchObject({ state: 'done', outcome: 'rolledBack', why: 'bakeFailed for a reason' })
  })

  it('goes back when the flip itself fails', () => {
    const { rollout, commands } = play(rolloutIn('flipping'), ['flipFailed'])
    expect(commands).toEqual(['flipBack'])
    expect(rollout).toMatchObject({ outcome: 'failed', why: 'flipFailed for a reason' })
  })

  it('tries to flip back again and again', () => {
    const { rollout, commands } = play(rolloutIn('heldUp'), ['timedOut', 'flipBackFailed', 'timedOut', 'flippedBack'])
    expect(commands).toEqual(['flipBack', 'flipBack'])
    expect(rollout).toMatchObject({ state: 'withdrawn', outcome: 'rolledBack' })
  })

  it('ends the watch when somebody flips by hand, and keeps both groups for the window (B4)', () => {
    const byHand = play(rolloutIn('baking'), [{ type: 'flippedByHand', serving: 'old', by: 'flip' }])
    expect(byHand.rollout).toMatchObject({ state: 'withdrawn', outcome: 'rolledBack', deadline: 600_000 })
    const again = play(byHand.rollout, ['bakeFailed', { type: 'flippedByHand', serving: 'new', by: 'flip' }])
    expect(again.rollout).toMatchObject({ state: 'retiring', outcome: 'promoted', deadline: 600_000 })
    expect([...byHand.commands, ...again.commands]).toEqual([])
  })

  it.each([
    ['retiring', 'flip', 'old', 'the traffic was flipped back by hand'],
    ['withdrawn', 'flip', 'new', 'the traffic was flipped to it by hand'],
    ['retiring', 'rollback', 'old', 'it was rolled back by hand'],
    ['withdrawn', 'rollback', 'new', 'it was rolled back to by hand'],
  ] as const)('%s, says of a %s to the %s one what a person did', (state, by, serving, why) => {
    expect(play(rolloutIn(state), [{ type: 'flippedByHand', serving, by }]).rollout.why).toBe(why)
  })

  it('replaces a release in preview by a newer one (B9)', () => {
    for (const state of ['starting', 'ready', 'smoking', 'awaiting'] as const) {
      const { rollout, commands } = play(rolloutIn(state), ['superseded'])
      expect([rollout.outcome, rollout.why, commands]).toEqual(['superseded', 'r3 came', ['endNew']])
    }
  })

  it('keeps what serves when a newer release comes during the watch', () => {
    const { rollout, commands } = play(rolloutIn('baking'), ['superseded'])
    expect([rollout.outcome, commands]).toEqual(['superseded', ['retireOld']])
    expect(play(rolloutIn('retiring'), ['superseded'])).toMatchObject({
      commands: ['retireOld'],
      rollout: { outcome: 'promoted', why: null },
    })
  })

  it('remembers a newer release that comes while the traffic moves', () => {
    const flipping = play(rolloutIn('flipping'), ['superseded'])
    expect(flipping.commands).toEqual([])
    expect(play(flipping.rollout, ['flipped'])).toMatchObject({
      commands: ['retireOld'],
      rollout: { outcome: 'superseded', why: 'r3 came' },
    })
    expect(play(rolloutIn('goingBack'), ['superseded', 'flippedBack'])).toMatchObject({
      commands: ['endNew'],
      rollout: { outcome: 'rolledBack', why: 'bakeFailed for a reason' },
    })
  })

  it('aborts', () => {
    expect(play(rolloutIn('smoking'), ['abortWanted'])).toMatchObject({
      commands: ['endNew'],
      rollout: { outcome: 'aborted', why: 'root aborted it' },
    })
    expect(play(rolloutIn('baking'), ['abortWanted'])).toMatchObject({
      commands: ['flipBack'],
      rollout: { outcome: 'aborted' },
    })
    expect(play(rolloutIn('retiring'), ['abortWanted']).commands).toEqual([])
  })
})

describe('a supervisor that comes back (S3, B11)', () => {
  it.each<[RolloutState, RolloutState, readonly RolloutCommand[]]>([
    ['starting', 'starting', ['startGroup']],
    ['ready', 'ready', []],
    ['smoking', 'ready', []],
    ['awaiting', 'awaiting', []],
    ['flipping', 'flipping', ['flip']],
    ['goingBack', 'withdrawn', []],
    ['withdrawn', 'withdrawn', []],
    ['endingNew', 'endingNew', ['endNew']],
    ['done', 'done', []],
  ])('goes on with %s on the old group as %s', (state, next, commands) => {
    expect(play(rolloutIn(state), [back('old')])).toMatchObject({ rollout: { state: next }, commands })
  })

  it.each<[RolloutState, RolloutState, readonly RolloutCommand[]]>([
    ['flipping', 'baking', ['beginBake']],
    ['baking', 'baking', ['beginBake']],
    ['retiring', 'retiring', []],
    ['endingOld', 'endingOld', ['retireOld']],
    ['goingBack', 'goingBack', ['flipBack']],
  ])('goes on with %s on the new group as %s', (state, next, commands) => {
    expect(play(rolloutIn(state), [back('new')])).toMatchObject({ rollout: { state: next }, commands })
  })

  it('starts a new group again that was not yet flipped to, with a whole deadline', () => {
    const { rollout, commands } = play(rolloutIn('awaiting'), [back('old', false)], 50)
    expect([rollout.state, rollout.deadline, commands]).toEqual(['starting', 120_050, ['startGroup']])
  })

  it('goes back to the last good release when what was being watched is gone', () => {
    const { rollout, commands } = play(rolloutIn('baking'), [back('new', false, false)])
    expect(commands).toEqual(['flipBack'])
    expect(rollout).toMatchObject({ outcome: 'rolledBack', why: 'it had died while no supervisor was there' })
    expect(play(rolloutIn('flipping'), [back('old', false)]).rollout).toMatchObject({
      state: 'endingNew',
      outcome: 'failed',
    })
  })

  it('keeps what was withdrawn by a person as long as it was to be kept (B4)', () => {
    const byHand = play(rolloutIn('retiring'), [{ type: 'flippedByHand', serving: 'old', by: 'flip' }], 10).rollout
    const window = { state: 'withdrawn', deadline: 100 + policy.rollbackWindowMs }
    expect(play(byHand, [back('old')], 100).rollout).toMatchObject(window)
    const paused = play(byHand, ['pauseWanted'], 10).rollout
    expect(play(paused, [back('old')], 100).rollout).toMatchObject({ deadline: null, leftMs: policy.rollbackWindowMs })
    for (const state of ['baking', 'retiring'] as const)
      expect(play(rolloutIn(state), [back('old')], 100).rollout).toMatchObject(window)
    expect(play(rolloutIn('goingBack'), [back('old')], 100).rollout.deadline).toBe(100 + policy.abortDelayMs)
  })

  it('goes back to an old group that was taken back while it drained (R11)', () => {
    const { rollout, commands } = play(
      rolloutIn('endingOld'),
      [{ type: 'flippedByHand', serving: 'old', by: 'flip' }],
      5,
    )
    expect(commands).toEqual([])
    expect(rollout).toMatchObject({ state: 'withdrawn', outcome: 'rolledBack', deadline: 5 + policy.rollbackWindowMs })
    expect(play(rolloutIn('endingOld'), [back('old')], 5).rollout).toMatchObject({
      state: 'withdrawn',
      outcome: 'rolledBack',
      deadline: 5 + policy.rollbackWindowMs,
    })
    expect(play(rolloutIn('endingOld'), [back('old', false)])).toMatchObject({
      commands: ['endNew'],
      rollout: { outcome: 'rolledBack' },
    })
  })

  it('believes the workers about a flip by hand that was not written down', () => {
    expect(play(rolloutIn('retiring'), [back('old')]).rollout).toMatchObject({
      state: 'withdrawn',
      outcome: 'rolledBack',
    })
    expect(play(rolloutIn('withdrawn'), [back('new')]).rollout).toMatchObject({
      state: 'retiring',
      outcome: 'promoted',
    })
    expect(play(rolloutIn('withdrawn'), [back('new', true, false)])).toMatchObject({
      commands: ['retireOld'],
      rollout: { outcome: 'promoted' },
    })
  })
})

describe('canFlip() and servingSide()', () => {
  it('agree: where the traffic can be moved by hand it belongs to one group', () => {
    for (const state of STATES) if (canFlip(state)) expect(servingSide(state), state).not.toBeNull()
    expect(STATES.filter((state) => servingSide(state) === 'new')).toEqual(['baking', 'retiring', 'endingOld'])
    expect(STATES.filter((state) => servingSide(state) === null)).toEqual(['flipping', 'goingBack', 'heldUp', 'done'])
    expect(canFlip('starting')).toBe(false)
  })
})
