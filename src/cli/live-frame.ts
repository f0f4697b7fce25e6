// Lines at the bottom of a terminal that are redrawn in place, at most ten times a second. Owns the cursor meanwhile.

import type { WriteStream } from 'node:tty'
import { isDeepStrictEqual } from 'node:util'
import type { FrameSize } from './progress.ts'
import { textWidth } from './text-width.ts'

const REDRAW_MS = 100
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'

export class LiveFrame {
  readonly #terminal: WriteStream
  readonly #render: (size: FrameSize) => readonly string[]
  readonly #timer: NodeJS.Timeout
  #drawn: readonly string[] = []
  #columns = 0
  readonly #showCursor = () => this.#terminal.write(SHOW_CURSOR)

  constructor(terminal: WriteStream, render: (size: FrameSize) => readonly string[]) {
    this.#terminal = terminal
    this.#render = render
    terminal.write(HIDE_CURSOR)
    process.once('exit', this.#showCursor)
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS)
  }

  /** Draws the last state, which stays. */
  end(): void {
    clearInterval(this.#timer)
    this.#draw()
    process.removeListener('exit', this.#showCursor)
    this.#showCursor()
  }

  #draw(): void {
    // A terminal whose size is unknown says 0.
    const columns = this.#terminal.columns || 80
    const rows = this.#terminal.rows || 24
    const lines = this.#render({ columns, rows })
    if (columns === this.#columns && isDeepStrictEqual(lines, this.#drawn)) return
    // Counted anew at each draw: a terminal that became narrower has wrapped what stood there.
    const height = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0)
    const erase = height === 0 ? '' : `\u001b[${Math.min(height, rows - 1)}A\r\u001b[J`
    // One write a frame, so that a terminal never shows half of one.
    this.#terminal.write(`${erase}${lines.map((line) => `${line}\n`).join('')}`)
    this.#drawn = lines
    this.#columns = columns
  }
}
