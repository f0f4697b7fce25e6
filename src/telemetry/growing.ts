// Figures that processes tell of their whole life, such as CPU time: what has been added since each told it last goes into
// counters that outlive the process.

import type { Counters, Labels } from './counters.ts'

export type SavedGrowing = Readonly<Record<string, Readonly<Record<string, number>>>>

export class Growing {
  readonly #counters: Counters
  readonly #told = new Map<string, Record<string, number>>()

  constructor(counters: Counters) {
    this.#counters = counters
  }

  /** `value` is of the whole life of the process `whose`. A smaller one than before adds nothing. */
  tell(name: string, labels: Labels, whose: string, value: number): void {
    let told = this.#told.get(whose)
    if (told === undefined) this.#told.set(whose, (told = {}))
    // A count that begins at 0 shows its first growth, too; and one that stands still is still told of.
    this.#counters.add(name, labels, 0)
    const before = told[name] ?? 0
    told[name] = before
    if (value <= before) return
    told[name] = value
    this.#counters.add(name, labels, value - before)
  }

  /** The same of several together that come and go: what one has taken with it is not waited for. */
  tellTogether(name: string, labels: Labels, whose: string, value: number): void {
    const told = this.#told.get(whose)
    if (told !== undefined && value < (told[name] ?? 0)) told[name] = value
    this.tell(name, labels, whose, value)
  }

  forget(whose: string): void {
    this.#told.delete(whose)
  }

  /** Those that are not named have ended unseen: they tell nothing any more. */
  keepOnly(living: ReadonlySet<string>): void {
    for (const whose of this.#told.keys()) if (!living.has(whose)) this.#told.delete(whose)
  }

  save(): SavedGrowing {
    return Object.fromEntries(this.#told)
  }

  restore(saved: SavedGrowing): void {
    for (const [whose, told] of Object.entries(saved)) this.#told.set(whose, { ...told })
  }
}
