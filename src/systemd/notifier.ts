// Tells the service manager how we are (sd_notify(3)). Node has no datagram Unix sockets: what is told goes through a
// descriptor that the unit opened for us (`OpenFile=`, systemd 253 and later), or else through `systemd-notify`.

import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '../config/failure.ts'
import { NOTIFY_NAME, type PassedDescriptor } from './activation.ts'

type Environment = Record<string, string | undefined>

export interface NotifierOptions {
  /** Told when nobody can be told, and again only once that was mended. */
  readonly complain: (problem: string) => void
  /**
   * How long a manager that does not read is waited for.
   * @default 3000, and a sixth of it once it has not read in time
   */
  readonly patienceMs?: number
  /** @default 'systemd-notify', found by PATH */
  readonly helper?: string
}

/** `systemd-notify` waits until the manager has taken the message, for ever when nobody reads. */
const PATIENCE_MS = 3000
/** A stop must not wait for each of its last words. */
const IMPATIENT = 6
const AGAIN_MS = 20
const HELPER = 'systemd-notify'

export interface ManagerVariables {
  readonly socket: string | null
  /** How often `WATCHDOG=1` is expected at the latest, in milliseconds; null when it is not. */
  readonly watchdogMs: number | null
}

/** Reads the variables of this process and takes them away: what it starts is not what the manager asked. */
export function takeManagerVariables(environment: Environment, pid: number): ManagerVariables {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: forPid } = environment
  delete environment['NOTIFY_SOCKET']
  delete environment['WATCHDOG_USEC']
  delete environment['WATCHDOG_PID']
  const isOurs = forPid === undefined || Number(forPid) === pid
  const microseconds = Number(usec)
  const watchdogMs = isOurs && Number.isFinite(microseconds) && microseconds > 0 ? microseconds / 1000 : null
  return { socket: socket === undefined || socket === '' ? null : socket, watchdogMs }
}

export class Notifier {
  readonly #send: (assignments: readonly string[]) => Promise<void>
  readonly #options: NotifierOptions
  #waiting: (readonly string[])[] = []
  #sending: Promise<void> | null = null
  #hasFailed = false

  constructor(way: { readonly fd: number } | { readonly socket: string }, options: NotifierOptions) {
    this.#options = options
    this.#send = async (assignments) =>
      'fd' in way
        ? write(way.fd, assignments.join('\n'), this.#patienceMs())
        : this.#help(way.socket, assignments, this.#patienceMs())
  }

  /** Assignments such as `READY=1`, in one datagram. Resolves when that was sent, or could not be. */
  tell(...assignments: readonly string[]): Promise<void> {
    const names = assignments.map(nameOf)
    // What only says how it is now, such as STATUS, is out of date when it is said again.
    const isStale = (waiting: readonly string[]) => waiting.every((one) => names.includes(nameOf(one)))
    this.#waiting = [...this.#waiting.filter((waiting) => !isStale(waiting)), assignments]
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const next = this.#waiting.shift() ?? []
      // oxlint-disable-next-line no-await-in-loop -- the manager must see them in this order
      await this.#send(next).then(
        () => (this.#hasFailed = false),
        (error: unknown) => this.#failed(error),
      )
    }
  }

  #patienceMs(): number {
    const { patienceMs = PATIENCE_MS } = this.#options
    return this.#hasFailed ? patienceMs / IMPATIENT : patienceMs
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#options.complain(
      `the service manager cannot be told how this is: ${error instanceof Error ? error.message : String(error)}`,
    )
  }

  #help(socket: string, assignments: readonly string[], patienceMs: number): Promise<void> {
    const helper = this.#options.helper ?? HELPER
    const child = spawn(helper, assignments, {
      env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket },
      stdio: 'ignore',
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    })
    return new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`${helper} cannot be run: ${error.message}`)))
      child.once('exit', (code, signal) => {
        if (code === 0) resolve()
        else if (signal === null) reject(new Error(`${helper} ended with code ${code}`))
        else reject(new Error(`nobody read ${socket} within ${patienceMs / 1000} s`))
      })
    })
  }
}

/** The way that there is: a descriptor that the unit opened, the helper, or none when no manager asked. */
export function openNotifier(
  { socket }: ManagerVariables,
  descriptors: readonly PassedDescriptor[],
  options: NotifierOptions,
): Notifier | null {
  const passed = descriptors.find(({ name }) => name === NOTIFY_NAME)
  if (passed !== undefined) return new Notifier({ fd: passed.fd }, options)
  return socket === null ? null : new Notifier({ socket }, options)
}

/** The descriptor does not block: a queue that is full is tried again. */
async function write(fd: number, text: string, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!isWritten(fd, text)) {
    if (performance.now() > deadline) throw new Error(`nobody read what it was told within ${patienceMs / 1000} s`)
    // oxlint-disable-next-line no-await-in-loop -- one try after the other is the point
    await delay(AGAIN_MS)
  }
}

function isWritten(fd: number, text: string): boolean {
  try {
    writeSync(fd, text)
    return true
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return false
    throw error
  }
}

function nameOf(assignment: string): string {
  return assignment.slice(0, assignment.indexOf('='))
}
