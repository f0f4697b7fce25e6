// What a rehearsal of failures does next: which fault, on which worker, and when it is over.
//
// Rules of this file
// 1. The last worker that serves is never taken: a fault that takes one away needs another that serves. One whose event loop
//    has not been heard of for a while serves nobody, whatever state it is in.
// 2. One fault at a time: the next one waits until the app is as it was before.
// 3. No fault begins whose own length goes beyond the end.
// 4. A worker that one more crash would make `failed` is spared: a rehearsal must not leave damage.
// 5. The supervisor is not killed so soon after its start that whoever brings it back would take it for broken.
// 6. Chance comes from the seed and the number of the fault alone.

export type FaultKind = 'kill' | 'stop' | 'hang' | 'memory' | 'delay' | 'supervisor'

interface FaultRule {
  /** It is done to a worker, not to the supervisor. */
  readonly onWorker: boolean
  /** The worker does not serve meanwhile, or may have to go. */
  readonly takesAway: boolean
  /** It ends as a crash. */
  readonly crashes: boolean
}

export const FAULT_RULES: Readonly<Record<FaultKind, FaultRule>> = {
  kill: { onWorker: true, takesAway: true, crashes: true },
  stop: { onWorker: true, takesAway: true, crashes: true },
  hang: { onWorker: true, takesAway: true, crashes: true },
  memory: { onWorker: true, takesAway: true, crashes: false },
  delay: { onWorker: true, takesAway: false, crashes: false },
  supervisor: { onWorker: false, takesAway: false, crashes: false },
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its keys are all of them
export const FAULT_KINDS = Object.keys(FAULT_RULES) as readonly FaultKind[]

/** A loop that turns is heard of every second: this one has missed two turns. */
export const DEAF_AFTER_MS = 2500

export interface ChaosPlan {
  readonly kinds: readonly FaultKind[]
  readonly everyMs: number
  readonly endsAt: number
  readonly seed: number
  /** How long each lasts at the longest, when nothing ends it before. */
  readonly lengthsMs: Readonly<Record<FaultKind, number>>
  /** How long the app has to be whole again after that. */
  readonly settleMs: number
  /** Not killed before. */
  readonly supervisorFrom: number
}

export interface Fault {
  /** The first is 1. */
  readonly n: number
  readonly kind: FaultKind
  /** Null for the supervisor. */
  readonly worker: ServingWorker | null
  readonly since: number
  readonly lengthMs: number
  readonly servingBefore: number
  readonly isUndone: boolean
}

export interface Rehearsal {
  readonly done: readonly FaultKind[]
  readonly nextAt: number
  readonly current: Fault | null
}

export interface ServingWorker {
  readonly id: number
  readonly pid: number
  /** How many more crashes it may have before it is `failed`. */
  readonly crashesLeft: number
  /** For how long nothing was heard of its event loop; 0 of a command, which says nothing. */
  readonly silentMs: number
}

export interface ChaosFacts {
  readonly now: number
  /** An operation or a rollout is under way that no fault shall disturb. */
  readonly isBusy: boolean
  /** By their state. */
  readonly serving: readonly ServingWorker[]
  /** Every process that is not gone. */
  readonly pids: readonly number[]
  readonly wanted: number
}

export type Decision =
  | { readonly do: 'wait' }
  | { readonly do: 'begin'; readonly fault: Fault }
  /** Its own time is over: what it holds is let go. */
  | { readonly do: 'undo' }
  | { readonly do: 'over'; readonly recovered: boolean }
  | { readonly do: 'end' }

export function beginRehearsal(firstAt: number, done: readonly FaultKind[] = []): Rehearsal {
  return { done, nextAt: firstAt, current: null }
}

export function decide(plan: ChaosPlan, rehearsal: Rehearsal, seen: ChaosFacts): Decision {
  const { current, nextAt } = rehearsal
  const facts = { ...seen, serving: seen.serving.filter(({ silentMs }) => silentMs <= DEAF_AFTER_MS) }
  if (current !== null) return judge(current, plan, facts)
  if (!plan.kinds.some((kind) => fits(kind, plan, facts.now))) return { do: 'end' }
  if (facts.now < nextAt || facts.isBusy) return { do: 'wait' }
  const fault = choose(plan, rehearsal, facts)
  return fault === null ? { do: 'wait' } : { do: 'begin', fault }
}

/** The rehearsal after the decision was carried out. */
export function apply(rehearsal: Rehearsal, decision: Decision, plan: ChaosPlan, now: number): Rehearsal {
  switch (decision.do) {
    case 'begin':
      return {
        done: [...rehearsal.done, decision.fault.kind],
        nextAt: now + plan.everyMs,
        current: decision.fault,
      }
    case 'undo':
      return { ...rehearsal, current: rehearsal.current && { ...rehearsal.current, isUndone: true } }
    case 'over':
      return { ...rehearsal, current: null }
    case 'wait':
    case 'end':
      return rehearsal
  }
}

function judge({ kind, worker, since, lengthMs, servingBefore, isUndone }: Fault, plan: ChaosPlan, facts: ChaosFacts) {
  const isThere = worker !== null && facts.pids.includes(worker.pid)
  const isTimeUp = facts.now >= since + lengthMs
  const isWhole = facts.serving.length >= Math.min(servingBefore, facts.wanted)
  // A process that was killed is there until its end is known; whether another supervisor is there, that one cannot know.
  const isNotYet = kind === 'supervisor' || (kind === 'kill' && isThere)
  if (facts.now >= since + lengthMs + plan.settleMs) return over(isWhole && !isNotYet)
  if (isNotYet) return WAIT
  if (isThere && !isTimeUp) return WAIT
  if (isThere && !isUndone) return UNDO
  return isWhole ? over(true) : WAIT
}

const WAIT: Decision = { do: 'wait' }
const UNDO: Decision = { do: 'undo' }

function over(recovered: boolean): Decision {
  return { do: 'over', recovered }
}

function fits(kind: FaultKind, { lengthsMs, endsAt, supervisorFrom }: ChaosPlan, now: number): boolean {
  const from = FAULT_RULES[kind].onWorker ? now : Math.max(now, supervisorFrom)
  return from < endsAt && from + lengthsMs[kind] <= endsAt
}

/** Of what can be done now the kind that was done least, so that a short rehearsal has each of them. */
function choose(plan: ChaosPlan, { done }: Rehearsal, facts: ChaosFacts): Fault | null {
  const possible = plan.kinds.filter((kind) => fits(kind, plan, facts.now) && isPossible(kind, plan, facts))
  const times = (kind: FaultKind): number => done.filter((one) => one === kind).length
  const least = Math.min(...possible.map(times))
  const number = done.length
  const kind = pick(
    possible.filter((one) => times(one) === least),
    draw(plan.seed, 2 * number),
  )
  if (kind === undefined) return null
  const worker = FAULT_RULES[kind].onWorker ? pick(victimsOf(kind, facts), draw(plan.seed, 2 * number + 1)) : undefined
  return {
    n: number + 1,
    kind,
    worker: worker ?? null,
    since: facts.now,
    lengthMs: plan.lengthsMs[kind],
    servingBefore: facts.serving.length,
    isUndone: false,
  }
}

function isPossible(kind: FaultKind, { supervisorFrom }: ChaosPlan, facts: ChaosFacts): boolean {
  return FAULT_RULES[kind].onWorker ? victimsOf(kind, facts).length > 0 : facts.now >= supervisorFrom
}

function victimsOf(kind: FaultKind, { serving }: ChaosFacts): readonly ServingWorker[] {
  const { takesAway, crashes } = FAULT_RULES[kind]
  if (takesAway && serving.length < 2) return []
  return crashes ? serving.filter(({ crashesLeft }) => crashesLeft > 0) : serving
}

function pick<One>(all: readonly One[], chance: number): One | undefined {
  return all[Math.floor(chance * all.length)]
}

/** A number from 0 up to 1: the same for the same seed and place. */
export function draw(seed: number, place: number): number {
  let mixed = (Math.trunc(seed) ^ Math.imul(place + 1, 0x9e3779b1)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
}
