// The one place where lines leave the supervisor. Writing never blocks the loop: what the reader cannot take yet waits
// in bounded memory, beyond that whole lines are dropped and counted, and one line says how many when it flows again.

import { NEWLINE_BYTE, type Outlet } from './outlet.ts'

export interface SinkOptions {
  readonly outlet: Outlet
  /** Makes the outlet anew, for `reopen()`; left out, `reopen()` does nothing. */
  readonly openAgain?: () => Outlet
  /** @default 16 MiB */
  readonly maxWaitingBytes?: number
  /** The line, with its newline, that says how many lines were dropped. */
  readonly dropNotice?: (lines: number) => string
}

export interface SinkState {
  readonly waitingBytes: number
  /** Since the beginning. */
  readonly droppedLines: number
  /** Error code while nothing can be written, such as EPIPE: the reader is gone. */
  readonly broken: string | null
}

/** Encoded lines that wait together: a string each would take a multiple of their bytes. */
interface Block {
  readonly bytes: Buffer
  used: number
  /** Notices among the lines, and how many dropped lines they tell of. */
  notices: number
  told: number
}

interface Reopening {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** Kept free of workers' lines, so that the supervisor's own are not lost in a flood. */
const RESERVE_BYTES = 1024 * 1024
const FIRST_BLOCK_BYTES = 4 * 1024
const BLOCK_BYTES = 128 * 1024
const FIRST_RETRY_MS = 1
const LAST_RETRY_MS = 100
/** A reader that is gone may come back (a FIFO with a name, a disk with room again). */
const BROKEN_RETRY_MS = 1000

export class Sink {
  #outlet: Outlet
  readonly #options: SinkOptions
  readonly #maxWaitingBytes: number
  #queue: Block[] = []
  /** Bytes taken so far, and how many of them were written or given up. */
  #taken = 0
  #done = 0
  /** What is being written, from `#offset` on. */
  #current: Block | null = null
  #offset = 0
  #isWriting = false
  #retryMs = FIRST_RETRY_MS
  #isDropping = false
  /** Dropped lines that no notice has told of yet. */
  #untold = 0
  #droppedLines = 0
  #broken: string | null = null
  #brokenUntil = 0
  /** A write broke off within a line. */
  #isMidLine = false
  #reopening: Reopening[] = []
  readonly #flushing = new Set<{ readonly upTo: number; readonly finish: () => void }>()

  constructor(options: SinkOptions) {
    this.#options = options
    this.#outlet = options.outlet
    this.#maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES
  }

  get state(): SinkState {
    return { waitingBytes: this.#waitingBytes(), droppedLines: this.#droppedLines, broken: this.#broken }
  }

  /** Takes whole lines, each with its newline. `own` lines are the supervisor's and have room of their own. */
  write(text: string, own = false): void {
    const bytes = Buffer.byteLength(text)
    if (!this.#hasRoomFor(bytes, own)) return this.#countDropped(linesIn(text))
    if (this.#untold > 0) this.#tellDropped()
    this.#enqueue(text, bytes)
    this.#beginWriting()
  }

  /** Resolves to true when all that waits now is written, to false at the deadline or when the reader is gone. */
  flush(deadlineMs: number): Promise<boolean> {
    if (this.#untold > 0 && this.#broken === null) {
      this.#tellDropped()
      this.#beginWriting()
    }
    return new Promise((resolve) => {
      const upTo = this.#taken
      const finish = () => {
        clearTimeout(timer)
        this.#flushing.delete(flushing)
        resolve(this.#done >= upTo && this.#broken === null)
      }
      const flushing = { upTo, finish }
      const timer = setTimeout(finish, deadlineMs)
      this.#flushing.add(flushing)
      this.#finishFlushes()
    })
  }

  /** Opens the file by its name again, after whatever is being written: a rotation has moved it. */
  reopen(): Promise<void> {
    if (this.#options.openAgain === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#reopening.push({ resolve, reject })
      if (!this.#isWriting) this.#swapOutlet()
    })
  }

  #waitingBytes(): number {
    return this.#taken - this.#done
  }

  /** Once lines are dropped, room is made first: otherwise notices would alternate with single lines. */
  #hasRoomFor(bytes: number, own: boolean): boolean {
    if (this.#broken !== null && performance.now() < this.#brokenUntil) return false
    const waiting = this.#waitingBytes()
    if (own) return waiting + bytes <= this.#maxWaitingBytes + RESERVE_BYTES
    if (this.#isDropping && waiting > this.#maxWaitingBytes / 2) return false
    this.#isDropping = waiting + bytes > this.#maxWaitingBytes
    return !this.#isDropping
  }

  #countDropped(lines: number): void {
    this.#untold += lines
    this.#droppedLines += lines
  }

  #tellDropped(): void {
    const text = this.#options.dropNotice?.(this.#untold) ?? plainDropNotice(this.#untold)
    const block = this.#enqueue(text, Buffer.byteLength(text))
    block.notices += 1
    block.told += this.#untold
    this.#untold = 0
  }

  #enqueue(text: string, bytes: number): Block {
    let block = this.#queue.at(-1)
    if (block === undefined || block.used + bytes > block.bytes.length) {
      const room = Math.max(bytes, block === undefined ? FIRST_BLOCK_BYTES : BLOCK_BYTES)
      block = { bytes: Buffer.allocUnsafeSlow(room), used: 0, notices: 0, told: 0 }
      this.#queue.push(block)
    }
    block.bytes.write(text, block.used)
    block.used += bytes
    this.#taken += bytes
    return block
  }

  #beginWriting(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    // The lines of one chunk come in one turn: write them together.
    queueMicrotask(() => this.#writeOn())
  }

  /** Writes until the outlet says later; a loop, because an outlet that answers at once would nest without end. */
  #writeOn(): void {
    while (this.#writeBlock()) continue
  }

  /** True when the outlet answered at once and takes more. */
  #writeBlock(): boolean {
    if (this.#current === null) this.#takeNext()
    const block = this.#current
    if (block === null) {
      this.#isWriting = false
      return false
    }
    let isAtOnce = true
    let goesOn = false
    this.#outlet.write(block.bytes.subarray(this.#offset, block.used), (error, written) => {
      goesOn = this.#hearWritten(block, error, written)
      if (goesOn && !isAtOnce) this.#writeOn()
    })
    isAtOnce = false
    return goesOn
  }

  /** True when more can be written now. */
  #hearWritten(block: Block, error: string | null, written: number): boolean {
    this.#offset += written
    this.#done += written
    if (error === 'EAGAIN') {
      setTimeout(() => this.#writeOn(), this.#retryMs)
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      return false
    }
    if (error !== null) {
      this.#breakOff(error, block)
      return false
    }
    this.#broken = null
    this.#retryMs = FIRST_RETRY_MS
    if (this.#offset >= block.used) this.#current = null
    this.#finishFlushes()
    return true
  }

  #takeNext(): void {
    this.#swapOutlet()
    if (this.#queue.length === 0 && this.#untold > 0 && this.#broken === null) this.#tellDropped()
    if (this.#isMidLine && this.#queue.length > 0) {
      this.#queue.unshift({ bytes: Buffer.from('\n'), used: 1, notices: 0, told: 0 })
      this.#taken += 1
      this.#isMidLine = false
    }
    this.#current = this.#queue.shift() ?? null
    this.#offset = 0
  }

  /** Nothing can be written now: what waits is dropped, and the first line after a while tries again. */
  #breakOff(code: string, block: Block): void {
    this.#broken = code
    this.#brokenUntil = performance.now() + BROKEN_RETRY_MS
    this.#isMidLine = this.#offset > 0 && block.bytes[this.#offset - 1] !== NEWLINE_BYTE
    for (const lost of [block, ...this.#queue]) {
      const text = lost.bytes.toString('latin1', lost === block ? this.#offset : 0, lost.used)
      this.#countDropped(linesIn(text) - lost.notices)
      this.#untold += lost.told
    }
    this.#current = null
    this.#queue = []
    this.#done = this.#taken
    this.#isWriting = false
    this.#swapOutlet()
    this.#finishFlushes()
  }

  #finishFlushes(): void {
    for (const { upTo, finish } of this.#flushing) if (this.#done >= upTo) finish()
  }

  #swapOutlet(): void {
    const waiting = this.#reopening.splice(0)
    if (waiting.length === 0) return
    try {
      const outlet = this.#options.openAgain?.()
      if (outlet !== undefined) {
        this.#outlet.close()
        this.#outlet = outlet
        this.#brokenUntil = 0
        this.#isMidLine = false
      }
      for (const { resolve } of waiting) resolve()
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}

function linesIn(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}

function plainDropNotice(lines: number): string {
  return `${lines} log lines were dropped: their reader was too slow or is gone\n`
}
