// The processes of one release of one app: as many as are wanted, each started again when it ends by itself, replaced
// when that is asked for. What is started again, and when, core/restart-policy.ts decides.

import { afterExit, NO_CRASHES, type CrashHistory } from '../core/restart-policy.ts'
import type { LifeState } from '../core/worker-lifecycle.ts'
import type { ReloadPlan } from '../core/reload.ts'
import type { WorkerStep } from '../control/messages.ts'
import { reached } from '../fault-points.ts'
import type { GroupName, Vitals } from '../protocol/messages.ts'
import type { Clock } from './clock.ts'
import { GroupTraffic } from './group-traffic.ts'
import { Launch, type LaunchSteps } from './launch.ts'
import { Replacement } from './replacement.ts'
import { isCrash, type WorkerExit } from './worker-exit.ts'
import type { WorkerHandle, WorkerOwner } from './worker-handle.ts'
import type { Generation } from './worker-spec.ts'

/** One worker id of the group across its processes. */
export interface Place {
  readonly id: number
  history: CrashHistory
  restarts: number
  crashes: number
  /** Why it has no process now; null when it has one, or gets one. */
  waiting: { readonly kind: RestartKind; readonly until: number } | null
  cancelRetry: () => void
  launch: Launch | null
  readonly processes: Set<WorkerHandle>
}

/** It is started again after a while, after a long while, or not at all. */
export type RestartKind = 'backoff' | 'failed' | 'ended'

export interface GroupOwner {
  readonly clock: Clock
  readonly steps: LaunchSteps
  readonly reports: { restarted(generation: Generation): void }
  lend(worker: WorkerHandle, done: () => void): void
  withdraw(worker: WorkerHandle, done: () => void): void
  shelve(worker: WorkerHandle): void
  settle(worker: WorkerHandle, done: () => void): void
  /** Random number from 0 up to 1, for jitter. */
  chance(): number
  moved(worker: WorkerHandle, from: LifeState): void
  /** An exit; says what it was in words. */
  exited(worker: WorkerHandle, exit: WorkerExit): string
  restartPlanned(worker: number, kind: RestartKind, delayMs: number, generation: Generation): void
  launchFailed(worker: number, error: Error): void
}

export class Group implements WorkerOwner {
  readonly name: GroupName
  readonly clock: Clock
  generation: Generation
  wanted: number
  readonly places = new Map<number, Place>()
  readonly traffic = new GroupTraffic()
  #replacement: Replacement | null = null
  #isStopping = false
  /** How often a stop was taken back. */
  #returns = 0
  #waiters: { readonly left: Set<WorkerHandle>; resolve(): void }[] = []
  readonly #owner: GroupOwner

  constructor(name: GroupName, generation: Generation, wanted: number, owner: GroupOwner) {
    this.name = name
    this.generation = generation
    this.wanted = wanted
    this.clock = owner.clock
    this.#owner = owner
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Every process there is, leaving ones too. */
  *processes(): Iterable<WorkerHandle> {
    for (const place of this.places.values()) yield* place.processes
  }

  /** The process that stands for an id: the newest that stays, if there is one. */
  current(id: number): WorkerHandle | null {
    const all = [...(this.places.get(id)?.processes ?? [])]
    return all.findLast((worker) => worker.isStaying) ?? null
  }

  place(id: number): Place {
    const known = this.places.get(id)
    if (known !== undefined) return known
    const place: Place = {
      id,
      history: NO_CRASHES,
      restarts: 0,
      crashes: 0,
      waiting: null,
      cancelRetry: () => {},
      launch: null,
      processes: new Set(),
    }
    this.places.set(id, place)
    return place
  }

  /** Nobody has this id or is about to. */
  isFree(id: number): boolean {
    return this.current(id) === null && (this.places.get(id)?.launch ?? null) === null
  }

  /** A process of an earlier supervisor that lives on. */
  adopt(worker: WorkerHandle): void {
    const place = this.place(worker.id)
    this.#forgetCrashes(place)
    place.processes.add(worker)
  }

  /** Replaces these ids' processes (or starts them, where there is none) as the plan allows; not while the group ends. */
  replace(
    ids: readonly number[],
    target: Generation,
    plan: ReloadPlan,
    progress: (step: WorkerStep) => void,
  ): Replacement {
    const replacement = new Replacement(ids, target, this.generation, plan, {
      clock: this.clock,
      progress,
      current: (id) => this.current(id),
      launch: (id, generation, onFailure) =>
        this.#launch(this.place(id), generation, (error) => {
          this.#owner.launchFailed(id, error)
          onFailure(error)
        }),
    })
    // A stop was first: nobody would end what is started now.
    if (this.#isStopping) {
      replacement.abort()
      return replacement
    }
    for (const id of ids) {
      const place = this.place(id)
      this.#forgetCrashes(place)
      // A restart that has no process yet would get one beside the new one.
      giveUpLaunch(place)
    }
    this.#replacement = replacement
    void replacement.result.then(({ outcome, aborted }) => {
      if (this.#replacement === replacement) this.#replacement = null
      // First of all, or what is missing would come from what was replaced, and what is new would be too much.
      if (outcome === 'moved' && !aborted) this.#moveOn(ids, target)
      this.reconcile()
    })
    replacement.begin()
    return replacement
  }

  #moveOn(ids: readonly number[], target: Generation): void {
    this.generation = target
    this.wanted = Math.max(this.wanted, ...ids)
  }

  /** Starts what is missing and lets go of what is too much. Safe to call at any time. */
  reconcile(): void {
    if (this.#isStopping) return
    for (let id = 1; id <= this.wanted; id += 1) {
      const place = this.place(id)
      if (place.launch?.isCancelled === true) place.launch = null
      if (this.#replacement?.covers(id) === true) continue
      const current = this.current(id)
      if (place.launch === null && place.waiting === null && current === null) this.#startAgain(place)
      // Of several that would stay, the newest does.
      for (const worker of place.processes) if (worker.isStaying && worker !== current) worker.handle('drainWanted')
    }
    for (const place of this.places.values()) if (place.id > this.wanted) this.#retire(place)
  }

  /** Ends every process; resolves with true when none is left, and with false when that was taken back meanwhile. */
  async stop(how: 'drain' | 'now'): Promise<boolean> {
    const returns = this.#returns
    this.#isStopping = true
    this.#replacement?.abort()
    for (const place of this.places.values()) this.#retire(place, how)
    await this.whenGone(this.processes())
    return this.#returns === returns
  }

  /** Takes a stop back: what drains goes back to what it did before, and what has gone already is started again. */
  takeBack(): void {
    if (!this.#isStopping) return
    this.#isStopping = false
    this.#returns += 1
    for (const worker of this.processes()) worker.handle('undrainWanted')
    this.reconcile()
  }

  /** Each id has a process that could serve. */
  get isWhole(): boolean {
    for (let id = 1; id <= this.wanted; id += 1) if (this.current(id)?.isUp !== true) return false
    return true
  }

  /** Resolves when none of these processes is left. */
  whenGone(workers: Iterable<WorkerHandle>): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ left: new Set([...workers].filter((worker) => worker.state !== 'exited')), resolve })
      this.#tellWaiters()
    })
  }

  // ---- what a worker needs ------------------------------------------------------------------------

  lend(worker: WorkerHandle, done: () => void): void {
    this.#owner.lend(worker, done)
  }

  withdraw(worker: WorkerHandle, done: () => void): void {
    this.#owner.withdraw(worker, done)
  }

  shelve(worker: WorkerHandle): void {
    this.#owner.shelve(worker)
  }

  settle(worker: WorkerHandle, done: () => void): void {
    this.#owner.settle(worker, done)
  }

  beat(worker: WorkerHandle, vitals: Vitals): void {
    this.traffic.heard(worker, vitals, this.clock.now())
  }

  moved(worker: WorkerHandle, from: LifeState): void {
    const place = this.place(worker.id)
    if (worker.state !== 'starting' && place.launch?.handle === worker) {
      place.launch.finish()
      place.launch = null
    }
    tellReached(worker)
    this.#owner.moved(worker, from)
    if (worker.state === 'serving' || worker.state === 'standby') this.#replacement?.onWorker(worker, 'served')
  }

  lingers(worker: WorkerHandle): void {
    this.#replacement?.onWorker(worker, 'lingers')
  }

  exited(worker: WorkerHandle, exit: WorkerExit): void {
    const place = this.place(worker.id)
    place.processes.delete(worker)
    const isCovered = this.#replacement?.covers(worker.id) === true
    // What never got ready in a replacement is why that is refused; the worker that serves has not crashed.
    if (isCrash(exit) && (exit.wasReady || !isCovered)) place.crashes += 1
    // What a reload tried and gave up says nothing of the release that serves, nor does what somebody did to it on purpose.
    if (isCrash(exit) && worker.generation === this.generation && worker.rehearsed === null)
      this.traffic.crashed(this.clock.now())
    const words = this.#owner.exited(worker, exit)
    this.#replacement?.onWorker(worker, 'gone', words)
    if (
      !exit.asked &&
      !isCovered &&
      !this.#isStopping &&
      this.current(worker.id) === null &&
      worker.id <= this.wanted
    ) {
      this.#planRestart(place, { clean: exit.code === 0, uptimeMs: exit.wasReady ? exit.uptimeMs : 0 })
    }
    this.#dropIfUnused(place)
    this.#tellWaiters(worker)
  }

  // ---- starting again -----------------------------------------------------------------------------

  #planRestart(place: Place, exit: { clean: boolean; uptimeMs: number }): void {
    if (place.launch !== null || place.waiting !== null) return
    const now = this.clock.now()
    const { config } = this.generation
    const { history, decision } = afterExit(place.history, exit, now, config, this.#owner.chance())
    place.history = history
    if (decision.kind === 'end') {
      place.waiting = { kind: 'ended', until: Infinity }
      return this.#owner.restartPlanned(place.id, 'ended', 0, this.generation)
    }
    const kind = decision.kind === 'fail' ? 'failed' : 'backoff'
    place.waiting = { kind, until: now + decision.delayMs }
    place.cancelRetry = this.clock.wakeAt(now + decision.delayMs, () => {
      place.waiting = null
      this.#owner.reports.restarted(this.generation)
      this.#startAgain(place)
    })
    this.#owner.restartPlanned(place.id, kind, decision.delayMs, this.generation)
  }

  #startAgain(place: Place): void {
    place.restarts += 1
    // A reload without a way back may have old processes that drain for long: what crashes meanwhile is not theirs.
    const generation = this.#replacement?.isCommitted === true ? this.#replacement.target : this.generation
    const launch = this.#launch(place, generation, (error) => {
      this.#owner.launchFailed(place.id, error)
      place.launch = null
      this.#planRestart(place, { clean: false, uptimeMs: 0 })
    })
    launch.begin()
  }

  #launch(place: Place, generation: Generation, onFailure: (error: Error) => void): Launch {
    giveUpLaunch(place)
    const launch = new Launch(place.id, generation, this.#stepsFor(place), (error) => {
      if (place.launch === launch) place.launch = null
      onFailure(error)
    })
    place.launch = launch
    return launch
  }

  #stepsFor(place: Place): LaunchSteps {
    const { steps } = this.#owner
    return {
      gate: steps.gate,
      prepare: (generation) => steps.prepare(generation),
      makeOutput: (incarnation) => steps.makeOutput(incarnation),
      fork: (identity, output) => {
        const worker = steps.fork(identity, output)
        place.processes.add(worker)
        return worker
      },
    }
  }

  #retire(place: Place, how: 'drain' | 'now' = 'drain'): void {
    place.cancelRetry()
    place.waiting = null
    place.launch?.cancel()
    place.launch = null
    for (const worker of place.processes) worker.handle(how === 'now' ? 'stopWanted' : 'drainWanted')
    this.#dropIfUnused(place)
  }

  /** New code, or a person's will: the past does not count. */
  #forgetCrashes(place: Place): void {
    place.cancelRetry()
    place.waiting = null
    place.history = NO_CRASHES
  }

  #dropIfUnused(place: Place): void {
    const isWanted = !this.#isStopping && place.id <= this.wanted
    if (!isWanted && place.processes.size === 0 && this.#replacement?.covers(place.id) !== true)
      this.places.delete(place.id)
  }

  #tellWaiters(gone?: WorkerHandle): void {
    for (const waiter of this.#waiters) {
      if (gone !== undefined) waiter.left.delete(gone)
      if (waiter.left.size === 0) waiter.resolve()
    }
    this.#waiters = this.#waiters.filter((waiter) => waiter.left.size > 0)
  }
}

function tellReached({ state, pid }: WorkerHandle): void {
  if (state !== 'starting' && state !== 'killing') reached(`worker.${state}`, pid)
}

/** One that has its process already is left alone: the process is what counts. */
function giveUpLaunch(place: Place): void {
  if (place.launch === null || place.launch.handle !== null) return
  place.launch.cancel()
  place.launch = null
}
