// Whether the kernel's out-of-memory killer was at work a moment ago. It tells nobody whom it kills; it counts.

import { ownGroup, textOf } from '../config/kernel-files.ts'

/** A death shows in the counter a moment before it shows to us, so it is compared with a reading at least this old. */
const APART_MS = 3_000

interface Reading {
  readonly at: number
  readonly count: number | null
}

export class KernelKills {
  readonly #read: () => number | null
  #before: Reading
  #latest: Reading

  /** `now` is of a monotonic clock, here and below. */
  constructor(now: number, read = countKernelKills) {
    this.#read = read
    this.#latest = { at: now, count: read() }
    this.#before = this.#latest
  }

  /** Call it every few seconds. */
  look(now: number): void {
    if (now - this.#latest.at < APART_MS) return
    this.#before = this.#latest
    this.#latest = { at: now, count: this.#read() }
  }

  /** Null where the kernel does not say. */
  grewLately(): boolean | null {
    const { count: before } = this.#before
    const count = this.#read()
    return count === null || before === null ? null : count > before
  }
}

/** How many processes it has killed: of our control group where that counts, else of the whole machine. */
export function countKernelKills(): number | null {
  const group = ownGroup()
  const ofGroup = group === undefined ? null : counterIn(`/sys/fs/cgroup${group}/memory.events`)
  return ofGroup ?? counterIn('/proc/vmstat')
}

function counterIn(file: string): number | null {
  const found = /^oom_kill (\d+)$/m.exec(textOf(file))?.[1]
  return found === undefined ? null : Number(found)
}
