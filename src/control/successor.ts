// The supervisor that is to come, as the one before sees it: a child with everything that it needs as descriptors, and a
// channel to speak with it.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { createInterface } from 'node:readline'
import { messageOf } from '../config/failure.ts'
import type { ErrorBody } from '../errors.ts'
import { upgradeRefused } from '../errors/upgrade.ts'
import {
  HAND_OVER_VARIABLE,
  readMessage,
  unreadable,
  type FromBefore,
  type FromNext,
  type Offer,
} from './upgrade-messages.ts'
import type { UpgradeRequest } from './messages.ts'

export interface SuccessorPlan {
  readonly request: Pick<UpgradeRequest, 'node' | 'launcher'>
  readonly instance: string
  /** All but what depends on the numbers of descriptors. */
  readonly offer: Omit<Offer, 'type' | 'standIn'>
  readonly variables: Readonly<Record<string, string>>
  /** What it finds from 3 on. */
  readonly descriptors: readonly number[]
  /** How it tells who stands in for it: over a descriptor that is there, over one that is made now, or not at all. */
  readonly standIn: number | 'new' | null
}

type Heard = FromNext | { readonly type: 'ended'; readonly why: string }

export class Successor {
  readonly child: ChildProcess
  /** The other end of what it tells to who stands in for it, where that was made now. */
  readonly standIn: Duplex | null
  /** Null where the process cannot even be tried: why, comes as its first message. */
  readonly #channel: Duplex | null
  readonly #errors = beginReading(2)
  readonly #heard: Heard[] = []
  #waiting: ((message: Heard) => void) | null = null

  /** Throws a refusal where there cannot be such a process; most of what is wrong with one is heard. */
  constructor(plan: SuccessorPlan) {
    const { descriptors, standIn } = plan
    const first = 3 + descriptors.length
    const slots = plan.offer.listeners.flatMap((listener) => listener.slots)
    const own =
      standIn === null ? ['pipe' as const] : ['pipe' as const, standIn === 'new' ? ('pipe' as const) : standIn]
    const stdio = [...descriptors, ...own, ...slots.map(({ fd }) => fd)]
    this.child = begin(plan, ['inherit', 'inherit', 'inherit', ...stdio], first)
    // Where no descriptor is left Node makes none of them, and tells of it by an event.
    const made = (this.child.stdio as readonly unknown[] | undefined) ?? []
    this.#channel = (made[first] as Duplex | undefined) ?? null
    this.standIn = standIn === 'new' ? ((made[first + 1] as Duplex | undefined) ?? null) : null
    this.#listen()
    let fd = first + own.length
    const listeners = plan.offer.listeners.map((listener) => ({
      ...listener,
      slots: listener.slots.map(({ slot }) => ({ slot, fd: fd++ })),
    }))
    this.tell({ type: 'offer', ...plan.offer, listeners, standIn: standIn === null ? null : first + 1 })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  tell(message: FromBefore): void {
    this.#channel?.write(`${JSON.stringify(message)}\n`)
  }

  /** Its next message, or why there is none. */
  async hear(withinMs: number): Promise<Heard> {
    const next = this.#heard.shift()
    if (next !== undefined) return next
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => settle({ type: 'ended', why: `it has said nothing for ${withinMs / 1000} s` }),
        withinMs,
      )
      const settle = (message: Heard): void => {
        clearTimeout(timer)
        this.#waiting = null
        resolve(message)
      }
      this.#waiting = settle
    })
  }

  /** What it wrote on stderr, where that is a file; else whoever reads stderr has read it. */
  lastWords(): readonly string[] {
    return this.#errors?.read() ?? []
  }

  /** Resolves when it is gone, and nothing is open that was for it. */
  async kill(): Promise<void> {
    const { child } = this
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      // Not by events.once(), which rejects for any 'error' of a child that cannot be signalled.
      const gone = new Promise((resolve) => child.once('exit', resolve))
      if (child.kill('SIGKILL')) await gone
    }
    this.#channel?.destroy()
    this.standIn?.destroy()
  }

  /** It needs nobody any more, and hears by the end of the channel that it is alone. */
  letGo(): void {
    this.child.unref()
    this.#channel?.destroy()
  }

  #listen(): void {
    this.#channel?.on('error', () => {})
    this.standIn?.on('error', () => {})
    if (this.#channel !== null) {
      const lines = createInterface({ input: this.#channel })
      lines.on('line', (line) => this.#take(parse(line)))
      // It repeats those of its input: of a process that ends with words unread.
      lines.on('error', () => {})
    }
    this.child.on('error', (error) => this.#take({ type: 'ended', why: `it cannot be started: ${error.message}` }))
    this.child.once('exit', (code, signal) =>
      // What it said last is read first.
      setImmediate(() =>
        this.#take({
          type: 'ended',
          why: signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`,
        }),
      ),
    )
  }

  #take(message: Heard): void {
    if (this.#waiting === null) this.#heard.push(message)
    else this.#waiting(message)
  }
}

/** In a directory that is deleted nothing can be started, and Node remembers its own. */
export function placeToBegin(): string {
  try {
    return existsSync(process.cwd()) ? process.cwd() : '/'
  } catch {
    return '/'
  }
}

function begin({ request, instance, variables }: SuccessorPlan, stdio: StdioOptions, channel: number): ChildProcess {
  try {
    return spawn(request.node, [...process.execArgv, request.launcher, 'take-over', instance], {
      env: { ...process.env, ...variables, [HAND_OVER_VARIABLE]: String(channel) },
      cwd: placeToBegin(),
      stdio,
      // A session of its own: what a terminal sends to a job reaches who stands in for it, and that alone.
      detached: true,
    })
  } catch (error) {
    throw upgradeRefused(instance, `the new one cannot be started: ${messageOf(error)}`)
  }
}

function parse(line: string): Heard {
  const message = readMessage(line)
  if (message === null || message.type === 'offer' || message.type === 'go')
    return { type: 'ended', why: `it said ${unreadable(line)}` }
  const isSaid = message.type !== 'failed' || typeof (message.error as ErrorBody | undefined)?.message === 'string'
  return isSaid ? message : { type: 'ended', why: 'it failed and did not say why' }
}

const SHOWN_LINES = 15
const SHOWN_BYTES = 16 * 1024

/** What is appended to a file from now on; null for what is no file. */
function beginReading(descriptor: number): { read(): readonly string[] } | null {
  const path = `/proc/self/fd/${descriptor}`
  try {
    const { size: before } = statSync(path)
    if (!statSync(path).isFile()) return null
    return { read: () => readEnd(path, before) }
  } catch {
    return null
  }
}

function readEnd(path: string, from: number): readonly string[] {
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(SHOWN_BYTES, Math.max(0, size - from)))
    const length = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8', 0, length).split('\n').filter(Boolean).slice(-SHOWN_LINES)
  } catch {
    return []
  } finally {
    if (file !== null) closeSync(file)
  }
}
