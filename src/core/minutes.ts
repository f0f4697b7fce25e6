// Sums of the last minutes: what is counted falls into the minute in which it is counted, and is forgotten when that is too
// old. All sums have the same fields. A clock that goes back adds to the newest minute.

export type Sums = Readonly<Record<string, number>>

export interface Minute<Fields extends string> {
  readonly minute: number
  readonly sums: Record<Fields, number>
}

const MINUTE_MS = 60_000

/** The minute, since some beginning, that this time falls into. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS)
}

export class Minutes<Fields extends string> {
  readonly #fields: readonly Fields[]
  readonly #keep: number
  /** Oldest first; minutes in which nothing was counted are not there. */
  #minutes: Minute<Fields>[] = []

  constructor(fields: readonly Fields[], keepMinutes: number) {
    this.#fields = fields
    this.#keep = keepMinutes
  }

  add(counted: Readonly<Partial<Record<Fields, number>>>, nowMs: number): void {
    const minute = minuteOf(nowMs)
    let last = this.#minutes.at(-1)
    if (last === undefined || last.minute < minute) {
      last = { minute, sums: this.#none() }
      this.#minutes.push(last)
      this.#forget(minute)
    }
    for (const field of this.#fields) last.sums[field] += counted[field] ?? 0
  }

  /** Of so many minutes up to now; the one that is under way counts whole. */
  sum(minutes: number, nowMs: number): Record<Fields, number> {
    const oldest = minuteOf(nowMs) - minutes
    const sums = this.#none()
    for (let at = this.#minutes.length - 1; at >= 0; at--) {
      const one = this.#minutes[at]
      if (one === undefined || one.minute <= oldest) break
      for (const field of this.#fields) sums[field] += one.sums[field]
    }
    return sums
  }

  /** All that is kept, oldest first. */
  entries(): readonly Minute<Fields>[] {
    return this.#minutes
  }

  /** Takes what was counted earlier, by a process that has ended; before anything is added. */
  restore(entries: readonly Minute<Fields>[], nowMs: number): void {
    this.#minutes = entries.toSorted((a, b) => a.minute - b.minute)
    this.#forget(minuteOf(nowMs))
  }

  #forget(minute: number): void {
    if ((this.#minutes[0]?.minute ?? minute) > minute - this.#keep) return
    this.#minutes = this.#minutes.filter((one) => one.minute > minute - this.#keep)
  }

  #none(): Record<Fields, number> {
    // Every field gets its number here.
    return Object.fromEntries(this.#fields.map((field) => [field, 0])) as Record<Fields, number>
  }
}
