// Compares one body with what is expected of it, piece by piece as it comes.

import type { Expectation } from './options.ts'
import { isPatternAt } from './pattern.ts'

const SHOWN_BYTES = 60

export class BodyCheck {
  readonly #expected: Expectation
  readonly #text: Buffer | null
  #offset = 0
  #wrongAt: number | null = null
  #shown = ''

  constructor(expected: Expectation) {
    this.#expected = expected
    this.#text = expected !== 'anything' && 'text' in expected ? Buffer.from(expected.text) : null
  }

  add(chunk: Buffer): void {
    if (this.#wrongAt === null && !this.#isRight(chunk)) this.#wrongAt = this.#offset
    if (this.#shown.length < SHOWN_BYTES) this.#shown += chunk.toString('latin1', 0, SHOWN_BYTES)
    this.#offset += chunk.length
  }

  /** What is wrong with the whole body; null when nothing is. */
  verdict(): string | null {
    if (this.#expected === 'anything') return null
    const length = this.#text === null ? lengthOf(this.#expected) : this.#text.length
    if (this.#wrongAt === null && this.#offset === length) return null
    const where = this.#wrongAt === null ? '' : `, other bytes from ${this.#wrongAt} on`
    return `${this.#offset} of ${length} bytes${where}: ${JSON.stringify(this.#shown.slice(0, SHOWN_BYTES))}`
  }

  #isRight(chunk: Buffer): boolean {
    if (this.#expected === 'anything') return true
    if (this.#text === null) return isPatternAt(chunk, this.#offset)
    const end = this.#offset + chunk.length
    return end <= this.#text.length && this.#text.compare(chunk, 0, chunk.length, this.#offset, end) === 0
  }
}

function lengthOf(expected: Expectation): number {
  return expected !== 'anything' && 'patternBytes' in expected ? expected.patternBytes : 0
}
