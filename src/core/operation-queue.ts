// Which operation on an app may run, which waits, which is the same as one that waits already: one at a time, a
// repeated wish is granted once, a stop goes before everything, and what people want before what policies want.

export type OperationKind =
  | 'start'
  | 'reload'
  | 'restart'
  | 'scale'
  | 'recycle'
  | 'deploy'
  | 'flip'
  | 'rollback'
  | 'stop'

export interface Operation {
  readonly id: number
  readonly kind: OperationKind
  /** Equal operations may be joined: `reload` and `reload` are, `restart 1` and `restart 2` are not; every worker is `all`. */
  readonly subject: string
}

export interface OperationQueue {
  readonly current: Operation | null
  readonly waiting: readonly Operation[]
}

export type Verdict =
  | { readonly kind: 'begin'; readonly dropped: readonly Operation[]; readonly aborted: Operation | null }
  | { readonly kind: 'wait'; readonly dropped: readonly Operation[] }
  | { readonly kind: 'join'; readonly id: number }
  | { readonly kind: 'refuse'; readonly because: Operation }

export const EMPTY_QUEUE: OperationQueue = { current: null, waiting: [] }
/** Far more than people type; a script gone wild is told. Recycles do not count: there is one a worker at most. */
export const MAX_WAITING = 16

/** Asks for an operation. */
export function request(queue: OperationQueue, wish: Operation): { queue: OperationQueue; verdict: Verdict } {
  const { current, waiting } = queue
  if (wish.kind === 'stop') return requestStop(queue, wish)
  if (current === null)
    return { queue: { current: wish, waiting }, verdict: { kind: 'begin', dropped: [], aborted: null } }
  if (current.kind === 'stop') return { queue, verdict: { kind: 'refuse', because: current } }

  const same = waiting.find((other) => other.kind === wish.kind && other.subject === wish.subject)
  // `+1` twice is `+2`, so equal wishes to scale are never one.
  if (same !== undefined && wish.kind !== 'scale') return { queue, verdict: { kind: 'join', id: same.id } }
  const recycles = waiting.filter(isRecycle)
  const others = waiting.filter((other) => !isRecycle(other))
  if (isRecycle(wish))
    return { queue: { current, waiting: [...waiting, wish] }, verdict: { kind: 'wait', dropped: [] } }
  if (others.filter((other) => !isOvertakenBy(wish, other)).length >= MAX_WAITING)
    return { queue, verdict: { kind: 'refuse', because: current } }
  const dropped = waiting.filter((other) => isOvertakenBy(wish, other))
  const [ahead, behind] = [others, recycles].map((some) => some.filter((other) => !dropped.includes(other)))
  return {
    queue: { current, waiting: [...(ahead ?? []), wish, ...(behind ?? [])] },
    verdict: { kind: 'wait', dropped },
  }
}

/** What replaces every worker recycles them all, too; and of several releases that wait, the last one asked for is what runs. */
function isOvertakenBy(wish: Operation, other: Operation): boolean {
  return (isRecycle(other) && replacesAll(wish)) || (choosesRelease(other) && choosesRelease(wish))
}

function choosesRelease({ kind }: Operation): boolean {
  return kind === 'deploy' || kind === 'rollback'
}

function isRecycle({ kind }: Operation): boolean {
  return kind === 'recycle'
}

function replacesAll({ kind, subject }: Operation): boolean {
  return kind === 'reload' || (kind === 'restart' && subject === 'all')
}

function requestStop(queue: OperationQueue, wish: Operation): { queue: OperationQueue; verdict: Verdict } {
  const { current, waiting } = queue
  if (current?.kind === 'stop') return { queue, verdict: { kind: 'join', id: current.id } }
  return { queue: { current: wish, waiting: [] }, verdict: { kind: 'begin', dropped: waiting, aborted: current } }
}

/** The operation has ended, or was overtaken before; says what begins next. */
export function finish(queue: OperationQueue, id: number): { queue: OperationQueue; next: Operation | null } {
  if (queue.current?.id !== id) return { queue, next: null }
  const [next = null, ...waiting] = queue.waiting
  return { queue: { current: next, waiting }, next }
}
