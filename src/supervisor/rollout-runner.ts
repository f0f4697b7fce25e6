// Carries out core/rollout.ts for one app: performs what it commands, and tells it what came of that. What it has
// decided is written down before it is acted on.
//
// One at a time moves the traffic, the rollout or a person. While a person does, what else is seen waits: decided on where
// the traffic was before, it would end the group that is about to serve.

import type { RolloutStatus, WorkerStep } from '../control/messages.ts'
import type { BakeRecord } from '../core/bake.ts'
import type { HandMove, Rollout, RolloutCommand, RolloutEvent, RolloutStep } from '../core/rollout.ts'
import { canFlip, stepRollout } from '../core/rollout.ts'
import { reached } from '../fault-points.ts'
import type { App } from './app.ts'
import { BakeWatch } from './bake-watch.ts'
import { waitUntil } from './clock.ts'
import { flip, mayFlip, slotsFollow, takeStandbyBack, type Flip } from './flip.ts'
import type { Group } from './group.ts'
import { range } from './operation-report.ts'
import { planOf } from './app-operations.ts'
import type { RolloutMove } from './rollout-news.ts'
import { rolloutStatus } from './rollout-status.ts'
import type { WorkerHandle } from './worker-handle.ts'

export interface RolloutOwner {
  /** Remembers each step; must not return before it is written. */
  keep(rollout: Rollout): void
  /** Remembers what the watch has seen. */
  keepWatch(record: BakeRecord): void
  /** What an earlier supervisor had seen in the same rollout. */
  readonly watched: BakeRecord | null
  /** Tries the new group; resolves with why it was refused, null when it was not. */
  smoke(signal: AbortSignal): Promise<string | null>
  /** Asks whether it may have the traffic; resolves with why not. */
  confirm(rollout: Rollout, signal: AbortSignal): Promise<string | null>
  /** It is at another step. */
  moved(move: RolloutMove): void
}

const LOOK_MS = 250
/** What a supervisor that is killed may forget of the watch. */
const KEEP_MS = 10_000

export class RolloutRunner {
  readonly #app: App
  readonly #owner: RolloutOwner
  readonly #cause: string
  readonly #aborter = new AbortController()
  #rollout: Rollout
  /** One after the other: a flip back must not overtake the flip that it takes back. */
  #lastFlip: Promise<void> = Promise.resolve()
  /** What was seen while a person moves the traffic. */
  #held: { readonly events: RolloutEvent[]; readonly over: Promise<void> } | null = null
  #cancelWake: () => void = () => {}
  #cancelLook: () => void = () => {}
  #watch: BakeWatch | null = null
  #watchKeptAt = 0
  #waiters: { isMet: (rollout: Rollout) => boolean; resolve: (rollout: Rollout) => void }[] = []
  /** All that were missing were started, and some others may boot still. */
  #isCompleting = false
  /** What the worker that failed wrote last. */
  failureLines: readonly string[] = []
  /** Sees how the workers of the new group start. */
  onStep: (step: WorkerStep) => void = () => {}

  constructor(app: App, begun: Rollout, cause: string, owner: RolloutOwner) {
    this.#app = app
    this.#rollout = begun
    this.#cause = cause
    this.#owner = owner
  }

  get rollout(): Rollout {
    return this.#rollout
  }

  get status(): RolloutStatus {
    const now = this.#app.clock.now()
    const watched = this.#rollout.state === 'baking' ? (this.#watch?.judge(now) ?? null) : null
    return rolloutStatus(this.#rollout, now, watched)
  }

  /** The app ended before it did. */
  get isClosed(): boolean {
    return this.#aborter.signal.aborted
  }

  get isOver(): boolean {
    return this.#rollout.state === 'done'
  }

  /** Performs the first commands. */
  begin(commands: readonly RolloutCommand[]): void {
    this.#take({ rollout: this.#rollout, commands })
  }

  handle(event: RolloutEvent, cause = this.#cause): void {
    if (this.isOver || this.isClosed) return
    if (this.#held !== null) return void this.#held.events.push(event)
    const before = this.#rollout
    const step = stepRollout(before, event, this.#app.clock.now())
    const isByHand = event.type === 'flippedByHand'
    if (before.state === 'baking' && step.rollout.state !== 'baking') this.#keepWatch()
    if (step.rollout.state !== before.state) this.#tell(step.rollout, cause, isByHand)
    this.#take(step, { before, isByHand })
  }

  /**
   * Moves the traffic to a release as a person wants, also to one that drains. Null when that cannot be, or when it has
   * the traffic by then.
   */
  flipByHand(wanted: string, by: HandMove, cause: string): Promise<Flip | null> {
    return this.#inTurn(async () => {
      const flipped = await this.#whileHeld(
        () => this.#moveByHand(wanted, cause),
        (done) => {
          const serving = wanted === this.#rollout.release ? 'new' : 'old'
          if (done !== null) this.handle({ type: 'flippedByHand', serving, by }, cause)
        },
      )
      if (flipped !== null) await slotsFollow(this.#app)
      return flipped
    })
  }

  /** Resolves when no person moves the traffic. */
  async untilStill(): Promise<void> {
    await this.#held?.over
  }

  async #moveByHand(wanted: string, cause: string): Promise<Flip | null> {
    if (this.isClosed || this.#app.standbyGroup?.generation.release.id !== wanted) return null
    const { state } = this.#rollout
    const isUp = state === 'endingOld' ? await takeStandbyBack(this.#app) : canFlip(state) && mayFlip(this.#app)
    if (isUp) return flip(this.#app, cause)
    // It drained, and has to go on with that.
    if (state === 'endingOld') this.#perform('retireOld')
    return null
  }

  /** Then tells what came of it, and what else was seen. */
  async #whileHeld<Result>(act: () => Promise<Result>, tell: (result: Result) => void): Promise<Result> {
    const events: RolloutEvent[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = { events, over: promise }
    try {
      const result = await act()
      this.#held = null
      tell(result)
      return result
    } finally {
      this.#held = null
      // A deadline that has passed meanwhile may be none any more; one that still is passes again at once.
      for (const event of events) if (event.type !== 'timedOut') this.handle(event)
      if (!this.isClosed && events.some(({ type }) => type === 'timedOut')) this.#arm()
      resolve()
    }
  }

  /** Resolves with the rollout as soon as it is so. */
  when(isMet: (rollout: Rollout) => boolean): Promise<Rollout> {
    return new Promise((resolve) => {
      this.#waiters.push({ isMet, resolve })
      this.#tellWaiters()
    })
  }

  /** The app ends, and both of its groups with it. */
  close(): void {
    this.#aborter.abort()
    this.#cancelWake()
    this.#cancelLook()
    const left = this.#waiters.splice(0)
    for (const { resolve } of left) resolve(this.#rollout)
  }

  /** A worker ended by itself. */
  crashed(worker: WorkerHandle, words: string): void {
    const { state, release } = this.#rollout
    const { id } = worker.generation.release
    const why = `worker ${worker.id} ${words}`
    if (state === 'baking') {
      this.#watch?.crashed(worker, why)
      this.#keepWatch()
    } else if (id === release && this.#isDeadly(state, worker)) this.handle({ type: 'groupDied', why })
  }

  #isDeadly(state: Rollout['state'], { adopted }: WorkerHandle): boolean {
    if (['ready', 'smoking', 'flipping'].includes(state)) return true
    // One that had hardly begun to boot goes with its supervisor, and is started again: that says nothing of the release.
    return state === 'starting' && this.#isCompleting && !adopted
  }

  #take({ rollout, commands }: RolloutStep, { before = rollout, isByHand = false } = {}): void {
    this.#rollout = rollout
    this.#owner.keep(rollout)
    reached(`rollout.${rollout.state}`)
    this.#arm()
    // A command may be done at once, and with it the next step: that is told after this one.
    if (rollout.state !== before.state) this.#owner.moved({ now: rollout, before, isByHand })
    for (const command of commands) this.#perform(command)
    this.#tellWaiters()
  }

  #arm(): void {
    this.#cancelWake()
    const { deadline } = this.#rollout
    if (deadline === null) return
    this.#cancelWake = this.#app.clock.wakeAt(deadline, () => this.handle({ type: 'timedOut' }))
  }

  #perform(command: RolloutCommand): void {
    switch (command) {
      case 'startGroup':
        return void this.#startGroup()
      case 'smoke':
        return void this.#smoke()
      case 'flip':
        return void this.#inTurn(() => this.#move('flipped'))
      case 'flipBack':
        return void this.#inTurn(() => this.#move('flippedBack'))
      case 'beginBake':
        return this.#bake()
      case 'retireOld':
        return this.#retire(this.#rollout.from)
      case 'endNew':
        return this.#retire(this.#rollout.release)
    }
  }

  #retire(release: string): void {
    void this.#app.retireStandby(release).then((hasEnded) => hasEnded && this.handle({ type: 'groupEnded' }))
  }

  /** Looks again and again, until the release is found good or bad. */
  #bake(): void {
    const { since } = this.#rollout
    const watch = (this.#watch ??= new BakeWatch(this.#app, this.#rollout, this.#owner.watched))
    watch.begin(since)
    const look = (): void => {
      if (this.#rollout.state !== 'baking' || this.#rollout.since !== since) return
      const now = this.#app.clock.now()
      const { verdict, why, policy } = watch.judge(now)
      if (verdict === 'fail') return this.handle({ type: 'bakeFailed', why })
      if (verdict === 'pass' && !this.#rollout.paused)
        return this.handle({ type: 'bakePassed', ...(policy.bakeMs > 0 && { why: `nothing was found: ${why}` }) })
      if (now - this.#watchKeptAt >= KEEP_MS) this.#keepWatch()
      this.#cancelLook = this.#app.clock.wakeAt(now + LOOK_MS, look)
    }
    look()
  }

  #keepWatch(): void {
    if (this.#watch === null) return
    const now = this.#app.clock.now()
    this.#watchKeptAt = now
    this.#owner.keepWatch(this.#watch.judge(now))
  }

  async #startGroup(): Promise<void> {
    const group = this.#app.standbyGroup
    if (group === null) return this.handle({ type: 'groupFailed', why: 'it was ended' })
    const ids = range(1, group.wanted).filter((id) => group.isFree(id))
    const plan = { ...planOf(group.generation.config, ids.length, false), surge: ids.length, minReadyMs: 0 }
    const { outcome, failed } = await group.replace(ids, group.generation, plan, (step) => this.onStep(step)).result
    if (outcome !== 'moved') {
      const { text, lines } = this.#app.explain(failed)
      this.failureLines = lines
      return this.handle({ type: 'groupFailed', why: text })
    }
    await this.#untilAllAreUp(group)
    // The table would stay in force when the group that it is for has ended.
    if (this.isClosed || this.#rollout.state !== 'starting') return
    await this.#app.routing.commit(this.#app.active)
    this.handle({ type: 'groupReady' })
  }

  /** An earlier supervisor may have left some that boot; the rollout's own deadline bounds it. */
  async #untilAllAreUp(group: Group): Promise<void> {
    this.#isCompleting = true
    const isOver = () => this.isClosed || this.#rollout.state !== 'starting'
    await waitUntil(this.#app.clock, Infinity, () => isOver() || group.isWhole)
  }

  async #smoke(): Promise<void> {
    const why = await this.#owner.smoke(this.#untilMoved())
    this.handle(why === null ? { type: 'smokePassed' } : { type: 'smokeFailed', why })
  }

  async #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const before = this.#lastFlip
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lastFlip = promise
    await before
    return act().finally(resolve)
  }

  async #move(type: 'flipped' | 'flippedBack'): Promise<void> {
    // It may have been aborted while this waited, for its turn or for an answer.
    const state = type === 'flipped' ? 'flipping' : 'goingBack'
    const isStillWanted = (): boolean => !this.isClosed && this.#rollout.state === state
    if (!isStillWanted()) return
    const failed = type === 'flipped' ? 'flipFailed' : 'flipBackFailed'
    const { release, from } = this.#rollout
    const wanted = type === 'flipped' ? release : from
    if (this.#app.activeGroup.generation.release.id === wanted) return this.handle({ type, tookMs: 0 })
    const refused = type === 'flipped' ? await this.#owner.confirm(this.#rollout, this.#untilMoved()) : null
    if (!isStillWanted()) return
    if (refused !== null) return this.handle({ type: failed, why: refused })
    if (!mayFlip(this.#app)) return this.handle({ type: failed, why: `no worker of ${wanted} is ready` })
    if (type === 'flipped') {
      this.#watch = new BakeWatch(this.#app, this.#rollout, null)
      this.#keepWatch()
      this.handle({ type: 'moveBegun' })
    }
    const done = await flip(this.#app, this.#cause)
    if (done === null) return
    this.handle({ type, tookMs: done.tookMs })
    await slotsFollow(this.#app)
  }

  /** Aborted when the rollout is at another step: nobody waits for the answer then. */
  #untilMoved(): AbortSignal {
    const moved = new AbortController()
    const { state } = this.#rollout
    void this.when((rollout) => rollout.state !== state).then(() => moved.abort())
    return moved.signal
  }

  #tell({ state, why, outcome, release }: Rollout, cause: string, isByHand: boolean): void {
    const because = why === null ? '' : `: ${why}`
    const ended = outcome === null ? '' : ` (${outcome})`
    const level = !isByHand && (outcome === 'failed' || outcome === 'rolledBack') ? 'error' : 'info'
    this.#app.record('rolloutStep', `rollout of ${release}: ${state}${ended}${because}`, cause, level)
  }

  #tellWaiters(): void {
    const rollout = this.#rollout
    const met = this.#waiters.filter(({ isMet }) => isMet(rollout))
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const { resolve } of met) resolve(rollout)
  }
}
