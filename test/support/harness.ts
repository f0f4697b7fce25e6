// A real supervisor in a process of its own, for end-to-end tests.

import { spawn, type ChildProcess } from 'node:child_process'
import type { AppStatus, InstanceStatus, WorkerStatus } from '../../src/control/messages.ts'
import { LAUNCHER, makeHome, TEST_NODE, type ApiAnswer, type CliOptions, type CliResult, type Home } from './home.ts'
import { sendIfAlive } from './processes.ts'
import { Hopeless, until } from './until.ts'

const STOP_MS = 45_000
const ONLINE_MS = 15_000

/** How long its last words are waited for after its exit, should another process hold its stdout or stderr open. */
const LAST_WORDS_MS = 500

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface SuperviseOptions extends CliOptions {
  /** Live where another one lived; a home of its own when left out. */
  readonly home?: Home
  /** Do not wait until every app is online. */
  readonly wait?: 'online' | 'none'
}

/**
 * Runs `supervise start <args>` in the foreground. Must be called inside a test: what is left of it at the test's end is
 * killed. Use `stop()` where the stop is part of the promise: it fails when it leaves an orphan.
 */
export async function startSupervise(args: readonly string[], options: SuperviseOptions = {}): Promise<Supervise> {
  const supervise = new Supervise(options.home ?? makeHome(), args, options)
  if (options.wait !== 'none') await supervise.online()
  return supervise
}

export class Supervise {
  readonly home: Home
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #exit: Exit | null = null

  constructor(home: Home, args: readonly string[], options: SuperviseOptions) {
    this.home = home
    this.#child = spawn(options.node ?? TEST_NODE, [LAUNCHER, 'start', ...args], {
      cwd: options.cwd ?? home.work,
      env: { ...home.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      const end = (code: number | null, signal: NodeJS.Signals | null) => resolve((this.#exit ??= { code, signal }))
      this.#child.once('close', end)
      this.#child.once('exit', (code, signal) => void setTimeout(end, LAST_WORDS_MS, code, signal))
    })
    this.exited.catch(() => {})
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('Cannot tell the pid of a supervisor that did not start')
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** Null while it runs. */
  get exit(): Exit | null {
    return this.#exit
  }

  /** Waits for a line of its stdout or stderr, also for one that was there before. */
  async waitForOutput(pattern: RegExp, deadlineMs = ONLINE_MS): Promise<RegExpExecArray> {
    return await this.#until(
      () => pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr),
      deadlineMs,
      `output ${pattern}`,
    )
  }

  status(): Promise<InstanceStatus> {
    return this.home.status()
  }

  /** The status of one app, or of the only one. */
  async app(name?: string): Promise<AppStatus> {
    const { apps } = await this.status()
    const app = name === undefined ? apps[0] : apps.find((each) => each.name === name)
    if (app === undefined) throw new Error(`No app "${name ?? ''}" among ${apps.map((each) => each.name).join(', ')}`)
    return app
  }

  /** Waits until every app is online. */
  async online(deadlineMs = ONLINE_MS): Promise<InstanceStatus> {
    return await this.#until(
      async () => {
        const status = await this.status()
        return status.apps.length > 0 && status.apps.every((app) => app.state === 'online') && status
      },
      deadlineMs,
      'every app is online',
    )
  }

  async workers(app?: string): Promise<readonly WorkerStatus[]> {
    const { groups } = await this.app(app)
    return [...(groups.blue?.workers ?? []), ...(groups.green?.workers ?? [])]
  }

  /** Pids of the workers that have a process. */
  async pids(app?: string): Promise<readonly number[]> {
    return (await this.workers(app)).flatMap(({ pid }) => (pid === null ? [] : [pid]))
  }

  cli(...args: readonly string[]): Promise<CliResult> {
    return this.home.cli(args)
  }

  api(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    return this.home.api(method, path, body)
  }

  signal(signal: NodeJS.Signals): void {
    sendIfAlive(this.pid, signal)
  }

  /** Waits for the exit after a signal or a command that asked for it. */
  async ended(deadlineMs = STOP_MS): Promise<Exit> {
    return await this.#until(() => this.#exit, deadlineMs, 'the supervisor exits')
  }

  /** A normal stop. Fails when a process of this home is left after it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = STOP_MS): Promise<Exit> {
    this.signal(signal)
    const exit = await this.ended(deadlineMs)
    await this.mustHaveNoOrphan()
    return exit
  }

  async mustHaveNoOrphan(): Promise<void> {
    await this.home.mustBeEmpty(this.pid)
  }

  /** A supervisor that is gone will not do what is waited for; its own words say why. */
  async #until<Fact>(fact: () => Fact | Promise<Fact>, deadlineMs: number, what: string) {
    const look = async () => {
      const exit = this.#exit
      try {
        const seen = await fact()
        if (seen || exit === null) return seen
      } catch (error) {
        if (exit === null) throw error
      }
      throw new Hopeless(`The supervisor exited (${exit.signal ?? exit.code}) before: ${what}`)
    }
    try {
      return await until(look, deadlineMs, what)
    } catch (error) {
      const said = `--- stdout\n${this.#stdout.slice(-4_000)}\n--- stderr\n${this.#stderr.slice(-4_000)}`
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error })
    }
  }
}
