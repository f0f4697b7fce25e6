// Workers that nobody can make an app for, since the state is lost or broken, when everything is to end: those that dial
// in and prove whose they are are drained over the link, and then ended like any other.

import { isSameProcess, startTimeOf } from '../state/process-identity.ts'
import { waitUntil, type Clock } from './clock.ts'
import type { LeftCommand, LeftWorker } from './left-workers.ts'
import type { Hello } from './link-desk.ts'
import type { WorkerChannel } from './worker-handle.ts'
import { isCommandIncarnation, isIncarnation } from './worker-proof.ts'

/** As the agent needs to report a drain that it has ended at its deadline (core/worker-lifecycle.ts). */
const REPORT_GRACE_MS = 2500
const KILL_AFTER_MS = 5000
/** What the configuration said is lost with the rest: `drainTimeout` by default. */
const COMMAND_DRAIN_MS = 30_000

/** A worker that `supervise stop --orphans` has ended. */
export interface EndedWorker {
  readonly app: string
  readonly worker: number
  readonly pid: number
  /** False of one that was ended with what it had open. */
  readonly drained: boolean
  readonly requestsCut: number
}

export class StrayWorkers {
  readonly #clock: Clock
  readonly #now: boolean
  readonly #ends: Promise<EndedWorker>[] = []

  constructor(clock: Clock, now: boolean) {
    this.#clock = clock
    this.#now = now
  }

  /** False of one that does not prove that it is the worker that it says it is. */
  take(hello: Hello, channel: WorkerChannel): boolean {
    const startTime = startTimeOf(hello.pid)
    if (startTime === null || isIncarnation(hello.pid, hello.settings.incarnation) !== true) return false
    this.#ends.push(this.#end(hello, channel, startTime))
    return true
  }

  /** A command tells nothing: its drain is the stop signal. */
  takeCommand({ pid, incarnation, command }: LeftWorker): void {
    const startTime = startTimeOf(pid)
    if (startTime === null || command === null || isCommandIncarnation(pid, incarnation) !== true) return
    this.#ends.push(this.#endCommand(command, pid, startTime))
  }

  /** Resolves when all that were taken are gone. */
  ended(): Promise<readonly EndedWorker[]> {
    return Promise.all(this.#ends)
  }

  async #end({ settings, pid }: Hello, channel: WorkerChannel, startTime: string): Promise<EndedWorker> {
    const { app, worker, drainTimeoutMs: deadlineMs, drainSpreadMs: spreadMs } = settings
    const isGone = () => !isSameProcess(pid, startTime)
    let drained = false
    let requestsCut = 0
    channel.onMessage = (message, handle) => {
      handle?.close()
      if (message.type !== 'drained') return
      drained = true
      requestsCut = message.requestsCut
    }
    if (!this.#now) {
      channel.send({ type: 'drain', deadlineMs, spreadMs })
      await waitUntil(this.#clock, deadlineMs + REPORT_GRACE_MS, () => drained || isGone())
    }
    post(pid, startTime, 'SIGTERM')
    await waitUntil(this.#clock, KILL_AFTER_MS, isGone)
    post(pid, startTime, 'SIGKILL')
    await waitUntil(this.#clock, KILL_AFTER_MS, isGone)
    channel.close()
    return { app, worker, pid, drained, requestsCut }
  }

  async #endCommand({ app, worker }: LeftCommand, pid: number, startTime: string): Promise<EndedWorker> {
    const isGone = () => !isSameProcess(pid, startTime)
    post(pid, startTime, 'SIGTERM')
    await waitUntil(this.#clock, this.#now ? KILL_AFTER_MS : COMMAND_DRAIN_MS, isGone)
    const drained = isGone() && !this.#now
    post(pid, startTime, 'SIGKILL')
    await waitUntil(this.#clock, KILL_AFTER_MS, isGone)
    return { app, worker, pid, drained, requestsCut: 0 }
  }
}

/** Looked at right before each signal: the pid may be another's by now. */
function post(pid: number, startTime: string, signal: NodeJS.Signals): void {
  if (!isSameProcess(pid, startTime)) return
  try {
    process.kill(pid, signal)
  } catch {
    // Gone in between.
  }
}
