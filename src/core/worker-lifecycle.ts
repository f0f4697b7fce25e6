// The life of one process: which state follows which, and what must then be done. What follows its exit is decided in
// restart-policy.ts, what replaces it in reload.ts.
//
// Rules of this file
// 1. It decides and never acts: no process, socket, timer, clock or random number.
// 2. Every state answers every event; `null` means "stay", never "forgotten".
// 3. A state has at most one deadline. When it passes, the state sees `timedOut`.

export type LifeState =
  | 'starting' // forked, not yet ready
  | 'ready' // ready, waits until the slots lent to it are acknowledged
  | 'serving'
  | 'standby' // able to serve and without slots: its group has no public traffic
  | 'draining' // takes nothing new, finishes what is open
  | 'stopping' // was sent the stop signal
  | 'killing' // was sent SIGKILL
  | 'exited'

/** What the supervisor saw or wants. */
export type LifeEvent =
  | 'becameReady'
  | 'attached'
  | 'shelved' // nothing is lent to it: its group is not the active one
  | 'lendWanted' // its group has become the active one
  | 'shelveWanted' // its group is no longer the active one
  | 'drainWanted'
  | 'undrainWanted'
  | 'drained'
  | 'stopWanted' // without a drain
  | 'killWanted'
  | 'timedOut'
  | 'timedOutSilent' // the deadline passed and the event loop does not answer
  | 'exited'

/** What the supervisor must do on a transition. */
export type LifeEffect = 'lend' | 'shelve' | 'drain' | 'undrain' | 'terminate' | 'kill' | 'report'

export interface Life {
  readonly state: LifeState
  /** Its end was asked for: its exit is no crash. */
  readonly endWanted: boolean
  readonly deadline: number | null
}

export interface LifecyclePolicy {
  readonly readyTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly killTimeoutMs: number
  /** There is no agent in it: it drains by its own means, and reports nothing. */
  readonly isCommand?: boolean
}

/**
 * The agent ends a drain at the deadline by itself and reports what it cut, after up to a second for the last handshakes of
 * WebSockets; only one that cannot is overtaken.
 */
export const DRAIN_REPORT_GRACE_MS = 2500
/** A process in an uninterruptible sleep does not die at once. */
export const KILL_AGAIN_MS = 5000

// prettier-ignore
export const TRANSITIONS: Record<LifeState, Record<LifeEvent, LifeState | null>> = {
  starting: { becameReady: 'ready', attached: null,      shelved: null,      lendWanted: null,    shelveWanted: null,      drainWanted: 'stopping', undrainWanted: null,    drained: null,       stopWanted: 'stopping', killWanted: 'killing', timedOut: 'killing',  timedOutSilent: 'killing', exited: 'exited' },
  ready:    { becameReady: null,    attached: 'serving', shelved: 'standby', lendWanted: null,    shelveWanted: 'standby', drainWanted: 'draining', undrainWanted: null,    drained: null,       stopWanted: 'stopping', killWanted: 'killing', timedOut: null,       timedOutSilent: null,      exited: 'exited' },
  serving:  { becameReady: null,    attached: null,      shelved: null,      lendWanted: null,    shelveWanted: 'standby', drainWanted: 'draining', undrainWanted: null,    drained: null,       stopWanted: 'stopping', killWanted: 'killing', timedOut: null,       timedOutSilent: null,      exited: 'exited' },
  standby:  { becameReady: null,    attached: null,      shelved: null,      lendWanted: 'ready', shelveWanted: null,      drainWanted: 'draining', undrainWanted: null,    drained: null,       stopWanted: 'stopping', killWanted: 'killing', timedOut: null,       timedOutSilent: null,      exited: 'exited' },
  draining: { becameReady: null,    attached: null,      shelved: null,      lendWanted: null,    shelveWanted: null,      drainWanted: null,       undrainWanted: 'ready', drained: 'stopping', stopWanted: 'stopping', killWanted: 'killing', timedOut: 'stopping', timedOutSilent: 'killing', exited: 'exited' },
  stopping: { becameReady: null,    attached: null,      shelved: null,      lendWanted: null,    shelveWanted: null,      drainWanted: null,       undrainWanted: null,    drained: null,       stopWanted: null,       killWanted: 'killing', timedOut: 'killing',  timedOutSilent: 'killing', exited: 'exited' },
  killing:  { becameReady: null,    attached: null,      shelved: null,      lendWanted: null,    shelveWanted: null,      drainWanted: null,       undrainWanted: null,    drained: null,       stopWanted: null,       killWanted: null,      timedOut: 'killing',  timedOutSilent: 'killing', exited: 'exited' },
  exited:   { becameReady: null,    attached: null,      shelved: null,      lendWanted: null,    shelveWanted: null,      drainWanted: null,       undrainWanted: null,    drained: null,       stopWanted: null,       killWanted: null,      timedOut: null,       timedOutSilent: null,      exited: null },
}

const ON_ENTER: Record<LifeState, readonly LifeEffect[]> = {
  starting: [],
  ready: ['lend'],
  serving: [],
  standby: [],
  draining: ['drain'],
  stopping: ['terminate'],
  killing: ['kill'],
  exited: ['report'],
}

/** What an event itself asks for, ahead of what its new state does. */
const BEFORE: Partial<Record<LifeEvent, readonly LifeEffect[]>> = {
  undrainWanted: ['undrain'],
  shelveWanted: ['shelve'],
}

/** A process that was just forked, or, as `ready`, one that an earlier supervisor found ready. */
export function begin(now: number, policy: LifecyclePolicy, state: 'starting' | 'ready' = 'starting'): Life {
  return { state, endWanted: false, deadline: deadlineIn(state, now, policy) }
}

/** Moves a process on by one event. */
export function step(
  life: Life,
  event: LifeEvent,
  now: number,
  policy: LifecyclePolicy,
): { life: Life; effects: readonly LifeEffect[] } {
  const endWanted = event === 'undrainWanted' && life.state === 'draining' ? false : life.endWanted || isWish(event)
  const next = TRANSITIONS[life.state][event]
  if (next === null) return { life: { ...life, endWanted }, effects: [] }

  const effects = [...(BEFORE[event] ?? []), ...ON_ENTER[next]]
  return { life: { state: next, endWanted, deadline: deadlineIn(next, now, policy) }, effects }
}

/** A kill is no wish for a quiet end: what made it necessary is a crash, unless the end was wanted before. */
function isWish(event: LifeEvent): boolean {
  return event === 'drainWanted' || event === 'stopWanted'
}

/** Able to answer requests, now or as soon as its slots are there. */
export function isUp(state: LifeState): boolean {
  return state === 'ready' || state === 'serving' || state === 'standby'
}

function deadlineIn(state: LifeState, now: number, policy: LifecyclePolicy): number | null {
  if (state === 'starting') return now + policy.readyTimeoutMs
  if (state === 'draining') return now + policy.drainTimeoutMs + (policy.isCommand === true ? 0 : DRAIN_REPORT_GRACE_MS)
  if (state === 'stopping') return now + policy.killTimeoutMs
  if (state === 'killing') return now + KILL_AGAIN_MS
  return null
}
