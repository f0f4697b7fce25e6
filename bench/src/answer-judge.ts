// Which release may answer a request, by when it was sent and answered and by when the traffic was switched.
//
// Rules
// 1. Between the moment at which a switch was asked for and the one at which it was said to be done, either may answer.
// 2. A request that is sent after that is the new release's, unless the next switch is asked for before it is answered: nobody
//    outside knows when in between it was handled.
// 3. An answer is judged once it is known what was asked for until it came.

/** Times are milliseconds of the monotonic clock. */
export interface Switch {
  readonly askedAt: number
  readonly doneAt: number
  readonly to: string
}

export interface Answer {
  readonly sentAt: number
  readonly answeredAt: number
  readonly release: string
}

export interface Verdict {
  /** Answers that only one release could give. */
  readonly judged: number
  /** Those of them that another one gave. */
  readonly wrong: number
  /** The first few of these: how long after the switch was said to be done the request was sent. */
  readonly firstWrongMs: readonly number[]
  /** For each switch: how long after it was asked for the last request was sent that the other release still answered. */
  readonly settledMs: readonly number[]
}

const FIRST_WRONG = 10

export class AnswerJudge {
  readonly #switches: Switch[]
  readonly #settledMs: number[] = []
  readonly #firstWrongMs: number[] = []
  #waiting: Answer[] = []
  #knownUntil = Number.NEGATIVE_INFINITY
  #wrong = 0
  #judged = 0

  /** `first` is the release that has the traffic before any switch. */
  constructor(first: string) {
    this.#switches = [{ askedAt: Number.NEGATIVE_INFINITY, doneAt: Number.NEGATIVE_INFINITY, to: first }]
  }

  answered(answer: Answer): void {
    if (answer.answeredAt <= this.#knownUntil) this.#judge(answer)
    else this.#waiting.push(answer)
  }

  switched(next: Switch): void {
    this.#switches.push(next)
    this.#knowUntil(next.doneAt)
  }

  /** No switch is asked for any more. */
  close(): Verdict {
    this.#knowUntil(Number.POSITIVE_INFINITY)
    const settledMs = this.#switches.slice(1).map((_, at) => this.#settledMs[at + 1] ?? 0)
    return { judged: this.#judged, wrong: this.#wrong, firstWrongMs: this.#firstWrongMs, settledMs }
  }

  #knowUntil(time: number): void {
    this.#knownUntil = time
    const waiting = this.#waiting
    this.#waiting = []
    for (const answer of waiting) this.answered(answer)
  }

  #judge({ sentAt, answeredAt, release }: Answer): void {
    const at = this.#switches.findLastIndex(({ askedAt }) => askedAt <= sentAt)
    const latest = this.#switches[at]
    if (latest === undefined || (this.#switches[at + 1]?.askedAt ?? Number.POSITIVE_INFINITY) <= answeredAt) return
    const isRight = release === latest.to
    if (!isRight) this.#settledMs[at] = Math.max(this.#settledMs[at] ?? 0, sentAt - latest.askedAt)
    if (sentAt <= latest.doneAt) return
    this.#judged++
    if (isRight) return
    this.#wrong++
    if (this.#firstWrongMs.length < FIRST_WRONG) this.#firstWrongMs.push(sentAt - latest.doneAt)
  }
}
