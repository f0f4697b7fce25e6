// One rehearsal under way: looks at the app again and again, asks core/chaos.ts what comes next, and does it.

import type { ChaosRequest, FaultStep, RehearsalStatus } from '../control/messages.ts'
import { apply, beginRehearsal, decide, type ChaosFacts, type ChaosPlan, type Fault } from '../core/chaos.ts'
import { memoryFor } from '../core/chaos-limits.ts'
import type { Rehearsal as State } from '../core/chaos.ts'
import { availableMemory } from '../telemetry/available-memory.ts'
import type { App } from './app.ts'
import { inflict, undo, type FaultSizes } from './faults.ts'
import { faultHappens } from './fault-words.ts'
import type { WorkerHandle } from './worker-handle.ts'

const LOOK_EVERY_MS = 50

export interface RehearsalOwner {
  /** Something is under way that no fault shall disturb. */
  isBusy(): boolean
  /** It shall end now; why, in words. */
  whyEnd(): string | null
  tell(step: FaultStep): void
  /** What else a fault may do just now, in words that follow others; empty for nothing. */
  warning(): string
  /** A worker is about to get its fault. */
  record(fault: Fault, text: string): void
  killSupervisor(): void
}

export interface RehearsalSetup {
  readonly plan: ChaosPlan
  readonly sizes: FaultSizes
  readonly firstAt: number
  /** What an earlier supervisor did, in order. */
  readonly done: NonNullable<ChaosRequest['done']>
}

export interface RehearsalSummary {
  readonly faults: number
  readonly recovered: number
  /** Null when its time was over. */
  readonly endedBecause: string | null
}

export class Rehearsal {
  readonly #app: App
  readonly #plan: ChaosPlan
  readonly #sizes: FaultSizes
  readonly #owner: RehearsalOwner
  #state: State
  #recovered = 0
  /** Those before are an earlier supervisor's. */
  readonly #doneBefore: number

  constructor(app: App, { plan, sizes, firstAt, done }: RehearsalSetup, owner: RehearsalOwner) {
    this.#app = app
    this.#plan = plan
    this.#sizes = sizes
    this.#owner = owner
    this.#state = beginRehearsal(firstAt, done)
    this.#doneBefore = this.#state.done.length
  }

  get status(): RehearsalStatus {
    const { current, done } = this.#state
    return {
      faults: done.length,
      current: current && { kind: current.kind, worker: current.worker?.id ?? null },
      endsInSeconds: Math.max(0, Math.round((this.#plan.endsAt - this.#app.clock.now()) / 1000)),
      seed: this.#plan.seed,
    }
  }

  /** Resolves when it is over and everything that can be undone is. */
  async run(): Promise<RehearsalSummary> {
    try {
      for (;;) {
        const why = this.#owner.whyEnd()
        if (why !== null) return this.#giveUp(why)
        if (this.#step() === 'end') return this.#summary(null)
        // oxlint-disable-next-line no-await-in-loop -- one look after the other
        await new Promise<void>((resolve) => this.#app.clock.wakeAt(this.#app.clock.now() + LOOK_EVERY_MS, resolve))
      }
    } finally {
      // However it ends.
      if (this.#state.current !== null) this.#undo(this.#state.current)
    }
  }

  #step(): 'goOn' | 'end' {
    const facts = this.#look()
    const decision = decide(this.#plan, this.#state, facts)
    const { current } = this.#state
    this.#state = apply(this.#state, decision, this.#plan, facts.now)
    switch (decision.do) {
      case 'begin':
        this.#begin(decision.fault)
        break
      case 'undo':
        if (current !== null) this.#undo(current)
        break
      case 'over':
        if (current !== null) this.#over(current, decision.recovered)
        break
      case 'wait':
        break
      case 'end':
        return 'end'
    }
    return 'goOn'
  }

  #look(): ChaosFacts {
    const { clock, activeGroup } = this.#app
    const now = clock.now()
    const serving = [...activeGroup.processes()].filter(isServing).map((worker) => {
      const { id, pid, generation, hasAgent, lastHeardAt } = worker
      const { restartWindowMs, maxRestarts } = generation.config
      const recent = activeGroup.place(id).history.crashes.filter((at) => at > now - restartWindowMs)
      return { id, pid, crashesLeft: maxRestarts - recent.length, silentMs: hasAgent ? now - lastHeardAt : 0 }
    })
    const pids = [...this.#app.processes()].map(({ pid }) => pid)
    return { now, isBusy: this.#owner.isBusy(), serving, pids, wanted: activeGroup.wanted }
  }

  #begin(fault: Fault): void {
    const text = `${faultHappens(fault.kind, fault.worker)}${this.#owner.warning()}`
    this.#tell(fault, 'began', text, null)
    this.#owner.record(fault, text)
    if (fault.kind === 'supervisor') return this.#owner.killSupervisor()
    const worker = this.#find(fault)
    if (worker === undefined) return
    const memoryBytes = memoryFor({
      wantedBytes: this.#sizes.memoryBytes,
      limitBytes: worker.generation.config.maxMemoryBytes,
      rssBytes: this.#app.sampleOf(worker.pid)?.rssBytes ?? null,
      availableBytes: availableMemory(),
    })
    inflict(worker, fault, { memoryBytes, delayMs: this.#sizes.delayMs })
  }

  #undo(fault: Fault): void {
    const worker = this.#find(fault)
    if (worker !== undefined) undo(worker, fault.kind)
  }

  #over(fault: Fault, recovered: boolean): void {
    this.#undo(fault)
    if (recovered) this.#recovered += 1
    const tookMs = Math.round(this.#app.clock.now() - fault.since)
    const { serving, wanted } = this.#app.counts()
    const text = `${serving} of ${wanted} ${wanted === 1 ? 'worker serves' : 'workers serve'} after ${(tookMs / 1000).toFixed(1)} s`
    this.#tell(fault, recovered ? 'recovered' : 'notRecovered', text, recovered ? tookMs : null)
  }

  #giveUp(why: string): RehearsalSummary {
    const { current } = this.#state
    if (current !== null) this.#tell(current, 'givenUp', `is undone as far as it can be: ${why}`, null)
    return this.#summary(why)
  }

  #summary(endedBecause: string | null): RehearsalSummary {
    return { faults: this.#state.done.length - this.#doneBefore, recovered: this.#recovered, endedBecause }
  }

  #find({ worker }: Fault): WorkerHandle | undefined {
    return worker === null ? undefined : [...this.#app.processes()].find(({ pid }) => pid === worker.pid)
  }

  #tell({ n, kind, worker }: Fault, state: FaultStep['state'], text: string, tookMs: number | null): void {
    this.#owner.tell({ n, kind, worker: worker?.id ?? null, pid: worker?.pid ?? null, state, text, tookMs })
  }
}

function isServing({ state }: WorkerHandle): boolean {
  return state === 'serving'
}
