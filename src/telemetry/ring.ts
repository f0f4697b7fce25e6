// The latest items of something that goes on for ever, and whoever follows it. Bounded by count and by bytes.

import type { Feed } from '../supervisor/operations.ts'

export interface RingLimits<Item> {
  readonly items: number
  /** @default no limit */
  readonly bytes?: number
  /** About how much memory an item takes; needed with `bytes`. */
  readonly sizeOf?: (item: Item) => number
}

export interface FeedQuery<Item> {
  /** How many of the latest items that match. @default all */
  readonly last?: number
  readonly matches?: (item: Item) => boolean
}

type Listener<Item> = (item: Item) => void

interface Kept<Item> {
  readonly item: Item
  readonly bytes: number
}

export class Ring<Item> {
  readonly #limits: RingLimits<Item>
  /** In order; the places before `#head` are empty. */
  #kept: (Kept<Item> | undefined)[] = []
  #head = 0
  #bytes = 0
  /** How many items there have ever been. */
  #count = 0
  readonly #listeners = new Set<Listener<Item>>()

  constructor(limits: RingLimits<Item>) {
    this.#limits = limits
  }

  get length(): number {
    return this.#kept.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Undefined when there is nothing. */
  get oldest(): Item | undefined {
    return this.#kept[this.#head]?.item
  }

  push(item: Item): void {
    const bytes = this.#limits.sizeOf?.(item) ?? 0
    this.#kept.push({ item, bytes })
    this.#bytes += bytes
    this.#count += 1
    while (this.#isTooMuch()) this.#dropOldest()
    for (const listener of this.#listeners) this.#tell(listener, item)
  }

  /** The latest items that match, oldest first. */
  recent(query: FeedQuery<Item> = {}): Item[] {
    const { last = Infinity, matches } = query
    const found: Item[] = []
    for (let at = this.#kept.length - 1; found.length < last; at -= 1) {
      const kept = this.#kept[at]
      if (kept === undefined) break
      if (matches === undefined || matches(kept.item)) found.push(kept.item)
    }
    return found.toReversed()
  }

  /** What has been, and what comes from now on, also when it is followed only later. */
  feed(query: FeedQuery<Item> = {}): Feed<Item> {
    const seen = this.#count
    return { recent: this.recent(query), follow: (listener) => this.#follow(listener, seen, query.matches) }
  }

  #follow(listener: Listener<Item>, seen: number, matches: ((item: Item) => boolean) | undefined): () => void {
    const listen: Listener<Item> = (item) => {
      if (matches === undefined || matches(item)) listener(item)
    }
    const missed = this.recent({ last: this.#count - seen })
    this.#listeners.add(listen)
    for (const item of missed) {
      if (this.#listeners.has(listen)) this.#tell(listen, item)
    }
    return () => {
      this.#listeners.delete(listen)
    }
  }

  /** A follower that throws is a broken follower: it must not harm what it follows, nor be asked again. */
  #tell(listener: Listener<Item>, item: Item): void {
    try {
      listener(item)
    } catch {
      this.#listeners.delete(listener)
    }
  }

  /** The newest item stays, however large it is. */
  #isTooMuch(): boolean {
    return this.length > this.#limits.items || (this.length > 1 && this.#bytes > (this.#limits.bytes ?? Infinity))
  }

  #dropOldest(): void {
    this.#bytes -= this.#kept[this.#head]?.bytes ?? 0
    this.#kept[this.#head] = undefined
    this.#head += 1
    if (this.#head < 64 || this.#head * 2 < this.#kept.length) return
    this.#kept = this.#kept.slice(this.#head)
    this.#head = 0
  }
}
