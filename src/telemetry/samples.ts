// CPU and memory of the workers: one timer and one reading for all of them.

import pidusage from 'pidusage'
import { KernelKills } from './kernel-kills.ts'

export interface Sample {
  /** Of one CPU, since the sample before; null at the first one. */
  readonly cpuPercent: number | null
  readonly rssBytes: number
  /** CPU time of its whole life, user and system. */
  readonly cpuSeconds: number
}

export interface SamplesOptions {
  /** The processes there are now; asked before each reading. */
  readonly pids: () => readonly number[]
  /** @default 5000 */
  readonly everyMs?: number
  /** Sees each reading. */
  readonly onTaken?: (samples: ReadonlyMap<number, Sample>) => void
}

const DEFAULT_EVERY_MS = 5000
const FRESH_MS = 1000

export class Samples {
  readonly kernelKills = new KernelKills(performance.now())
  readonly #options: SamplesOptions
  readonly #everyMs: number
  #latest: ReadonlyMap<number, Sample> = new Map()
  #takenAt = -Infinity
  #reading: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(options: SamplesOptions) {
    this.#options = options
    this.#everyMs = options.everyMs ?? DEFAULT_EVERY_MS
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#read(), this.#everyMs)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** The last one; null before the first. */
  of(pid: number): Sample | null {
    return this.#latest.get(pid) ?? null
  }

  /** Reads anew unless that was done within the last second. Never rejects. */
  async fresh(): Promise<ReadonlyMap<number, Sample>> {
    if (this.#reading !== null || performance.now() - this.#takenAt > FRESH_MS) await this.#read()
    return this.#latest
  }

  #read(): Promise<void> {
    this.#reading ??= this.#take().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #take(): Promise<void> {
    const before = this.#latest
    const usage = await readUsage([...this.#options.pids()], this.#everyMs * 3)
    const samples = new Map<number, Sample>()
    for (const [pid, { cpu, memory, ctime }] of usage) {
      // pidusage compares with its reading before, so the first figure of a process says nothing.
      samples.set(pid, { cpuPercent: before.has(pid) ? cpu : null, rssBytes: memory, cpuSeconds: ctime / 1000 })
    }
    this.#latest = samples
    this.#takenAt = performance.now()
    this.kernelKills.look(this.#takenAt)
    this.#options.onTaken?.(samples)
  }
}

interface Usage {
  readonly cpu: number
  readonly memory: number
  /** Milliseconds. */
  readonly ctime: number
}

/**
 * Processes that are gone are left out. pidusage keeps a descriptor of each process's /proc file open until `maxage`
 * after the last reading; `pidusage.clear()` would forget these descriptors without closing them.
 */
async function readUsage(pids: number[], maxage: number): Promise<[number, Usage][]> {
  if (pids.length === 0) return []
  try {
    const usage: Readonly<Record<string, Usage | null | undefined>> = await pidusage(pids, {
      maxage,
      usePs: false,
    })
    return pids.flatMap((pid) => {
      const found = usage[pid]
      return found ? [[pid, found]] : []
    })
  } catch {
    // With a single process, its end is an error; with several it is an empty place.
    return []
  }
}
