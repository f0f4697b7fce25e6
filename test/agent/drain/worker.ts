// Starts the app under test as a worker of this process, which is its supervisor: one worker, one slot.

import cluster, { type Worker } from 'node:cluster'
import net from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { agentDirectory, certificateDirectory } from './made-files.ts'

export type Kind = 'http' | 'https' | 'h1' | 'h2c' | 'h2' | 'net' | 'ws' | 'none'
/** Who begins: the supervisor with its order, or a signal, at which the app closes its server. */
export type Mode = 'drain' | 'close'
export type Environment = Readonly<Record<string, string>>
export type Message = Readonly<Record<string, unknown>>

const here = fileURLToPath(new URL('.', import.meta.url))
const NODE_BIN = process.env.NODE_BIN ?? process.execPath
/** For processes that must not outlive a failed test for ever. */
const DEADLINE_MS = 12_000

export async function until(isSo: () => unknown, ms: number): Promise<boolean> {
  const end = performance.now() + ms
  while (!isSo()) {
    if (performance.now() > end) return false
    // oxlint-disable-next-line no-await-in-loop -- polling is the point
    await sleep(4)
  }
  return true
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export class WorkerUnderTest {
  readonly messages: Message[] = []
  readonly runs: string[] = []
  readonly kind: Kind
  readonly mode: Mode
  port = 0
  /** The listening sockets, by key: they live as long as the test. */
  readonly slots = new Map<unknown, SlotHandle>()
  /** When the drain was ordered, in this process's time. */
  orderedAt = 0
  readonly #worker: Worker
  #exit: { code: number | null; signal: string | null } | null = null

  constructor(worker: Worker, kind: Kind, mode: Mode) {
    this.#worker = worker
    this.kind = kind
    this.mode = mode
    worker.on('exit', (code, signal) => (this.#exit = { code, signal }))
    worker.on('error', () => {})
    worker.on('message', (message: Message) => {
      if (typeof message.run === 'string') this.runs.push(message.run)
      else this.messages.push(message)
    })
  }

  get isSecure(): boolean {
    return this.kind === 'https' || this.kind === 'h1' || this.kind === 'h2'
  }

  send(message: Message, handle?: unknown): void {
    // The handle is one of Node's own, which the types of `send` do not know.
    if (this.#worker.isConnected()) this.#worker.send(message, handle as net.Socket, () => {})
  }

  /** The next message that is one; those that were waited for are gone. */
  async message(kind: string, ms = 12_000): Promise<Message> {
    const find = () => this.messages.findIndex((message) => message.sup === kind || kind in message)
    await until(() => find() >= 0 || this.#exit !== null, ms)
    const [message] = find() < 0 ? [] : this.messages.splice(find(), 1)
    if (message === undefined) throw new Error(`no message "${kind}"`)
    return message
  }

  /** Begins the drain; `isStopped` says that the worker cannot answer now. */
  async drain({ deadlineMs = 15_000, spreadMs = 0, isStopped = false } = {}): Promise<void> {
    this.orderedAt = performance.now()
    if (this.mode === 'close') {
      this.signal('SIGTERM')
      if (!isStopped) await this.message('closing')
      return
    }
    this.send({ sup: 'drain', deadlineMs, spreadMs })
    if (!isStopped) await this.message('draining')
  }

  /** Until the drain has lasted so long: these cases are about what comes that late. */
  async into(ms: number): Promise<void> {
    await until(() => performance.now() - this.orderedAt >= ms, ms + 1)
  }

  /** Handlers of so many requests have begun. */
  async ran(count: number): Promise<void> {
    if (!(await until(() => this.runs.length >= count, 6000))) throw new Error(`${this.runs.length} of ${count} ran`)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#exit === null) process.kill(this.#worker.process.pid!, signal)
  }

  get hasExited(): boolean {
    return this.#exit !== null
  }

  async exit(ms = 8000): Promise<{ code: number | null; signal: string | null }> {
    if (!(await until(() => this.#exit !== null, ms)) || this.#exit === null) throw new Error('the worker did not exit')
    return this.#exit
  }

  /** The drain is over: what the supervisor does then. In mode `close` the app exits by itself. */
  async ended(ms = 8000): Promise<void> {
    if (this.mode === 'drain') {
      await this.message('drained', ms)
      this.signal('SIGTERM')
    }
    const { code } = await this.exit(ms)
    if (code !== 0) throw new Error(`the worker exited with ${code}`)
  }

  async end(): Promise<void> {
    this.signal('SIGCONT')
    this.signal('SIGKILL')
    await this.exit()
    for (const slot of this.slots.values()) slot.close()
  }
}

export async function startWorker(kind: Kind, mode: Mode = 'drain', env: Environment = {}): Promise<WorkerUnderTest> {
  const worker = fork(kind, env)
  const subject = new WorkerUnderTest(worker, kind, mode)
  const { slots } = subject
  worker.on('message', (message: { sup?: string; key?: string; options: { address: string; port: number } }) => {
    if (message.sup === 'listen') {
      const slot = bind(message.options)
      slots.set(message.key, slot.handle)
      subject.send({ sup: 'listenReply', key: message.key, name: slot.name })
    } else if (message.sup === 'listening') subject.send({ sup: 'attach', key: message.key }, slots.get(message.key))
  })
  subject.port = (await subject.message('port', DEADLINE_MS)).port as number
  if (kind !== 'none') await subject.message('attached')
  return subject
}

function fork(kind: Kind, env: Environment): Worker {
  cluster.setupPrimary({
    exec: path.join(here, 'app.cjs'),
    execArgv: ['--no-warnings', '--require', path.join(here, 'worker-preload.cjs')],
  })
  const needsCertificates = kind === 'https' || kind === 'h1' || kind === 'h2'
  const certificates = needsCertificates ? { CERTIFICATES: certificateDirectory() } : {}
  const execPath = process.execPath
  try {
    process.execPath = NODE_BIN
    return cluster.fork({ KIND: kind, ...certificates, ...env, AGENT_DIR: agentDirectory(), NODE_OPTIONS: '' })
  } finally {
    process.execPath = execPath
  }
}

interface SlotHandle {
  getsockname(out: object): number
  close(): void
}

function bind({ address, port }: { address: string; port: number }): { handle: SlotHandle; name: object } {
  // What the supervisor does too; Node's types leave it out.
  // oxlint-disable-next-line typescript/unbound-method -- it takes no `this`
  const create = (net as unknown as { _createServerHandle(...args: unknown[]): SlotHandle | number })
    ._createServerHandle
  const handle = create(address, port, 4, -1, 0)
  if (typeof handle === 'number') throw new Error(`bind: ${handle}`)
  const name = {}
  handle.getsockname(name)
  return { handle, name }
}
