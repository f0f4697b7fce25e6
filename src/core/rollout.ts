// Moving an app from one release to another, step by step: the new group starts beside the old one, is tried, gets the
// traffic, is watched, and the old one is let go; or everything goes back. Whoever performs the commands says what came of them.
//
// Rules of this file
// 1. Every state answers every event; `null` means "stay". Wishes are remembered as fields beside it and granted as soon as
//    the state allows (`reconcile`), so that none is lost.
// 2. A state has at most one deadline. While paused none runs, so that nothing is given up, let go or begun by itself; a
//    verdict that fails goes back all the same.
// 3. Both groups are up from the flip until the old one is let go: going back starts no process.
// 4. Only one group is ever ended: the old one when the new one is to stay, else the new one. A person may take the old one
//    back as long as it drains.
// 5. Commands can be given again after a restart: each asks for a state of things, not for one more act.
//
// A rolling update is the same machine with another executor: there `startGroup` and `smoke` are answered at once, and
// `flip` replaces the workers batch by batch.

export type RolloutState =
  | 'starting' // the new group boots
  | 'ready' // it is ready, and must live for `minReadyMs`
  | 'smoking' // the checks run against it
  | 'awaiting' // passed; waits for a person
  | 'flipping' // the public traffic moves to it
  | 'baking' // it serves and is watched; the old one is warm
  | 'retiring' // it is promoted; the old one stays warm for `rollbackWindowMs`
  | 'endingOld' // the old one drains and ends
  | 'goingBack' // the public traffic moves to the old one
  | 'heldUp' // that failed; it is tried again soon
  | 'withdrawn' // the old one serves; the new one is still up, to be looked at
  | 'endingNew' // the new one drains and ends
  | 'done'

export type RolloutOutcome =
  | 'promoted'
  | 'aborted' // by a person
  | 'rolledBack' // it had served
  | 'failed' // it never served
  | 'superseded' // by a newer release

/** What was seen or is wanted. `why` is in words that follow "since". */
export type RolloutEvent =
  | { readonly type: 'groupReady' | 'smokePassed' | 'flippedBack' | 'groupEnded' | 'timedOut' }
  | { readonly type: 'bakePassed'; readonly why?: string }
  /** The workers are about to be told that the traffic is its. */
  | { readonly type: 'moveBegun' }
  | { readonly type: 'flipped'; readonly tookMs: number }
  | { readonly type: 'groupFailed' | 'groupDied' | 'smokeFailed'; readonly why: string }
  | { readonly type: 'flipFailed' | 'flipBackFailed' | 'bakeFailed'; readonly why: string }
  | { readonly type: 'promoteWanted' | 'pauseWanted' | 'resumeWanted' }
  | { readonly type: 'abortWanted' | 'superseded'; readonly why: string }
  /** `by` is what the person has asked for. */
  | { readonly type: 'flippedByHand'; readonly serving: Side; readonly by: HandMove }
  /** A new supervisor goes on with it. `serving` is what the workers acknowledged last, whatever was written down. */
  | {
      readonly type: 'resumedBySupervisor'
      readonly serving: Side
      readonly oldLives: boolean
      readonly newLives: boolean
    }

export type Side = 'old' | 'new'

export type HandMove = 'flip' | 'rollback'

/** The events as the table knows them: pauses never change the state, dying is failing, and two have several meanings. */
export type TableEvent =
  | Exclude<
      RolloutEvent['type'],
      'pauseWanted' | 'resumeWanted' | 'moveBegun' | 'groupDied' | 'flippedByHand' | 'resumedBySupervisor'
    >
  | 'flippedToOld'
  | 'flippedToNew'
  | 'resumedOnOld' // and the new one lives
  | 'resumedWithoutNew'
  | 'resumedOnNew' // and the old one lives
  | 'resumedWithoutOld'
  | 'resumedOnDeadNew'

export type RolloutCommand =
  | 'startGroup' // let every worker of the new group be up
  | 'smoke'
  | 'flip'
  | 'beginBake'
  | 'flipBack'
  | 'retireOld' // let the new one serve alone
  | 'endNew' // let the old one serve alone

export interface RolloutPolicy {
  readonly progressDeadlineMs: number
  readonly minReadyMs: number
  /** How long the other group stays warm after a promotion, or after a flip by hand. */
  readonly rollbackWindowMs: number
  /** How long a new group that was refused stays up, to be looked at. */
  readonly abortDelayMs: number
}

export interface Rollout {
  /** Id of the release that is rolled out. */
  readonly release: string
  /** Id of the release to go back to. */
  readonly from: string
  readonly policy: RolloutPolicy
  readonly state: RolloutState
  /** When the state began. */
  readonly since: number
  readonly deadline: number | null
  /** What was left of the deadline when it was paused. */
  readonly leftMs: number | null
  readonly paused: boolean
  /** From the beginning when it is to go on by itself. */
  readonly promoteWanted: boolean
  /** Why this rollout is to get out of the way: a newer release waits for it. */
  readonly successor: string | null
  /** Known as soon as it is decided; what is left to do then is tidying up. */
  readonly outcome: RolloutOutcome | null
  readonly why: string | null
  readonly flipMs: number | null
  /** The public traffic was given to it, or was about to be: it may have answered somebody. */
  readonly served: boolean
}

/** The wait before a failed flip back is tried again. */
export const FLIP_BACK_AGAIN_MS = 1000

// oxfmt-ignore
export const ROLLOUT_TRANSITIONS: Record<RolloutState, Record<TableEvent, RolloutState | null>> = {
  starting:  { groupReady: 'ready', smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: 'endingNew', flipped: null,     groupFailed: 'endingNew', smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'endingNew', superseded: 'endingNew', flippedToOld: null,        flippedToNew: null,       resumedOnOld: 'starting',  resumedWithoutNew: 'starting',  resumedOnNew: 'goingBack', resumedWithoutOld: 'goingBack', resumedOnDeadNew: 'goingBack' },
  ready:     { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: 'smoking',   flipped: null,     groupFailed: 'endingNew', smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'endingNew', superseded: 'endingNew', flippedToOld: null,        flippedToNew: 'retiring', resumedOnOld: 'ready',     resumedWithoutNew: 'starting',  resumedOnNew: 'retiring',  resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'goingBack' },
  smoking:   { groupReady: null,    smokePassed: 'awaiting', flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: null,        flipped: null,     groupFailed: 'endingNew', smokeFailed: 'withdrawn', flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'endingNew', superseded: 'endingNew', flippedToOld: null,        flippedToNew: 'retiring', resumedOnOld: 'ready',     resumedWithoutNew: 'starting',  resumedOnNew: 'retiring',  resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'goingBack' },
  awaiting:  { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: null,        flipped: null,     groupFailed: 'endingNew', smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: 'flipping', abortWanted: 'endingNew', superseded: 'endingNew', flippedToOld: null,        flippedToNew: 'retiring', resumedOnOld: 'awaiting',  resumedWithoutNew: 'starting',  resumedOnNew: 'retiring',  resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'goingBack' },
  flipping:  { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: null,        flipped: 'baking', groupFailed: 'goingBack', smokeFailed: null,        flipFailed: 'goingBack', flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'goingBack', superseded: null,        flippedToOld: 'withdrawn', flippedToNew: 'retiring', resumedOnOld: 'flipping',  resumedWithoutNew: 'endingNew', resumedOnNew: 'baking',    resumedWithoutOld: 'baking',    resumedOnDeadNew: 'goingBack' },
  baking:    { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: 'retiring', groupEnded: null,   timedOut: null,        flipped: null,     groupFailed: 'goingBack', smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: 'goingBack', promoteWanted: 'retiring', abortWanted: 'goingBack', superseded: 'endingOld', flippedToOld: 'withdrawn', flippedToNew: 'retiring', resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'baking',    resumedWithoutOld: 'baking',    resumedOnDeadNew: 'goingBack' },
  retiring:  { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: 'endingOld', flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: null,        superseded: 'endingOld', flippedToOld: 'withdrawn', flippedToNew: null,       resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'retiring',  resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'retiring' },
  endingOld: { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: 'done', timedOut: null,        flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: null,        superseded: null,        flippedToOld: 'withdrawn', flippedToNew: null,       resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'endingOld', resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'endingOld' },
  goingBack: { groupReady: null,    smokePassed: null,       flippedBack: 'withdrawn', bakePassed: null,       groupEnded: null,   timedOut: null,        flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: 'heldUp', bakeFailed: null,        promoteWanted: null,       abortWanted: null,        superseded: null,        flippedToOld: 'withdrawn', flippedToNew: 'retiring', resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'goingBack', resumedWithoutOld: 'goingBack', resumedOnDeadNew: 'goingBack' },
  heldUp:    { groupReady: null,    smokePassed: null,       flippedBack: 'withdrawn', bakePassed: null,       groupEnded: null,   timedOut: 'goingBack', flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'goingBack', superseded: 'endingOld', flippedToOld: 'withdrawn', flippedToNew: 'retiring', resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'goingBack', resumedWithoutOld: 'goingBack', resumedOnDeadNew: 'goingBack' },
  withdrawn: { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: 'endingNew', flipped: null,     groupFailed: 'endingNew', smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: 'endingNew', superseded: 'endingNew', flippedToOld: null,        flippedToNew: 'retiring', resumedOnOld: 'withdrawn', resumedWithoutNew: 'endingNew', resumedOnNew: 'retiring',  resumedWithoutOld: 'endingOld', resumedOnDeadNew: 'goingBack' },
  endingNew: { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: 'done', timedOut: null,        flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: null,        superseded: null,        flippedToOld: null,        flippedToNew: null,       resumedOnOld: 'endingNew', resumedWithoutNew: 'endingNew', resumedOnNew: 'endingNew', resumedWithoutOld: 'endingNew', resumedOnDeadNew: 'endingNew' },
  done:      { groupReady: null,    smokePassed: null,       flippedBack: null,        bakePassed: null,       groupEnded: null,   timedOut: null,        flipped: null,     groupFailed: null,        smokeFailed: null,        flipFailed: null,        flipBackFailed: null,     bakeFailed: null,        promoteWanted: null,       abortWanted: null,        superseded: null,        flippedToOld: null,        flippedToNew: null,       resumedOnOld: null,        resumedWithoutNew: null,        resumedOnNew: null,        resumedWithoutOld: null,        resumedOnDeadNew: null },
}

const ON_ENTER: Record<RolloutState, RolloutCommand | null> = {
  starting: 'startGroup',
  ready: null,
  smoking: 'smoke',
  awaiting: null,
  flipping: 'flip',
  baking: 'beginBake',
  retiring: null,
  endingOld: 'retireOld',
  goingBack: 'flipBack',
  heldUp: null,
  withdrawn: null,
  endingNew: 'endNew',
  done: null,
}

export interface RolloutStep {
  readonly rollout: Rollout
  readonly commands: readonly RolloutCommand[]
}

export interface RolloutPlan {
  readonly release: string
  readonly from: string
  readonly autoPromote: boolean
  readonly policy: RolloutPolicy
}

export function beginRollout({ release, from, autoPromote, policy }: RolloutPlan, now: number): RolloutStep {
  const rollout: Rollout = {
    release,
    from,
    policy,
    state: 'starting',
    since: now,
    deadline: now + policy.progressDeadlineMs,
    leftMs: null,
    paused: false,
    promoteWanted: autoPromote,
    successor: null,
    outcome: null,
    why: null,
    flipMs: null,
    served: false,
  }
  return { rollout, commands: ['startGroup'] }
}

/** Moves a rollout on by one event. */
export function stepRollout(rollout: Rollout, event: RolloutEvent, now: number): RolloutStep {
  // A timer that fired in the moment of the pause.
  if (event.type === 'timedOut' && rollout.deadline === null) return { rollout, commands: [] }
  const wished = rememberWish(rollout, event, now)
  const name = nameInTable(event)
  const next = name === null ? null : ROLLOUT_TRANSITIONS[wished.state][name]
  const moved = name === null || next === null ? wished : enter(wished, next, name, event, now)
  const settled = reconcile(moved, event, now)
  const command = settled === wished ? null : ON_ENTER[settled.state]
  return { rollout: settled, commands: command === null ? [] : [command] }
}

/**
 * The app ends in the middle of it, by a person's stop or together with its supervisor. What was not found good by then
 * never was, and is not what the app begins with again.
 */
export function endRollout(rollout: Rollout, ended: 'stopped' | 'lost', now: number): Rollout {
  if (rollout.state === 'done') return rollout
  const outcome = rollout.outcome ?? (ended === 'stopped' ? 'aborted' : badEnding(rollout))
  const words = ended === 'stopped' ? 'the app was stopped' : 'its supervisor was lost before it was found good'
  const why = rollout.outcome === null ? words : rollout.why
  return { ...rollout, state: 'done', since: now, outcome, why, deadline: null, leftMs: null }
}

/** Whether both groups are up, so that the traffic can be moved by hand. */
export function canFlip(state: RolloutState): boolean {
  return ['ready', 'smoking', 'awaiting', 'baking', 'retiring', 'withdrawn'].includes(state)
}

/** Which group the public traffic belongs to; null while it moves. */
export function servingSide(state: RolloutState): Side | null {
  switch (state) {
    case 'flipping':
    case 'goingBack':
    case 'heldUp':
    case 'done':
      return null
    case 'baking':
    case 'retiring':
    case 'endingOld':
      return 'new'
    case 'starting':
    case 'ready':
    case 'smoking':
    case 'awaiting':
    case 'withdrawn':
    case 'endingNew':
      return 'old'
  }
}

function rememberWish(rollout: Rollout, event: RolloutEvent, now: number): Rollout {
  switch (event.type) {
    case 'pauseWanted':
      return pause(rollout, now)
    case 'resumeWanted':
      return resume(rollout, now)
    case 'promoteWanted':
      return { ...resume(rollout, now), promoteWanted: true }
    case 'abortWanted':
      return resume(rollout, now)
    case 'superseded':
      return { ...resume(rollout, now), successor: event.why }
    case 'moveBegun':
      return rollout.state === 'flipping' ? { ...rollout, served: true } : rollout
    case 'flipped':
      return { ...rollout, flipMs: rollout.state === 'flipping' ? event.tookMs : rollout.flipMs }
    case 'groupReady':
    case 'smokePassed':
    case 'flippedBack':
    case 'bakePassed':
    case 'groupEnded':
    case 'timedOut':
    case 'groupFailed':
    case 'groupDied':
    case 'smokeFailed':
    case 'flipFailed':
    case 'flipBackFailed':
    case 'bakeFailed':
      return rollout
    case 'flippedByHand':
    case 'resumedBySupervisor':
      return { ...rollout, served: rollout.served || event.serving === 'new' }
  }
}

function nameInTable(event: RolloutEvent): TableEvent | null {
  if (event.type === 'pauseWanted' || event.type === 'resumeWanted' || event.type === 'moveBegun') return null
  if (event.type === 'groupDied') return 'groupFailed'
  if (event.type === 'flippedByHand') return event.serving === 'old' ? 'flippedToOld' : 'flippedToNew'
  if (event.type !== 'resumedBySupervisor') return event.type
  if (event.serving === 'old') return event.newLives ? 'resumedOnOld' : 'resumedWithoutNew'
  if (!event.newLives) return 'resumedOnDeadNew'
  return event.oldLives ? 'resumedOnNew' : 'resumedWithoutOld'
}

/** Grants what was wished for before the state allowed it. */
function reconcile(rollout: Rollout, event: RolloutEvent, now: number): Rollout {
  const { state, successor, promoteWanted, paused } = rollout
  const name = successor === null ? 'promoteWanted' : 'superseded'
  const isWanted = successor !== null || (state === 'awaiting' && promoteWanted && !paused)
  const next = isWanted ? ROLLOUT_TRANSITIONS[state][name] : null
  return next === null ? rollout : enter(rollout, next, name, event, now)
}

function enter(rollout: Rollout, state: RolloutState, name: TableEvent, event: RolloutEvent, now: number): Rollout {
  const outcome = outcomeIn(rollout, state, name)
  const why = outcome === rollout.outcome ? rollout.why : whyOf(rollout, name, event)
  const served = rollout.served || servingSide(state) === 'new'
  const entered: Rollout = { ...rollout, state, since: now, outcome, why, served, leftMs: null, deadline: null }
  const ms = timeIn(entered, name, rollout)
  if (ms === null) return entered
  return rollout.paused && isPausable(state) ? { ...entered, leftMs: ms } : { ...entered, deadline: now + ms }
}

/** Decided once; only who moves the traffic by hand decides anew. */
function outcomeIn(rollout: Rollout, next: RolloutState, name: TableEvent): RolloutOutcome | null {
  if (next === 'retiring') return 'promoted'
  if (next === 'endingOld' && rollout.state !== 'endingOld')
    // What stays was never found good when a newer release came first, or was even found bad.
    return name === 'superseded' ? (rollout.outcome ?? 'superseded') : 'promoted'
  if (!['goingBack', 'withdrawn', 'endingNew'].includes(next)) return rollout.outcome
  if (rollout.outcome !== null && rollout.outcome !== 'promoted') return rollout.outcome
  if (name === 'abortWanted') return 'aborted'
  if (name === 'superseded') return 'superseded'
  return badEnding(rollout)
}

function badEnding({ served }: Rollout): RolloutOutcome {
  return served ? 'rolledBack' : 'failed'
}

function whyOf(rollout: Rollout, name: TableEvent, event: RolloutEvent): string | null {
  if (name === 'superseded') return rollout.successor
  if ('why' in event && event.why !== undefined) return event.why
  if (name === 'timedOut' && rollout.state === 'starting')
    return `it was not ready within ${rollout.policy.progressDeadlineMs / 1000} s`
  if (event.type === 'flippedByHand') return HAND_MOVES[event.by][event.serving]
  if (name === 'resumedWithoutNew' || name === 'resumedOnDeadNew') return 'it had died while no supervisor was there'
  return event.type === 'resumedBySupervisor' ? 'that is how the supervisor found it when it came back' : null
}

const HAND_MOVES: Readonly<Record<HandMove, Readonly<Record<Side, string>>>> = {
  flip: { old: 'the traffic was flipped back by hand', new: 'the traffic was flipped to it by hand' },
  rollback: { old: 'it was rolled back by hand', new: 'it was rolled back to by hand' },
}

function timeIn({ state, policy, outcome }: Rollout, name: TableEvent, before: Rollout): number | null {
  if (state === 'starting') return policy.progressDeadlineMs
  if (state === 'ready') return policy.minReadyMs
  if (state === 'retiring') return policy.rollbackWindowMs
  if (state === 'heldUp') return FLIP_BACK_AGAIN_MS
  if (state !== 'withdrawn') return null
  // It waited before the supervisor ended, and does so again.
  if (before.state === 'withdrawn') return before.leftMs ?? Number(before.deadline) - before.since
  return isByHand(name, before) && outcome === 'rolledBack' ? policy.rollbackWindowMs : policy.abortDelayMs
}

/** The old release serves since a person has moved the traffic, and may move it again. */
function isByHand(name: TableEvent, { state }: Rollout): boolean {
  // Going back by itself is written down before it is begun: this is a flip of which the supervisor did not see the end.
  return name === 'flippedToOld' || (name === 'resumedOnOld' && hasServed(state))
}

function hasServed(state: RolloutState): boolean {
  return servingSide(state) === 'new'
}

/** Going back does not wait for anybody. */
function isPausable(state: RolloutState): boolean {
  return state !== 'heldUp'
}

function pause(rollout: Rollout, now: number): Rollout {
  if (rollout.paused || rollout.state === 'done') return rollout
  if (rollout.deadline === null || !isPausable(rollout.state)) return { ...rollout, paused: true }
  return { ...rollout, paused: true, deadline: null, leftMs: Math.max(rollout.deadline - now, 0) }
}

function resume(rollout: Rollout, now: number): Rollout {
  if (!rollout.paused) return rollout
  const deadline = rollout.leftMs === null ? rollout.deadline : now + rollout.leftMs
  return { ...rollout, paused: false, deadline, leftMs: null }
}
