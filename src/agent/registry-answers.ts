// When the app's own metrics are told: as often as the supervisor asks, and once more at the end of a drain.

import type { SupervisorMessage, WorkerMessage } from '../protocol/messages.ts'
import type { MetricsRegistry } from '../protocol/runtime-bridge.ts'
import { Registries } from './registries.ts'

/** A metric of the app that never comes must not hold its worker's end up. */
const LAST_WITHIN_MS = 250

type Ask = Extract<SupervisorMessage, { type: 'collect' }>

export class RegistryAnswers {
  readonly #registries = new Registries()
  readonly #send: (message: WorkerMessage) => void
  /** As it was asked last: an app that is never asked is never read. */
  #lastAsk: Ask | null = null
  #isReading = false

  constructor(send: (message: WorkerMessage) => void) {
    this.#send = send
  }

  /** Returns what takes the registry back. */
  add(registry: MetricsRegistry): () => void {
    const isFirst = !this.#registries.hasAny
    const remove = this.#registries.add(registry)
    if (isFirst) this.sayOffered()
    return remove
  }

  /** Said on every new link, too: a supervisor that came since does not know of it. */
  sayOffered(): void {
    if (this.#registries.hasAny) this.#send({ type: 'metricsOffered' })
  }

  /** Asked while it reads, it reads once more after that: never twice at a time. */
  asked(ask: Ask): void {
    this.#lastAsk = ask
    if (!this.#isReading) void this.#read()
  }

  /** Resolves when what is counted by now is told, or when that takes too long. */
  async tellLast(): Promise<void> {
    const ask = this.#lastAsk
    if (ask === null) return
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_WITHIN_MS)))
    await Promise.race([this.#tell(ask), timeout])
    clearTimeout(timer)
  }

  async #read(): Promise<void> {
    this.#isReading = true
    let answered: Ask | null = null
    while (this.#lastAsk !== null && this.#lastAsk !== answered) {
      answered = this.#lastAsk
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      await this.#tell(answered)
    }
    this.#isReading = false
  }

  async #tell({ id, defaults }: Ask): Promise<void> {
    this.#send({ type: 'appMetrics', id, ...(await this.#registries.read(defaults)) })
  }
}
