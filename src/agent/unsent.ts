// What was said while no supervisor was there to hear it, until the next one is; the oldest is dropped first. It is kept
// as text: the sender may change its object meanwhile, and what cannot be said must fail where it is said.

import type { WorkerMessage } from '../protocol/messages.ts'

const MAX_MESSAGES = 1_000
/** All of it is sent at once, and a channel with twice as much unread ends. */
const MAX_BYTES = 8 * 1024 * 1024

export class Unsent {
  readonly #texts: string[] = []
  #bytes = 0

  /** Throws what `JSON.stringify` throws. */
  add(message: WorkerMessage): void {
    const text = JSON.stringify(message)
    this.#texts.push(text)
    this.#bytes += Buffer.byteLength(text)
    while (this.#texts.length > MAX_MESSAGES || this.#bytes > MAX_BYTES) {
      this.#bytes -= Buffer.byteLength(this.#texts.shift() ?? '')
    }
  }

  takeAll(): readonly WorkerMessage[] {
    this.#bytes = 0
    // These texts are our own.
    return this.#texts.splice(0).map((text): WorkerMessage => JSON.parse(text))
  }
}
