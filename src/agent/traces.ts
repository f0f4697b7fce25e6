// When this worker's spans begin and end: loaded with the app's first listen, sent out before a drained worker ends.

import type { TracingSettings, TracingState } from '../protocol/tracing.ts'
import { traceTo } from './request-trace.ts'
import type { Tracing } from './tracing.ts'

/** A collector that hangs holds up the end of a drain for no longer. */
const LONGEST_FLUSH_MS = 1000

export class Traces {
  readonly #settings: TracingSettings
  readonly #script = process.argv[1] ?? ''
  readonly #tell: (state: TracingState) => void
  #tracing: Promise<Tracing | null> | null = null
  /** Told again to whoever comes to hear it. */
  #state: TracingState | null = null

  constructor(settings: TracingSettings, tell: (state: TracingState) => void) {
    this.#settings = settings
    this.#tell = tell
  }

  /** Before the worker counts as ready, so that its first request has a span. */
  begin(): void {
    this.#tracing ??= this.#load()
  }

  tellAgain(): void {
    if (this.#state !== null) this.#tell(this.#state)
  }

  /** Sends what there is, within a second or the time that is left. */
  async flush(leftMs: number): Promise<void> {
    const tracing = await this.#tracing
    await tracing?.flush(Math.min(Math.max(leftMs, 0), LONGEST_FLUSH_MS)).catch(() => undefined)
  }

  async #load(): Promise<Tracing | null> {
    const told = (state: TracingState): void => {
      this.#state = state
      this.#tell(state)
    }
    try {
      const { beginTracing } = await import('./tracing.ts')
      const tracing = beginTracing(this.#settings, this.#script, told)
      traceTo(tracing?.take ?? null)
      return tracing
    } catch (error) {
      told({ spans: 'lost', problem: `it cannot be loaded: ${String(error)}` })
      return null
    }
  }
}
