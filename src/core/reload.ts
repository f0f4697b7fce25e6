// Replacing workers by new processes, one machine for `reload`, `restart` and recycling: per worker id a table, over
// all of them three rules. Starting and draining are the caller's work.
//
// Rules of this file
// 1. The new process serves before the old one drains, so that capacity never drops.
// 2. All or nothing: as long as a new process can still fail, the old ones are there to go back to. They are let go
//    when every new one is proven, or earlier, oldest first, when `surge` leaves no room to go on otherwise.
// 3. When a new process fails, everything goes back: new ones are discarded, draining old ones serve again, those that
//    are gone are started again from the old code, if that still exists (`restorable`).

export type SeatState =
  | 'waiting' // the old one serves
  | 'starting' // the new one boots beside it
  | 'watching' // both serve; the new one must live for `minReadyMs`
  | 'asking' // …and must then say that its loop turns
  | 'proven' // both serve
  | 'draining' // the new one serves, the old one finishes
  | 'moved' // the new one serves, the old one is gone
  | 'discarding' // the old one serves, the new one leaves
  | 'kept' // the old one serves
  | 'restoring' // the new one serves, a process of the old code boots
  | 'restored' // a process of the old code serves

export type SeatEvent =
  | 'begin'
  | 'served' // the process that was started serves
  | 'watched' // …and has lived for `minReadyMs`
  | 'answered' // …and its loop turns
  | 'release' // let the old one go
  | 'oldGone' // the old one has exited, or has only connections left that may last for ever
  | 'newGone' // the process that was started has exited
  | 'goBack'

export type ReloadEffect =
  | { readonly type: 'startNew'; readonly worker: number }
  /** Tell `answered` when its loop has turned once more. */
  | { readonly type: 'askNew'; readonly worker: number }
  /** It hangs: its end is told as `newGone`. */
  | { readonly type: 'killNew'; readonly worker: number }
  | { readonly type: 'startOld'; readonly worker: number }
  | { readonly type: 'drainOld'; readonly worker: number }
  | { readonly type: 'undrainOld'; readonly worker: number }
  | { readonly type: 'drainNew'; readonly worker: number }

export interface Seat {
  readonly worker: number
  readonly state: SeatState
  /** When `watching` began, and then when `asking` did. */
  readonly since: number
  readonly oldAlive: boolean
}

export interface ReloadPlan {
  /** Processes beyond the wanted number, at most. */
  readonly surge: number
  /** Processes that boot at the same time, at most. */
  readonly booting: number
  readonly minReadyMs: number
  /** A process that has not answered for so long is none that serves. */
  readonly answerMs: number
  readonly restorable: boolean
}

export interface Reload {
  readonly plan: ReloadPlan
  readonly seats: readonly Seat[]
  /** Every new process was proven: no way back any more. */
  readonly committed: boolean
  readonly goingBack: boolean
  /** The worker whose new process failed first. */
  readonly failed: number | null
}

export type ReloadOutcome = 'moved' | 'kept' | 'mixed'

// prettier-ignore
export const SEAT_TRANSITIONS: Record<SeatState, Record<SeatEvent, SeatState | null>> = {
  waiting:    { begin: 'starting', served: null,       watched: null,     answered: null,     release: null,       oldGone: null,    newGone: null,       goBack: 'kept' },
  starting:   { begin: null,       served: 'watching', watched: null,     answered: null,     release: null,       oldGone: null,    newGone: 'kept',     goBack: 'discarding' },
  watching:   { begin: null,       served: null,       watched: 'asking', answered: null,     release: null,       oldGone: null,    newGone: 'kept',     goBack: 'discarding' },
  asking:     { begin: null,       served: null,       watched: null,     answered: 'proven', release: null,       oldGone: null,    newGone: 'kept',     goBack: 'discarding' },
  proven:     { begin: null,       served: null,       watched: null,     answered: null,     release: 'draining', oldGone: null,    newGone: 'kept',     goBack: 'discarding' },
  draining:   { begin: null,       served: null,       watched: null,     answered: null,     release: null,       oldGone: 'moved', newGone: 'kept',     goBack: 'discarding' },
  moved:      { begin: null,       served: null,       watched: null,     answered: null,     release: null,       oldGone: null,    newGone: 'starting', goBack: 'restoring' },
  discarding: { begin: null,       served: null,       watched: null,     answered: null,     release: null,       oldGone: null,    newGone: 'kept',     goBack: null },
  kept:       { begin: null,       served: null,       watched: null,     answered: null,     release: null,       oldGone: null,    newGone: null,       goBack: null },
  restoring:  { begin: null,       served: 'restored', watched: null,     answered: null,     release: null,       oldGone: null,    newGone: 'moved',    goBack: null },
  restored:   { begin: null,       served: null,       watched: null,     answered: null,     release: null,       oldGone: null,    newGone: null,       goBack: null },
}

/** Begins with the workers to replace, in this order; `alive` says which of them have a process now. */
export function beginReload(workers: readonly { worker: number; alive: boolean }[], plan: ReloadPlan): Reload {
  const seats = workers.map(({ worker, alive }): Seat => ({ worker, state: 'waiting', since: 0, oldAlive: alive }))
  return { plan, seats, committed: false, goingBack: false, failed: null }
}

/** One fact about one worker. */
export function onSeatFact(
  reload: Reload,
  worker: number,
  fact: 'served' | 'answered' | 'oldGone' | 'newGone',
  now: number,
): { reload: Reload; effects: readonly ReloadEffect[] } {
  const seat = reload.seats.find((candidate) => candidate.worker === worker)
  if (seat === undefined) return { reload, effects: [] }
  // After the commit a new process that dies is a crash like any other; restart-policy.ts answers it.
  if (fact === 'newGone' && reload.committed && !reload.goingBack) return { reload, effects: [] }

  if (seat.state === 'moved' && fact === 'newGone') return onMovedGone(reload, seat, now)
  const failed = fact === 'newGone' && !reload.goingBack && SEAT_TRANSITIONS[seat.state].newGone !== null
  const first = move(reload, seat, fact, now)
  if (!failed) return first
  const back = goBack({ ...first.reload, failed: worker }, now)
  return { reload: back.reload, effects: [...first.effects, ...back.effects] }
}

/** A new process died after its old one was gone and before the commit: the old code starts again, or the same once more. */
function onMovedGone(reload: Reload, seat: Seat, now: number): { reload: Reload; effects: readonly ReloadEffect[] } {
  if (reload.goingBack) return { reload, effects: [] }
  if (reload.plan.restorable) return goBack({ ...reload, failed: seat.worker }, now)
  return move(reload, seat, 'newGone', now)
}

/** Does what time and room allow now. Call it after every fact and when `nextDeadline` has passed. */
export function advance(reload: Reload, now: number): { reload: Reload; effects: readonly ReloadEffect[] } {
  if (reload.goingBack) return { reload, effects: [] }
  let current = reload
  const effects: ReloadEffect[] = []
  const apply = (seat: Seat, event: SeatEvent): void => {
    const result = move(current, seat, event, now)
    current = result.reload
    effects.push(...result.effects)
  }
  for (const seat of current.seats) {
    if (seat.state === 'watching' && now >= dueAt(seat, current.plan)) apply(seat, 'watched')
    else if (seat.state === 'asking' && now >= dueAt(seat, current.plan)) {
      // Its end is what tells that it failed, so that nothing is left of it then.
      effects.push({ type: 'killNew', worker: seat.worker })
      current = { ...current, seats: current.seats.map((one) => (one === seat ? { ...seat, since: now } : one)) }
    }
  }
  if (current.seats.every(isPastProof)) current = { ...current, committed: true }
  for (let seat = nextToRelease(current); seat !== undefined; seat = nextToRelease(current)) apply(seat, 'release')
  for (let seat = nextToBegin(current); seat !== undefined; seat = nextToBegin(current)) apply(seat, 'begin')
  return { reload: current, effects }
}

/** Gives up what is not committed; nothing else is begun. */
export function goBack(reload: Reload, now: number): { reload: Reload; effects: readonly ReloadEffect[] } {
  let current: Reload = { ...reload, goingBack: true }
  const effects: ReloadEffect[] = []
  for (const seat of reload.seats) {
    if (seat.state === 'moved' && !reload.plan.restorable) continue
    const result = move(current, seat, 'goBack', now)
    current = result.reload
    effects.push(...result.effects)
  }
  return { reload: current, effects }
}

/** When `advance` should look again although nothing happened; null when only facts matter. */
export function nextDeadline(reload: Reload): number | null {
  const timed = reload.seats.filter((seat) => seat.state === 'watching' || seat.state === 'asking')
  return timed.length === 0 ? null : Math.min(...timed.map((seat) => dueAt(seat, reload.plan)))
}

function dueAt({ state, since }: Seat, { minReadyMs, answerMs }: ReloadPlan): number {
  return since + (state === 'asking' ? answerMs : minReadyMs)
}

/** Null as long as it is under way. */
export function outcomeOf(reload: Reload): ReloadOutcome | null {
  const states = new Set(reload.seats.map((seat) => seat.state))
  for (const state of states) if (!isEnd(state, reload)) return null
  if (!states.has('moved')) return reload.seats.length === 0 && !reload.goingBack ? 'moved' : 'kept'
  return states.size === 1 ? 'moved' : 'mixed'
}

function isEnd(state: SeatState, reload: Reload): boolean {
  if (state === 'waiting') return false
  return state === 'kept' || state === 'restored' || (state === 'moved' && (reload.committed || reload.goingBack))
}

function isPastProof(seat: Seat): boolean {
  return seat.state === 'proven' || seat.state === 'draining' || seat.state === 'moved'
}

/** Processes that exist beyond one a worker. */
function surgeUsed(reload: Reload): number {
  const doubled: readonly SeatState[] = ['starting', 'watching', 'asking', 'proven', 'draining']
  return reload.seats.filter((seat) => doubled.includes(seat.state) && seat.oldAlive).length
}

function nextToBegin(reload: Reload): Seat | undefined {
  const booting = reload.seats.filter((seat) => seat.state === 'starting').length
  if (booting >= reload.plan.booting) return undefined
  const hasRoom = surgeUsed(reload) < reload.plan.surge
  return reload.seats.find((seat) => seat.state === 'waiting' && (hasRoom || !seat.oldAlive))
}

function nextToRelease(reload: Reload): Seat | undefined {
  const proven = reload.seats.find((seat) => seat.state === 'proven')
  if (proven === undefined || reload.committed) return proven
  const waits = reload.seats.some((seat) => seat.state === 'waiting' && seat.oldAlive)
  const leaving = reload.seats.some((seat) => seat.state === 'draining' && seat.oldAlive)
  return waits && !leaving && surgeUsed(reload) >= reload.plan.surge ? proven : undefined
}

function move(
  reload: Reload,
  seat: Seat,
  event: SeatEvent,
  now: number,
): { reload: Reload; effects: readonly ReloadEffect[] } {
  const oldAlive = seat.oldAlive && event !== 'oldGone'
  const next = SEAT_TRANSITIONS[seat.state][event]
  const moved: Seat = {
    ...seat,
    oldAlive,
    state: next ?? seat.state,
    since: event === 'served' || event === 'watched' ? now : seat.since,
  }
  const seats = reload.seats.map((other) => (other.worker === seat.worker ? moved : other))
  const changed = { ...reload, seats }
  if (next === null) return { reload: changed, effects: [] }
  const effects = effectsOf(seat, next)
  // Nothing to wait for where no old process is left.
  if (next === 'draining' && !oldAlive) return move(changed, moved, 'oldGone', now)
  return { reload: changed, effects }
}

function effectsOf(from: Seat, next: SeatState): readonly ReloadEffect[] {
  const worker = from.worker
  const undrain: readonly ReloadEffect[] =
    from.state === 'draining' && from.oldAlive ? [{ type: 'undrainOld', worker }] : []
  switch (next) {
    case 'starting':
      return [{ type: 'startNew', worker }]
    case 'asking':
      return [{ type: 'askNew', worker }]
    case 'draining':
      return [{ type: 'drainOld', worker }]
    case 'discarding':
      return [...undrain, { type: 'drainNew', worker }]
    case 'kept':
      return undrain
    case 'restoring':
      return [{ type: 'startOld', worker }]
    case 'restored':
      return [{ type: 'drainNew', worker }]
    case 'waiting':
    case 'watching':
    case 'proven':
    case 'moved':
      return []
  }
}
