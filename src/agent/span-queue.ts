// Spans on their way to the collector: a span processor for OpenTelemetry's SDK, of whichever version the user has.
//
// Rules of this file
// 1. It never holds more than `MOST_QUEUED` spans and one batch under way; what is too much is dropped.
// 2. One batch at a time, and one that is not taken in time is given up: a collector that hangs costs its spans alone.
// 3. It keeps no process alive.

/** What is used of a span of the SDK. */
export interface ReadSpan {
  spanContext(): { readonly traceFlags: number }
}

/** Sends a batch; `done` hears why it could not, or null. */
export type Send<Span> = (spans: readonly Span[], done: (problem: string | null) => void) => void

const MOST_QUEUED = 2048
const MOST_AT_ONCE = 512
const WAIT_MS = 1000
/** Longer than an exporter takes that ends by itself. */
const GIVE_UP_MS = 5000
const SAMPLED = 1

export class SpanQueue<Span extends ReadSpan> {
  readonly #send: Send<Span>
  readonly #told: (problem: string | null) => void
  #spans: Span[] = []
  #timer: NodeJS.Timeout | null = null
  #underWay: Promise<void> | null = null

  /** `told` hears how each batch fared. */
  constructor(send: Send<Span>, told: (problem: string | null) => void) {
    this.#send = send
    this.#told = told
  }

  onStart(): void {}

  onEnd(span: Span): void {
    if ((span.spanContext().traceFlags & SAMPLED) === 0 || this.#spans.length >= MOST_QUEUED) return
    this.#spans.push(span)
    if (this.#underWay !== null) return
    if (this.#spans.length >= MOST_AT_ONCE) this.#sendBatch()
    else this.#timer ??= setTimeout(() => this.#sendBatch(), WAIT_MS).unref()
  }

  /** Resolves when all of it is sent, at the end of the time at the latest. Never rejects. */
  async flush(withinMs: number): Promise<void> {
    const time = { isOver: false }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        time.isOver = true
        resolve()
      }, withinMs)
    })
    while (!time.isOver && (this.#underWay !== null || this.#spans.length > 0)) {
      if (this.#underWay === null) this.#sendBatch()
      await Promise.race([late, this.#underWay])
    }
    clearTimeout(timer)
  }

  forceFlush(): Promise<void> {
    return this.flush(GIVE_UP_MS)
  }

  shutdown(): Promise<void> {
    return this.flush(GIVE_UP_MS)
  }

  #sendBatch(): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    const batch = this.#spans.splice(0, MOST_AT_ONCE)
    if (batch.length === 0) return
    this.#underWay = this.#attempt(batch).then((problem) => {
      this.#underWay = null
      this.#told(problem)
      // After the same wait as ever: a collector that is down is not asked without a pause.
      if (this.#spans.length > 0) this.#timer ??= setTimeout(() => this.#sendBatch(), WAIT_MS).unref()
    })
  }

  #attempt(batch: readonly Span[]): Promise<string | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`it did not answer within ${GIVE_UP_MS / 1000} s`), GIVE_UP_MS).unref()
      const done = (problem: string | null): void => {
        clearTimeout(timer)
        resolve(problem)
      }
      try {
        this.#send(batch, done)
      } catch (error) {
        done(error instanceof Error ? error.message : String(error))
      }
    })
  }
}
