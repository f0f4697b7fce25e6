// The supervisor before this one, as the new one sees it: what it offers, when it lets go, and that it must live until the
// new one has everything. If it dies before that, who brings supervisors back brings one back, and this one is too many.

import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { EXIT, SuperviseError } from '../errors.ts'
import { upgradeRefused } from '../errors/upgrade.ts'
import {
  HAND_OVER_VARIABLE,
  readMessage,
  unreadable,
  type FromBefore,
  type FromNext,
  type HeardGo,
  type Offer,
} from './upgrade-messages.ts'

export class Succession {
  readonly offer: Offer
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>
  readonly #alone = Promise.withResolvers<void>()
  #isOver = false

  private constructor(socket: Socket, lines: AsyncIterator<string>, offer: Offer) {
    this.#socket = socket
    this.#lines = lines
    this.offer = offer
    socket.on('close', () => {
      if (!this.#isOver) process.exit(EXIT.failed)
      this.#alone.resolve()
    })
  }

  /** Takes what belongs to this process alone out of its environment, so call it once. */
  static async receive(environment = process.env): Promise<Succession> {
    const fd = Number(environment[HAND_OVER_VARIABLE])
    delete environment[HAND_OVER_VARIABLE]
    if (!Number.isInteger(fd) || fd < 3) throw upgradeRefused('this', 'no supervisor hands anything over')
    // What the service manager passed to the one before.
    if (environment['LISTEN_FDS'] !== undefined) environment['LISTEN_PID'] = String(process.pid)
    const socket = new Socket({ fd, readable: true, writable: true })
    socket.on('error', () => {})
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    try {
      const offer = await next(lines)
      if (offer?.type !== 'offer') throw upgradeRefused('this', 'the supervisor before this one has offered nothing')
      return new Succession(socket, lines, offer)
    } catch (error) {
      // It would keep the process, for which the one before waits.
      socket.destroy()
      throw error
    }
  }

  /** Resolves when the one before has let go of everything. */
  async prepared(): Promise<HeardGo> {
    this.#tell({ type: 'prepared' })
    const message = await next(this.#lines)
    // Its end, which ends this process as well, comes as an event.
    if (message === null) return new Promise(() => {})
    if (message.type !== 'go') throw upgradeRefused('this', `the supervisor before this one said "${message.type}"`)
    return { ...message, heardAt: performance.timeOrigin + performance.now() }
  }

  /** Everything is with this process. */
  taken(): void {
    this.#isOver = true
    this.tellStandIn(`pid ${process.pid}`)
    this.#tell({ type: 'taken' })
    this.#socket.unref()
  }

  /** Resolves when the one before holds nothing of the instance any more. */
  get alone(): Promise<void> {
    return this.#alone.promise
  }

  failed(error: unknown): void {
    const { code, message, fix, exitCode, lines } =
      error instanceof SuperviseError
        ? error
        : upgradeRefused('this', error instanceof Error ? (error.stack ?? error.message) : String(error))
    this.#tell({ type: 'failed', error: { code, message, fix, exitCode, lines } })
  }

  /** A process that stands in for this one follows these words. */
  tellStandIn(words: string): void {
    if (this.offer.standIn === null) return
    try {
      writeSync(this.offer.standIn, `${words}\n`)
    } catch {
      // It was killed: nobody waits for this process where it was started.
    }
  }

  /** In one piece and at once: the process may end right after it. */
  #tell(message: FromNext): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }
}

/** Null when it has ended. */
async function next(lines: AsyncIterator<string>): Promise<FromBefore | null> {
  const line = await lines.next().catch(() => null)
  if (line === null || line.done === true) return null
  const message = readMessage(line.value)
  if (message?.type === 'offer' || message?.type === 'go') return message
  throw upgradeRefused('this', `the supervisor before this one said ${unreadable(line.value)}`)
}
