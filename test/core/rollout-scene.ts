// Rollouts in every state, and all events that one can see.

import {
  beginRollout,
  ROLLOUT_TRANSITIONS,
  stepRollout,
  type Rollout,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutState,
} from '../../src/core/rollout.ts'

export const policy = { progressDeadlineMs: 120_000, minReadyMs: 1000, rollbackWindowMs: 600_000, abortDelayMs: 30_000 }
export const STATES = Object.keys(ROLLOUT_TRANSITIONS) as RolloutState[]

/** Every event that can be, with both meanings of those that have two. */
export const EVENTS: readonly RolloutEvent[] = [
  ...(['groupReady', 'smokePassed', 'flippedBack', 'bakePassed', 'groupEnded', 'timedOut'] as const).map(plain),
  ...(['promoteWanted', 'pauseWanted', 'resumeWanted', 'moveBegun'] as const).map(plain),
  ...(['groupFailed', 'groupDied', 'smokeFailed', 'flipFailed', 'flipBackFailed', 'bakeFailed'] as const).map(failed),
  { type: 'flipped', tookMs: 3 },
  { type: 'abortWanted', why: 'root aborted it' },
  { type: 'superseded', why: 'r3 came' },
  { type: 'flippedByHand', serving: 'old', by: 'flip' },
  { type: 'flippedByHand', serving: 'new', by: 'flip' },
  back('old', true, true),
  back('old', true, false),
  back('old', false, true),
  back('old', false, false),
  back('new', true, true),
  back('new', true, false),
  back('new', false, true),
  back('new', false, false),
]

function plain<Type extends RolloutEvent['type']>(type: Type): { type: Type } {
  return { type }
}

function failed<Type extends RolloutEvent['type']>(type: Type): { type: Type; why: string } {
  return { type, why: `${type} for a reason` }
}

/** A supervisor comes back and sees this. */
export function back(serving: 'old' | 'new', newLives = true, oldLives = true): RolloutEvent {
  return { type: 'resumedBySupervisor', serving, newLives, oldLives }
}

export function fresh(autoPromote = true): Rollout {
  return beginRollout({ release: 'r2', from: 'r1', autoPromote, policy }, 0).rollout
}

/** Plays events by name; the clock stands at `now`. */
export function play(rollout: Rollout, events: readonly (RolloutEvent | RolloutEvent['type'])[], now = 0) {
  const commands: RolloutCommand[] = []
  let current = rollout
  for (const one of events) {
    const event = typeof one === 'string' ? EVENTS.find(({ type }) => type === one) : one
    if (event === undefined) throw new Error('no such event')
    const step = stepRollout(current, event, now)
    current = step.rollout
    commands.push(...step.commands)
  }
  return { rollout: current, commands }
}

export const TO_FLIPPING = ['groupReady', 'timedOut', 'smokePassed'] as const
export const TO_BAKING = [...TO_FLIPPING, 'moveBegun', 'flipped'] as const

/** Where each state is reached by the events of a usual rollout. */
const AT: Readonly<Record<Exclude<RolloutState, 'awaiting' | 'done'>, readonly RolloutEvent['type'][]>> = {
  starting: [],
  ready: ['groupReady'],
  smoking: ['groupReady', 'timedOut'],
  flipping: TO_FLIPPING,
  baking: TO_BAKING,
  retiring: [...TO_BAKING, 'bakePassed'],
  endingOld: [...TO_BAKING, 'bakePassed', 'timedOut'],
  goingBack: [...TO_BAKING, 'bakeFailed'],
  heldUp: [...TO_BAKING, 'bakeFailed', 'flipBackFailed'],
  withdrawn: [...TO_BAKING, 'bakeFailed', 'flippedBack'],
  endingNew: ['groupFailed'],
}

export function rolloutIn(state: RolloutState): Rollout {
  if (state === 'awaiting') return play(fresh(false), TO_FLIPPING).rollout
  if (state === 'done') return play(fresh(), [...AT.endingOld, 'groupEnded']).rollout
  return play(fresh(), AT[state]).rollout
}
