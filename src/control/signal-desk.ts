// What signals to the supervisor mean: each is a command. Those that come before there is a supervisor wait for it.

import { openSync, closeSync } from 'node:fs'
import { SuperviseError } from '../errors.ts'
import type { OperationContext } from '../supervisor/operations.ts'
import { postSignal } from '../supervisor/post-signal.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'

const SIGNALS = ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const
export type Handled = (typeof SIGNALS)[number]

const STOPS: ReadonlySet<Handled> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT'])

export function isHandled(signal: string): signal is Handled {
  return (SIGNALS as readonly string[]).includes(signal)
}

export class SignalDesk {
  #supervisor: Supervisor | null = null
  #waiting: Handled[] = []
  /** Its apps can be acted on, and not only ended. */
  #isBegun = false
  /** Who is in charge instead of this process. */
  #successor: number | null = null
  #stops = 0
  readonly #hadTerminal = hasTerminal()
  readonly #listeners = new Map<Handled, () => void>()

  constructor() {
    for (const signal of SIGNALS) {
      const listener = (): void => this.receive(signal)
      this.#listeners.set(signal, listener)
      process.on(signal, listener)
    }
  }

  /** Of a supervisor that begins, only what ends it: until it knows whom it takes over, it can reload nobody. */
  serve(supervisor: Supervisor): void {
    this.#supervisor = supervisor
    this.#again()
  }

  /** Its workers are being taken over, if there are any: whatever is asked for waits for the end of that. */
  begun(): void {
    this.#isBegun = true
    this.#again()
  }

  /** They wait until `serve`, or until `passOnTo` says whose they are. */
  hold(): void {
    this.#supervisor = null
  }

  /** Another process is in charge: whoever sends a signal here means that one. */
  passOnTo(pid: number): void {
    this.#successor = pid
    this.#again()
  }

  close(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener)
  }

  /** As if this process had been sent it. */
  receive(signal: Handled): void {
    if (this.#successor !== null) return this.#passOn(signal, this.#successor)
    const supervisor = this.#supervisor
    if (supervisor === null || !(this.#isBegun || STOPS.has(signal))) {
      this.#waiting.push(signal)
      return
    }
    const context: OperationContext = { cause: `signal ${signal}`, progress: () => {} }
    this.#act(signal, supervisor, context).catch((error: unknown) => supervisor.internalError(error))
  }

  #again(): void {
    for (const signal of this.#waiting.splice(0)) this.receive(signal)
  }

  #passOn(signal: Handled, pid: number): void {
    // That one has no terminal to lose.
    const isClosed = signal === 'SIGHUP' && this.#hadTerminal && !hasTerminal()
    postSignal(pid, isClosed ? 'SIGTERM' : signal)
  }

  async #act(signal: Handled, supervisor: Supervisor, context: OperationContext): Promise<void> {
    switch (signal) {
      case 'SIGTERM':
      case 'SIGINT':
        this.#stops += 1
        await supervisor.shutdown({ now: this.#stops > 1 }, context)
        return
      case 'SIGQUIT':
        await supervisor.shutdown({ now: true }, context)
        return
      case 'SIGHUP':
        // The terminal was closed: nobody asked for a reload.
        if (this.#hadTerminal && !hasTerminal()) return void (await supervisor.shutdown({}, context))
        return this.#forEach(supervisor, (app) => supervisor.reload(app, {}, context))
      case 'SIGTTIN':
        return this.#forEach(supervisor, (app) => supervisor.scale(app, { workers: '+1' }, context))
      case 'SIGTTOU':
        return this.#forEach(supervisor, (app) => supervisor.scale(app, { workers: '-1' }, context))
      case 'SIGUSR2':
        return this.#forEach(supervisor, (app) => flipOrTell(supervisor, app, context))
    }
  }

  async #forEach(supervisor: Supervisor, act: (app: string) => Promise<unknown>): Promise<void> {
    const running = supervisor.apps.filter((app) => !app.isStopped)
    const outcomes = await Promise.allSettled(running.map(async (app) => act(app.name)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') supervisor.internalError(outcome.reason)
  }
}

/** Nobody waits for an answer to a signal: what it could not do is an event. */
async function flipOrTell(supervisor: Supervisor, app: string, context: OperationContext): Promise<void> {
  try {
    await supervisor.releases.flip(app, context)
  } catch (error) {
    if (!(error instanceof SuperviseError)) throw error
    supervisor.eventLog.record({ type: 'flipRefused', app, text: error.message, cause: context.cause }, 'warn')
  }
}

/** Whether this process still has the terminal that it was started in. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
