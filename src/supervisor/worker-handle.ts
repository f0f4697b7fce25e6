// One process as the supervisor sees it: tells the core what happened and carries out what it decides. What it must be
// started for, and what follows its exit, is the group's business.

import type { EventEmitter } from 'node:events'
import {
  begin,
  isUp,
  step,
  type Life,
  type LifeEffect,
  type LifeEvent,
  type LifeState,
} from '../core/worker-lifecycle.ts'
import { reached } from '../fault-points.ts'
import type { Channel } from '../protocol/channel.ts'
import type { SocketHandle } from '../protocol/handle.ts'
import type { DrainProgress, DrainReport, SupervisorMessage, Vitals, WorkerMessage } from '../protocol/messages.ts'
import { isSameProcess, startTimeOf } from '../state/process-identity.ts'
import { watchAdopted } from './adopted-watch.ts'
import { killGroup, postSignal } from './post-signal.ts'
import { STALL_MS, type Clock } from './clock.ts'
import type { KillReason, WorkerExit } from './worker-exit.ts'
import { noteClosed, noteListening, type Speeches } from './worker-listeners.ts'
import type { Generation } from './worker-spec.ts'

export type WorkerChannel = Channel<WorkerMessage, SupervisorMessage>

/** What a worker needs from those who own it. */
export interface WorkerOwner {
  readonly clock: Clock
  /** Lends it its slots; calls back when it accepts on all of them. */
  lend(worker: WorkerHandle, done: () => void): void
  /** Takes its slots away, others first; calls back when that is done. */
  withdraw(worker: WorkerHandle, done: () => void): void
  /** Takes its slots away, as its group has no public traffic any more; it stays as it is. */
  shelve(worker: WorkerHandle): void
  moved(worker: WorkerHandle, from: LifeState): void
  /** What it carries now, and what it has answered since it began. */
  beat(worker: WorkerHandle, vitals: Vitals): void
  /** It is gone: takes its slots elsewhere at once, and calls back when the last lines of its output are read. */
  settle(worker: WorkerHandle, done: () => void): void
  exited(worker: WorkerHandle, exit: WorkerExit): void
  /** Only connections are left that may last for ever. */
  lingers(worker: WorkerHandle): void
}

export interface Identity {
  /** The worker's id in its group, 1-based. */
  readonly id: number
  readonly incarnation: string
  readonly generation: Generation
}

/** A process of our own, or one that an earlier supervisor forked. */
export type Origin =
  | { readonly child: EventEmitter; readonly pid: number }
  | {
      readonly child: null
      readonly pid: number
      readonly ageMs: number
      /** That supervisor found it ready. */
      readonly wasReady: boolean
    }

export class WorkerHandle {
  readonly id: number
  readonly incarnation: string
  readonly generation: Generation
  readonly pid: number
  readonly startTime: string | null
  readonly adopted: boolean
  readonly startedAt: number
  readyAt: number | null = null
  vitals: Vitals | null = null
  /** Failed liveness probes in a row. */
  probeFailures = 0
  lastHeardAt: number
  drainProgress: DrainProgress | null = null
  drainReport: DrainReport | null = null
  drainStartedAt: number | null = null
  /** An earlier supervisor found it ready; it is not asked again. */
  readonly wasReadyBefore: boolean
  isLingering = false
  saidReady = false
  /** Why it could not listen, in words; the app itself knows only an error code. */
  listenProblem: { readonly words: string; readonly fix: string } | null = null
  /** The exception that ended it. */
  uncaught: Extract<WorkerMessage, { type: 'uncaught' }> | null = null
  killReason: KillReason | null = null
  /** The fault that a rehearsal has done to it, and that is not over. */
  rehearsed: string | null = null
  /** Its last words. */
  exiting: Extract<WorkerMessage, { type: 'exiting' }> | null = null
  /** Private endpoints by listener. */
  readonly endpoints = new Map<string, string>()
  /** What they speak. */
  readonly speech: Speeches = new Map()
  readonly #owner: WorkerOwner
  #life: Life
  #channel: WorkerChannel | null = null
  #cancelWake: () => void = () => {}
  #hasExited = false
  #wasLinked = false
  #question: (() => void) | null = null
  #hasMoreTime = false
  #shortened: Generation['config'] | null = null // Less time is left than its configuration says.

  constructor(identity: Identity, owner: WorkerOwner, origin: Origin) {
    this.id = identity.id
    this.incarnation = identity.incarnation
    this.generation = identity.generation
    this.pid = origin.pid
    this.startTime = startTimeOf(origin.pid)
    this.adopted = origin.child === null
    this.wasReadyBefore = origin.child === null && origin.wasReady
    this.#owner = owner
    const now = owner.clock.now()
    this.startedAt = origin.child === null ? now - origin.ageMs : now
    this.lastHeardAt = now
    // A stop that comes before it has dialled in must drain it.
    this.#life = begin(now, this.policy, this.wasReadyBefore ? 'ready' : 'starting')
    this.#arm()
    if (origin.child === null) watchAdopted(this, () => this.#gone(null, null, false))
    else this.#watchChild(origin.child)
    // Nothing is going to dial in. Its owner must know it first.
    if (this.wasReadyBefore && !this.hasAgent) setImmediate(() => this.linked(false))
  }

  /** Whether our code runs in it: else nothing is heard of it but its output and its end. */
  get hasAgent(): boolean {
    return !this.policy.isCommand
  }

  get state(): LifeState {
    return this.#life.state
  }

  /** Serves or is about to, and nobody wants its end. */
  get isUp(): boolean {
    return isUp(this.#life.state)
  }

  /** Not gone, and not on its way out. */
  get isStaying(): boolean {
    return this.isUp || (this.#life.state === 'starting' && !this.#life.endWanted)
  }

  get isLinked(): boolean {
    return this.#channel !== null || !this.hasAgent
  }

  /** The private endpoint of its first listener. */
  get endpoint(): string | null {
    return this.endpoints.values().next().value ?? null
  }

  /** Requests that it had under way by its last word, when it ended in its drain without a report. */
  get requestsLost(): number {
    if (this.state !== 'exited' || this.drainStartedAt === null || this.drainReport !== null) return 0
    return this.drainProgress?.busy ?? this.vitals?.inFlight ?? 0
  }

  get policy() {
    return this.#shortened ?? this.generation.config
  }

  shorten(times: Pick<Generation['config'], 'drainTimeoutMs' | 'killTimeoutMs'>): void {
    this.#shortened = { ...this.generation.config, ...times }
  }

  uptimeMs(): number {
    return this.#owner.clock.now() - this.startedAt
  }

  /** A connection of the link that said it is this worker's. */
  link(channel: WorkerChannel): void {
    this.#channel?.close()
    this.#channel = channel
    this.lastHeardAt = this.#owner.clock.now()
    channel.onEnd = () => {
      if (this.#channel === channel) this.#channel = null
    }
  }

  /** Ends its link: it dials whoever listens by then. */
  unlink(): void {
    this.#channel?.close()
    this.#channel = null
  }

  /**
   * Its link is up, for the first time or again, and it says whether it drains. What it was told while there was no link
   * never reached it.
   */
  linked(isDraining: boolean): void {
    const isFirst = !this.#wasLinked
    this.#wasLinked = true
    if (isDraining && isFirst) this.handle('drainWanted')
    else if (isDraining && this.isUp) this.send({ type: 'undrain' })
    if (this.state === 'draining' && !isDraining) this.#orderDrain(this.#drainLeftMs)
    if (this.state === 'ready' && isFirst && this.wasReadyBefore) this.#perform('lend')
    if (this.#question !== null) this.send({ type: 'ask' })
  }

  /** Calls `answered` when its loop has turned once more from now on. */
  ask(answered: () => void): void {
    if (!this.hasAgent) return answered()
    this.#question = answered
    this.send({ type: 'ask' })
  }

  send(message: SupervisorMessage, handle?: SocketHandle): void {
    this.#channel?.send(message, handle)
  }

  /** What the link said about the process itself; sockets are not its business. */
  hear(message: WorkerMessage): void {
    this.lastHeardAt = this.#owner.clock.now()
    switch (message.type) {
      case 'listening':
        return noteListening(this, message)
      case 'listenerClosed':
        return noteClosed(this, message.key)
      case 'vitals':
        this.vitals = message
        return this.#owner.beat(this, message)
      case 'drainProgress':
        this.drainProgress = message
        return this.#judgeLingering(message)
      case 'drained':
        this.drainReport = message
        return this.handle('drained')
      case 'answered': {
        const answered = this.#question
        this.#question = null
        return answered?.()
      }
      case 'exiting':
        this.exiting = message
        return
      case 'uncaught':
        this.uncaught = message
        return
      default:
        return
    }
  }

  /** Tells the core what happened and carries out what it decides. */
  handle(event: LifeEvent): void {
    const before = this.#life
    const { life, effects } = step(before, event, this.#owner.clock.now(), this.policy)
    this.#life = life
    if (life.deadline !== before.deadline) this.#arm()
    if (life.state !== before.state) this.#entered(before.state)
    for (const effect of effects) this.#perform(effect)
  }

  kill(reason: KillReason): void {
    this.killReason ??= reason
    this.handle('killWanted')
  }

  /** Passes a signal on, as a person asked. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#post(this.pid, signal)
  }

  /** True when the loop has not answered for longer than an answer takes. */
  isSilent(limitMs: number): boolean {
    return this.#owner.clock.now() - this.lastHeardAt > limitMs
  }

  /** The supervisor itself was held up for so long: silence in that time means nothing. */
  forgive(ms: number): void {
    this.lastHeardAt += ms
  }

  #entered(from: LifeState): void {
    if (this.state === 'ready' && from === 'starting') this.readyAt = this.#owner.clock.now()
    if (this.state === 'draining') this.drainStartedAt = this.#owner.clock.now()
    if (from === 'draining') this.isLingering = false
    this.#owner.moved(this, from)
  }

  #perform(effect: LifeEffect): void {
    switch (effect) {
      case 'lend':
        return this.#owner.lend(this, () => this.handle('attached'))
      case 'shelve':
        return this.#owner.shelve(this)
      case 'drain':
        return this.#orderDrain(this.policy.drainTimeoutMs)
      case 'undrain':
        this.drainReport = null
        this.drainProgress = null
        this.drainStartedAt = null
        return this.send({ type: 'undrain' })
      case 'terminate':
        this.#post(this.pid, this.policy.stopSignal)
        return
      case 'kill':
        return this.#kill()
      case 'report':
        return
    }
  }

  #orderDrain(deadlineMs: number): void {
    this.#owner.withdraw(this, () => {
      if (this.state !== 'draining') return
      reached('worker.withdrawn', this.pid)
      if (!this.hasAgent) this.#post(this.pid, this.policy.stopSignal)
      else this.send({ type: 'drain', deadlineMs, spreadMs: this.policy.drainSpreadMs })
    })
  }

  get #drainLeftMs(): number {
    const begun = this.drainStartedAt ?? this.#owner.clock.now()
    return Math.max(0, this.policy.drainTimeoutMs - (this.#owner.clock.now() - begun))
  }

  #kill(): void {
    if (this.policy.treeKill) this.#post(-this.pid, 'SIGKILL')
    this.#post(this.pid, 'SIGKILL')
  }

  #post(target: number, signal: NodeJS.Signals): boolean {
    return !this.#hasExited && isSameProcess(this.pid, this.startTime) && postSignal(target, signal)
  }

  #arm(): void {
    this.#cancelWake()
    const { deadline, state } = this.#life
    if (deadline === null) return
    this.#cancelWake = this.#owner.clock.wakeAt(deadline, () => this.#deadlinePassed(state, deadline))
  }

  #deadlinePassed(state: LifeState, deadline: number): void {
    const now = this.#owner.clock.now()
    // A worker that boots waits for the supervisor's answers, and the supervisor itself was held up.
    if (state === 'starting' && now > deadline + STALL_MS && !this.#hasMoreTime) {
      this.#hasMoreTime = true
      this.#cancelWake = this.#owner.clock.wakeAt(now + SILENT_MS, () => this.#deadlinePassed(state, now + SILENT_MS))
      return
    }
    const silent = !this.hasAgent || this.isSilent(SILENT_MS)
    if (state === 'starting') this.killReason ??= 'not-ready'
    if (state === 'draining' && silent) this.killReason ??= 'drain-deadline'
    if (state === 'stopping') this.killReason ??= 'stop-deadline'
    this.handle(silent ? 'timedOutSilent' : 'timedOut')
  }

  #judgeLingering(progress: DrainProgress): void {
    const lingering = progress.busy === 0 && progress.idle === 0 && progress.upgraded > 0
    if (lingering && !this.isLingering && this.state === 'draining') {
      this.isLingering = true
      this.#owner.lingers(this)
    }
  }

  #watchChild(child: EventEmitter): void {
    // `error` is a failed signal or a broken channel; the exit tells what matters.
    child.on('error', () => undefined)
    child.on('message', (message: unknown) => {
      if (message === 'ready') this.saidReady = true
      if (message === 'ready' && this.policy.ready.by === 'message') this.handle('becameReady')
    })
    child.on('exit', (code: number | null, signal: NodeJS.Signals | null) => this.#gone(code, signal, true))
  }

  #gone(code: number | null, signal: NodeJS.Signals | null, seen: boolean): void {
    if (this.#hasExited) return
    const { clock } = this.#owner
    if (clock.isStopped === true) return void clock.wakeAt(0, () => this.#gone(code, signal, seen))
    // What it left behind in its process group goes too, while the group's number cannot yet be anyone else's.
    if (this.policy.treeKill) killGroup(this.pid)
    this.#hasExited = true
    const exit: WorkerExit = {
      code: code ?? (signal === null ? (this.exiting?.code ?? null) : null),
      signal,
      asked: this.#life.endWanted,
      uptimeMs: this.uptimeMs(),
      wasReady: this.readyAt !== null || this.wasReadyBefore,
      killReason: this.killReason,
      uncaught: this.uncaught !== null,
      seen,
    }
    this.handle('exited')
    this.#cancelWake()
    this.unlink()
    this.#owner.settle(this, () => this.#owner.exited(this, exit))
  }
}

/** Without a word for so long, a process that should beat every 2 s at the latest does not answer. */
const SILENT_MS = 5000
