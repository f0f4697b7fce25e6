// Carrying out core/reload.ts: starts, watches and lets go of processes as the machine says, and tells how far it is.

import {
  advance,
  beginReload,
  nextDeadline,
  onSeatFact,
  outcomeOf,
  type Reload,
  type ReloadEffect,
  type ReloadOutcome,
  type ReloadPlan,
} from '../core/reload.ts'
import type { WorkerStep } from '../control/messages.ts'
import type { Clock } from './clock.ts'
import type { Launch } from './launch.ts'
import { countOf } from './ending-words.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { Generation } from './worker-spec.ts'

export interface ReplacementOwner {
  readonly clock: Clock
  launch(worker: number, generation: Generation, onFailure: (error: Error) => void): Launch
  /** The process that has this id now, if one stays. */
  current(worker: number): WorkerHandle | null
  progress(step: WorkerStep): void
}

interface Place {
  readonly old: WorkerHandle | null
  launch: Launch | null
  /** The new process, once the old code is being started again in its place. */
  rejected: WorkerHandle | null
}

export interface ReplacementResult {
  readonly outcome: ReloadOutcome
  /** The worker whose new process failed, and why in words. */
  readonly failed: { readonly worker: number; readonly why: string } | null
  readonly aborted: boolean
}

export class Replacement {
  readonly target: Generation
  readonly previous: Generation
  readonly result: Promise<ReplacementResult>
  #machine: Reload
  #why = ''
  #aborted = false
  #settle: (result: ReplacementResult) => void = () => {}
  #cancelWake: () => void = () => {}
  readonly #places = new Map<number, Place>()
  readonly #owner: ReplacementOwner

  constructor(
    workers: readonly number[],
    target: Generation,
    previous: Generation,
    plan: ReloadPlan,
    owner: ReplacementOwner,
  ) {
    this.target = target
    this.previous = previous
    this.#owner = owner
    for (const worker of workers) this.#places.set(worker, { old: owner.current(worker), launch: null, rejected: null })
    this.#machine = beginReload(
      workers.map((worker) => ({ worker, alive: this.#places.get(worker)?.old !== null })),
      plan,
    )
    this.result = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  begin(): void {
    this.#advance()
  }

  /** Ends it where it is; what is left running is the caller's to end. */
  abort(): void {
    this.#aborted = true
    for (const { launch } of this.#places.values()) launch?.cancel()
    this.#finish('mixed')
  }

  /** Every new process was proven: there is no way back any more. */
  get isCommitted(): boolean {
    return this.#machine.committed
  }

  /** Whether this id's processes are its business: a crash of one is answered here and not by a restart. */
  covers(worker: number): boolean {
    const place = this.#places.get(worker)
    return place !== undefined && outcomeOf(this.#machine) === null && !this.#machine.committed
  }

  /** A process serves, is gone, or has only connections left that may last for ever. */
  onWorker(handle: WorkerHandle, fact: 'served' | 'gone' | 'lingers', why = ''): void {
    const place = this.#places.get(handle.id)
    if (place === undefined) return
    if (handle === place.launch?.handle) {
      if (fact === 'lingers') return
      place.launch.finish()
      this.#tellOfNew(handle, fact, why)
      this.#apply(onSeatFact(this.#machine, handle.id, fact === 'served' ? 'served' : 'newGone', this.#now))
    } else if (handle === place.old && fact !== 'served') {
      if (handle.drainStartedAt !== null) this.#owner.progress(drainStep(handle, this.#now))
      this.#apply(onSeatFact(this.#machine, handle.id, 'oldGone', this.#now))
    } else if (handle === place.rejected && fact === 'gone') return
    this.#advance()
  }

  #tellOfNew(handle: WorkerHandle, fact: 'served' | 'gone', why: string): void {
    const worker = handle.id
    if (fact === 'served') return this.#owner.progress({ worker, state: 'serving', readyMs: readyMs(handle) })
    const isOldThere = this.#places.get(worker)?.old !== null
    if (this.#machine.goingBack) return this.#owner.progress({ worker, state: isOldThere ? 'restored' : 'stopped' })
    this.#noteFailure(why)
    this.#owner.progress({ worker, state: 'failed', note: why })
  }

  get #now(): number {
    return this.#owner.clock.now()
  }

  #advance(): void {
    this.#cancelWake()
    this.#apply(advance(this.#machine, this.#now))
    const outcome = outcomeOf(this.#machine)
    if (outcome !== null) return this.#finish(outcome)
    const deadline = nextDeadline(this.#machine)
    if (deadline !== null) this.#cancelWake = this.#owner.clock.wakeAt(deadline, () => this.#advance())
  }

  #finish(outcome: ReloadOutcome): void {
    this.#cancelWake()
    const failed = this.#machine.failed === null ? null : { worker: this.#machine.failed, why: this.#why }
    this.#settle({ outcome, failed, aborted: this.#aborted })
  }

  #noteFailure(why: string): void {
    if (this.#machine.failed === null && !this.#machine.goingBack) this.#why = why
  }

  #apply(change: { reload: Reload; effects: readonly ReloadEffect[] }): void {
    this.#machine = change.reload
    if (this.#aborted) return
    for (const effect of change.effects) this.#perform(effect)
  }

  #perform(effect: ReloadEffect): void {
    const { worker } = effect
    const place = this.#places.get(worker)
    if (place === undefined) return
    switch (effect.type) {
      case 'startNew':
        this.#owner.progress({ worker, state: 'starting' })
        return this.#start(place, worker, this.target)
      case 'askNew':
        return place.launch?.handle?.ask(() => this.#answered(place, worker))
      case 'killNew':
        return place.launch?.handle?.kill('hang')
      case 'startOld':
        place.rejected = place.launch?.handle ?? null
        return this.#start(place, worker, this.previous)
      case 'drainOld':
        this.#owner.progress({ worker, state: 'draining' })
        return place.old?.handle('drainWanted')
      case 'undrainOld':
        this.#owner.progress({ worker, state: 'restored' })
        return place.old?.handle('undrainWanted')
      case 'drainNew':
        return this.#discard(place, worker)
    }
  }

  /** Never from within a fact: what it leads to is told one after the other. */
  #answered(place: Place, worker: number): void {
    const asked = place.launch?.handle
    setImmediate(() => {
      if (asked === undefined || asked !== place.launch?.handle) return
      this.#apply(onSeatFact(this.#machine, worker, 'answered', this.#now))
      this.#advance()
    })
  }

  #start(place: Place, worker: number, generation: Generation): void {
    place.launch = this.#owner.launch(worker, generation, (error) => {
      this.#noteFailure(error.message)
      this.#owner.progress({ worker, state: 'failed', note: error.message })
      this.#apply(onSeatFact(this.#machine, worker, 'newGone', this.#now))
      this.#advance()
    })
    place.launch.begin()
  }

  /** What was not forked yet is gone at once. */
  #discard(place: Place, worker: number): void {
    const handle = place.rejected ?? place.launch?.handle ?? null
    if (handle !== null) return handle.handle('drainWanted')
    place.launch?.cancel()
    this.#apply(onSeatFact(this.#machine, worker, 'newGone', this.#now))
  }
}

function readyMs(handle: WorkerHandle): number {
  return Math.round((handle.readyAt ?? handle.startedAt) - handle.startedAt)
}

/** How an old process ended its work. */
export function drainStep(handle: WorkerHandle, now: number): WorkerStep {
  const report = handle.drainReport
  const drainMs = Math.round(report?.tookMs ?? now - (handle.drainStartedAt ?? now))
  const lost = handle.requestsLost
  const figures =
    report === null
      ? lost === 0
        ? {}
        : { requestsCut: lost }
      : { served: report.served, requestsCut: report.requestsCut, connectionsCut: report.connectionsCut }
  const note = handle.isLingering ? { note: lingerWords(handle.drainProgress?.upgraded ?? 0) } : {}
  return { worker: handle.id, state: 'drained', drainMs, ...figures, ...note }
}

function lingerWords(connections: number): string {
  return `${countOf(connections, 'connection')} ${connections === 1 ? 'stays' : 'stay'} until the drain's deadline`
}
