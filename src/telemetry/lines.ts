// Bytes in, whole lines out: what a worker writes comes in chunks that end anywhere, also inside a character.

/** A line longer than this is passed on in pieces, so that no worker can make the supervisor hold it all. */
export const LONGEST_LINE_BYTES = 256 * 1024

/** `continues`: the line is not over, its next piece comes with the next call. */
export type TakeLine = (text: string, continues: boolean) => void

const NEWLINE = 10
const CARRIAGE_RETURN = 13

/**
 * Splits bytes at `\n` and `\r\n`. Bytes are decoded line by line, never chunk by chunk: no byte of a multi-byte
 * character is a newline, so none is cut, and no kept line holds the memory of its whole chunk.
 */
export class LineSplitter {
  readonly #take: TakeLine
  /** The beginning of a line whose end has not come yet: the first `#heldBytes` bytes of `#held`. */
  #held = Buffer.alloc(0)
  #heldBytes = 0

  constructor(take: TakeLine) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#endLine(chunk, from, at)
      from = at + 1
    }
    if (from < chunk.length) this.#hold(chunk, from, chunk.length)
  }

  /** Takes out the beginning of a line whose end has not come. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.#held.subarray(0, this.#heldBytes))
    this.#heldBytes = 0
    return rest
  }

  /** No more bytes come: what is left is a line without a newline. */
  end(): void {
    if (this.#heldBytes > 0) this.#endLine(Buffer.alloc(0), 0, 0)
  }

  #endLine(chunk: Buffer, from: number, to: number): void {
    if (this.#heldBytes === 0 && to - from <= LONGEST_LINE_BYTES) return this.#takeWhole(chunk, from, to)
    this.#hold(chunk, from, to)
    const bytes = this.#heldBytes
    this.#heldBytes = 0
    this.#takeWhole(this.#held, 0, bytes)
    if (this.#held.length > 4096) this.#held = Buffer.alloc(0)
  }

  #takeWhole(bytes: Buffer, from: number, to: number): void {
    const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to
    this.#take(bytes.toString('utf8', from, end), false)
  }

  /** Keeps bytes of an unfinished line; what would be too long to keep leaves as pieces. */
  #hold(chunk: Buffer, from: number, to: number): void {
    let at = from
    while (at < to) {
      const count = Math.min(to - at, LONGEST_LINE_BYTES - this.#heldBytes)
      this.#makeRoom(this.#heldBytes + count)
      chunk.copy(this.#held, this.#heldBytes, at, at + count)
      this.#heldBytes += count
      at += count
      if (this.#heldBytes === LONGEST_LINE_BYTES && at < to) this.#passPiece()
    }
  }

  #passPiece(): void {
    const end = characterBorder(this.#held, this.#heldBytes)
    this.#take(this.#held.toString('utf8', 0, end), true)
    this.#held.copyWithin(0, end, this.#heldBytes)
    this.#heldBytes -= end
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#held.length) return
    const larger = Buffer.alloc(Math.min(Math.max(bytes, this.#held.length * 2, 256), LONGEST_LINE_BYTES))
    this.#held.copy(larger, 0, 0, this.#heldBytes)
    this.#held = larger
  }
}

/** The last place at or before `end` where no character is cut; `end` itself where the bytes are no UTF-8. */
function characterBorder(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 4 && back < end; back += 1) {
    const byte = bytes[end - back]!
    if ((byte & 0b1100_0000) === 0b1000_0000) continue
    return sequenceBytes(byte) > back ? end - back : end
  }
  return end
}

/** How many bytes a character has that begins with this one. */
function sequenceBytes(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}
