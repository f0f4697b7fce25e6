// Sums of the last minutes: what is counted falls into the minute in which it is counted, and is forgotten when that is too
// old. All sums have the same fields.

export type Sums = Readonly<Record<string, number>>

interface Minute<Fields extends string> {
  readonly minute: number
  readonly sums: Record<Fields, number>
}

const MINUTE_MS = 60_000

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
    const minute = Math.floor(nowMs / MINUTE_MS)
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
    const oldest = Math.floor(nowMs / MINUTE_MS) - minutes
    const sums = this.#none()
    for (let at = this.#minutes.length - 1; at >= 0; at--) {
      const one = this.#minutes[at]
      if (one === undefined || one.minute <= oldest) break
      for (const field of this.#fields) sums[field] += one.sums[field]
    }
    return sums
  }

  #forget(minute: number): void {
    const first = this.#minutes.findIndex((one) => one.minute > minute - this.#keep)
    if (first > 0) this.#minutes = this.#minutes.slice(first)
  }

  #none(): Record<Fields, number> {
    // Every field gets its number here.
    return Object.fromEntries(this.#fields.map((field) => [field, 0])) as Record<Fields, number>
  }
}
