// Lines in, records out: a stack trace, and any text whose further lines are indented, stays one record.
//
// Rules of this file
// 1. A line is held back only where more of its record may follow, and for `HOLD_MS` at most, whatever follows.
// 2. A record has at most `MAX_LINES` lines and `MAX_BYTES`; what is beyond begins another.
// 3. No line is lost, changed or moved before another. What might have belonged together and did not leaves line by line.

import { stripVTControlCharacters } from 'node:util'

/** How long a line may wait for the next one. Written at once, they come at once; a busy supervisor needs a little longer. */
export const HOLD_MS = 50
export const MAX_LINES = 200
export const MAX_BYTES = 64 * 1024
/** So many lines between an error's first line and its trace: messages have several lines, too. */
const MAX_DOUBTFUL = 30
const MAX_DOUBTFUL_BYTES = 2000

/** `time` is when the first line came; `continues` marks a piece of a line that is too long to be held. */
export type TakeRecord = (text: string, time: string, continues: boolean) => void

const TRACE = /^\s+at \S/
/** `Error: x`, `Uncaught TypeError: x`, `AssertionError [ERR_ASSERTION]: x` */
const ERROR_HEAD = /^(?:Uncaught )?[\w$.]*(?:Error|Exception)(?: \[\w+\])?(?::|$)/
/** Node says where an uncaught exception was thrown before it says what it is: place, code, `^`. */
const PLACE = /^(?:\/|file:|node:|data:|\[eval).*:\d+$/
const CARET = /^\s*\^+\s*$/
const CLOSER = /^[)\]}]+[,;]?$/
/** What the first of several lines looks like. */
const OPENER = /(?:Error|Exception|Warning|Trace)\b|[{[(:]$/

export class RecordJoiner {
  readonly #take: TakeRecord
  readonly #now: () => string
  #time = ''
  #lines: string[] = []
  /** Its first line, without colour. */
  #first = ''
  #bytes = 0
  /** Lines behind the record that belong to it if a trace, or Node's farewell, comes after them. */
  #doubtful: string[] = []
  #hasTrace = false
  #hasCaret = false
  #timer: NodeJS.Timeout | undefined

  constructor(take: TakeRecord, now: () => string = () => new Date().toISOString()) {
    this.#take = take
    this.#now = now
  }

  push(line: string, continues: boolean): void {
    if (continues) {
      this.flush()
      this.#take(line, this.#now(), true)
      return
    }
    const looks = withoutColour(line)
    if (this.#lines.length === 0) return this.#begin(line, looks)
    if (this.#belongs(looks)) return this.#add(line, looks)
    if (this.#mightBelong(looks)) {
      this.#doubtful.push(line)
      return
    }
    this.flush()
    this.#begin(line, looks)
  }

  /** Nothing more has come for now: what is surely whole leaves. */
  pause(): void {
    if (this.#lines.length === 0 || this.#timer !== undefined) return
    if (!this.#mayGoOn()) return this.flush()
    // The loop polls between timers and immediates: what has come meanwhile is read first.
    this.#timer = setTimeout(() => setImmediate(() => this.flush()), HOLD_MS)
  }

  /** Whatever is held leaves now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const [lines, doubtful, time] = [this.#lines, this.#doubtful, this.#time]
    this.#lines = []
    this.#doubtful = []
    if (lines.length > 0) this.#take(lines.length === 1 ? (lines[0] ?? '') : lines.join('\n'), time, false)
    for (const line of doubtful) this.#take(line, time, false)
  }

  #begin(line: string, looks: string): void {
    this.#first = looks
    this.#time = this.#now()
    this.#lines.push(line)
    this.#bytes = line.length
    this.#hasTrace = false
    this.#hasCaret = false
  }

  #belongs(line: string): boolean {
    if (this.#lines.length + this.#doubtful.length >= MAX_LINES || this.#bytes + line.length > MAX_BYTES) return false
    if (isWholeJson(this.#first)) return false
    if (this.#doubtful.length > 0 && this.#hasTrace) return line.startsWith('Node.js v')
    if (this.#doubtful.length > 0) return TRACE.test(line) || (this.#isPlace() && CARET.test(line))
    if (line.startsWith(' ') || line.startsWith('\t')) return true
    return this.#lines.length > 1 && CLOSER.test(line)
  }

  #mightBelong(line: string): boolean {
    const isTooMuch = this.#doubtful.length >= MAX_DOUBTFUL || line.length > MAX_DOUBTFUL_BYTES
    if (isTooMuch || isWholeJson(line)) return false
    if (this.#hasTrace) return line === '' && this.#doubtful.length === 0
    if (this.#hasCaret) return true
    // The line of code where it was thrown, as it stands in the file.
    if (this.#isPlace()) return this.#lines.length === 1 && this.#doubtful.length === 0
    return ERROR_HEAD.test(this.#first) && !ERROR_HEAD.test(line)
  }

  #add(line: string, looks: string): void {
    this.#lines.push(...this.#doubtful.splice(0), line)
    this.#bytes += line.length + 1
    if (TRACE.test(looks)) this.#hasTrace = true
    else if (CARET.test(looks) && this.#isPlace()) this.#hasCaret = true
  }

  #isPlace(): boolean {
    return PLACE.test(this.#first)
  }

  #mayGoOn(): boolean {
    const first = this.#first
    if (this.#lines.length > 1 || this.#doubtful.length > 0) return true
    return !isWholeJson(first) && (OPENER.test(first) || PLACE.test(first))
  }
}

/** Node greys the places of its own modules, indentation and all. */
function withoutColour(line: string): string {
  return line.includes('\u001B') ? stripVTControlCharacters(line) : line
}

function isWholeJson(line: string): boolean {
  return line.startsWith('{') && line.endsWith('}')
}
