// How full the process's descriptor table is. A worker that takes a connection without a descriptor for it can only
// close it, so it stops taking any while there is still room for what the app itself opens.

import { readdirSync, readFileSync, statSync } from 'node:fs'

const RECHECK_MS = 100

export interface Saturation {
  readonly descriptors: number
  readonly limit: number
}

export interface SaturationEvents {
  saturated(saturation: Saturation): void
  unsaturated(): void
}

export interface DescriptorLimits {
  readonly limit: number
  /** From this descriptor on, the worker takes no more connections. */
  readonly stopAt: number
  /** With so few in use it takes them again. */
  readonly resumeAt: number
}

/** Keeps 5 % free, at least 16, but never more than a quarter of a tiny table; half of that again before it resumes. */
export function limitsOf(limit: number): DescriptorLimits {
  const margin = Math.min(Math.max(16, Math.ceil(limit * 0.05)), Math.ceil(limit / 4))
  return { limit, stopAt: limit - margin, resumeAt: limit - Math.ceil(margin * 1.5) }
}

export class Descriptors {
  readonly #events: SaturationEvents
  #limits: DescriptorLimits | undefined
  #saturation: Saturation | null = null
  #recheck: NodeJS.Timeout | undefined

  constructor(events: SaturationEvents) {
    this.#events = events
  }

  /** What was found when the worker stopped taking connections; null while it takes them. */
  get saturation(): Saturation | null {
    return this.#saturation
  }

  /** The kernel gives the lowest free number, so a new connection's tells how many are in use at least. */
  accepted(fd: number): void {
    this.#limits ??= limitsOf(readSoftLimit())
    if (fd >= this.#limits.stopAt) this.#saturate(fd)
  }

  /** The kernel had none for a connection. */
  exhausted(): void {
    this.#limits ??= limitsOf(readSoftLimit())
    this.#saturate(this.#limits.limit)
  }

  #saturate(descriptors: number): void {
    if (this.#saturation !== null) return
    this.#saturation = { descriptors, limit: this.#limits?.limit ?? descriptors }
    this.#recheck = setInterval(() => this.#look(), RECHECK_MS).unref()
    this.#events.saturated(this.#saturation)
  }

  #look(): void {
    if (countDescriptors() > (this.#limits?.resumeAt ?? 0)) return
    clearInterval(this.#recheck)
    this.#saturation = null
    this.#events.unsaturated()
  }
}

/** Read late: Node raises the soft limit to the hard one while it starts. */
function readSoftLimit(): number {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return Number(line?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}

function countDescriptors(): number {
  try {
    // Since Linux 6.2 the folder's size is the count; before, it is 0.
    return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
