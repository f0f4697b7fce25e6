// The tests' side of a supervisor process: starts it, remembers all that it tells, and ends every process of it.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'

import { bundleAgent } from '../../../scripts/bundle.ts'
import type { AgentSettings, SupervisorMessage, WorkerMessage } from '../../../src/protocol/messages.ts'
import type { Command, StartOptions, SupervisorEvent } from './commands.ts'

/** The Node under test. */
export const NODE = process.env.NODE_BIN ?? process.execPath

const script = fileURLToPath(new URL('supervisor-process.ts', import.meta.url))
const DEADLINE_MS = 10_000
const ALONE_MS = 250

type EventOf<Name extends SupervisorEvent['event']> = SupervisorEvent & { readonly event: Name }
type MessageOf<Type extends WorkerMessage['type']> = WorkerMessage & { readonly type: Type }

export interface ForkOptions {
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly execPath?: string
  readonly settings?: Partial<AgentSettings>
}

/** One directory of processes that know each other: supervisors one after the other, and the workers that outlive them. */
export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), 'agent-'))
  readonly link = join(this.directory, 'link.sock')
  readonly pids = new Set<number>()
  readonly supervisors: TestSupervisor[] = []
  #files = 0

  /** Writes an app and returns its path. */
  app(source: string, extension = 'cjs'): string {
    const path = join(this.directory, `app-${++this.#files}.${extension}`)
    writeFileSync(path, source)
    return path
  }

  async supervisor(options: Partial<StartOptions> = {}): Promise<TestSupervisor> {
    const { link } = this
    const preload = join(built, 'preload.js')
    const supervisor = new TestSupervisor(this, { link, preload, slots: 2, lend: true, deaf: false, ...options })
    this.supervisors.push(supervisor)
    await supervisor.event('started')
    return supervisor
  }

  /** For longer than a worker's agent waits, 100 ms, until it takes its supervisor for dead: what it does then, or does not, is seen after. */
  async longAlone(): Promise<void> {
    await pause(ALONE_MS)
  }

  /** Ends what is left. */
  async close(): Promise<void> {
    await Promise.all(this.supervisors.map((supervisor) => supervisor.kill()))
    for (const pid of this.pids) killQuietly(pid)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export class TestSupervisor {
  readonly events: SupervisorEvent[] = []
  readonly #bench: Bench
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()
  #incarnation = 0

  constructor(bench: Bench, options: StartOptions) {
    this.#bench = bench
    this.#process = spawn(NODE, ['--disable-warning=ExperimentalWarning', script, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#process.on('message', (event: SupervisorEvent) => {
      if (event.event === 'forked') bench.pids.add(event.pid)
      if (event.event === 'exited') bench.pids.delete(event.pid)
      this.events.push(event)
      for (const look of this.#waiting) look()
    })
  }

  do(command: Command): void {
    this.#process.send(command)
  }

  say(pid: number, message: SupervisorMessage, key?: string, slot?: number): void {
    this.do({ do: 'say', pid, message, ...(key === undefined ? {} : { key }), ...(slot === undefined ? {} : { slot }) })
  }

  /** Forks a worker and returns its pid. */
  async fork(exec: string, options: ForkOptions = {}): Promise<number> {
    const settings: AgentSettings = {
      app: 'web',
      group: 'blue',
      release: 'r1',
      worker: 1,
      incarnation: `${this.#process.pid}-${++this.#incarnation}`,
      endpointDirectory: this.#bench.directory,
      heartbeatMs: 60_000,
      maxRequestsPerConnection: 0,
      drainTimeoutMs: 30_000,
      drainSpreadMs: 5_000,
      releaseHeader: null,
      ...options.settings,
    }
    const from = this.events.length
    this.do({ do: 'fork', exec, ...options, settings })
    return (await this.event('forked', () => true, from)).pid
  }

  /** Forks a worker and waits until its server has all slots; returns its pid and the port of its listener. */
  async serve(exec: string, options: ForkOptions = {}): Promise<{ readonly pid: number; readonly port: number }> {
    const pid = await this.fork(exec, options)
    await this.said(pid, 'attached')
    const line = await this.output(pid, /port (\d+)/)
    return { pid, port: Number(line[1]) }
  }

  /** The first such event, now or later. */
  async event<Name extends SupervisorEvent['event']>(
    name: Name,
    is: (event: EventOf<Name>) => boolean = () => true,
    from = 0,
  ): Promise<EventOf<Name>> {
    return this.#until(`event ${name}`, () =>
      this.events.slice(from).find((event): event is EventOf<Name> => isEvent(event, name) && is(event)),
    )
  }

  /** The first such message of a worker, now or later. */
  async said<Type extends WorkerMessage['type']>(
    pid: number,
    type: Type,
    is: (message: MessageOf<Type>) => boolean = () => true,
    from = 0,
  ): Promise<MessageOf<Type>> {
    const { message } = await this.event(
      'said',
      (event) => event.pid === pid && isMessage(event.message, type) && is(event.message),
      from,
    )
    if (!isMessage(message, type)) throw new Error(`Found "${message.type}" instead of "${type}"`)
    return message
  }

  async output(pid: number, pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(`output ${pattern}`, () => pattern.exec(this.outputOf(pid)) ?? undefined)
  }

  async exit(pid: number): Promise<EventOf<'exited'>> {
    return this.event('exited', (event) => event.pid === pid)
  }

  outputOf(pid: number): string {
    return this.events.flatMap((event) => (event.event === 'output' && event.pid === pid ? [event.text] : [])).join('')
  }

  /** Resolves when the process is no more: until then it might still read what a worker sends. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
  }

  async #until<Found>(what: string, look: () => Found | undefined): Promise<Found> {
    const found = look()
    if (found !== undefined) return found
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(again)
        reject(new Error(`No ${what} in ${DEADLINE_MS} ms; seen: ${JSON.stringify(this.events).slice(-3_000)}`))
      }, DEADLINE_MS)
      const again = () => {
        const now = look()
        if (now === undefined) return
        clearTimeout(timer)
        this.#waiting.delete(again)
        resolve(now)
      }
      this.#waiting.add(again)
    })
  }
}

function isEvent<Name extends SupervisorEvent['event']>(event: SupervisorEvent, name: Name): event is EventOf<Name> {
  return event.event === name
}

function isMessage<Type extends WorkerMessage['type']>(message: WorkerMessage, type: Type): message is MessageOf<Type> {
  return message.type === type
}

/** A build of its own, once for all tests of a process: others may be building dist/ at the same time. */
const built = mkdtempSync(join(tmpdir(), 'agent-build-'))
beforeAll(() => bundleAgent(built))
afterAll(() => rmSync(built, { recursive: true, force: true }))

/** A process that nobody has waited for yet is no longer alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
