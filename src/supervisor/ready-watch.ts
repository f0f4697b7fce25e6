// When is a worker ready? Four ways to tell, one of them in force (`ready` in the configuration).

import type { ReadyMode } from '../config/app-config.ts'
import type { WorkerMessage } from '../protocol/messages.ts'
import type { Clock } from './clock.ts'
import { askCommand } from './command-place.ts'
import { ask } from './private-endpoint.ts'
import type { WorkerHandle } from './worker-handle.ts'

const ASK_EVERY_MS = 100
const ASK_WITHIN_MS = 2000

export class ReadyWatch {
  /** What it waits for, in words. */
  waitsFor: string
  readonly #worker: WorkerHandle
  readonly #mode: ReadyMode
  readonly #clock: Clock
  #isAsking = false

  constructor(worker: WorkerHandle, clock: Clock) {
    this.#worker = worker
    this.#mode = worker.generation.config.ready
    this.#clock = clock
    this.waitsFor = describe(this.#mode)
    if (!worker.hasAgent) this.#listens()
    if (this.#mode.by === 'time') clock.wakeAt(worker.startedAt + this.#mode.afterMs, () => this.#ready())
  }

  hear(message: WorkerMessage): void {
    const { by } = this.#mode
    if (message.type === 'hello') {
      if (message.listeners.length > 0) this.#listens()
      if (by === 'message' && message.saidReady) this.#ready()
    } else if (message.type === 'allListening') this.#listens()
    else if (message.type === 'message' && by === 'message' && message.body === 'ready') this.#ready()
  }

  #listens(): void {
    if (this.#mode.by === 'listen') this.#ready()
    if (this.#mode.by === 'http' && !this.#isAsking) {
      this.#isAsking = true
      void this.#askUntilReady(this.#mode.path)
    }
  }

  async #askUntilReady(path: string): Promise<void> {
    while (this.#worker.state === 'starting') {
      const answer = await this.#ask(path)
      // It may have ended meanwhile, and another process have answered.
      if (answer?.problem === null && this.#worker.state === 'starting') return this.#ready()
      this.waitsFor = `${path}, which ${answer?.problem ?? 'has no private endpoint yet'}`
      await new Promise<void>((resolve) => this.#clock.wakeAt(this.#clock.now() + ASK_EVERY_MS, resolve))
    }
  }

  async #ask(path: string): Promise<{ readonly problem: string | null } | null> {
    if (!this.#worker.hasAgent) return askCommand(this.#worker.generation.config, path, ASK_WITHIN_MS)
    const endpoint = this.#worker.endpoint
    return endpoint === null ? null : ask(endpoint, path, ASK_WITHIN_MS)
  }

  #ready(): void {
    this.#worker.handle('becameReady')
  }
}

function describe(mode: ReadyMode): string {
  switch (mode.by) {
    case 'listen':
      return 'server.listen()'
    case 'message':
      return "process.send('ready')"
    case 'http':
      return mode.path
    case 'time':
      return `${mode.afterMs} ms of life`
  }
}
