// CPU and memory of the workers and of what they have started: one timer and one reading for all of them.

import pidusage from 'pidusage'
import { KernelKills } from './kernel-kills.ts'
import { descentsOf, readProcesses, type Descent } from './process-tree.ts'

export interface Sample {
  /** Of one CPU, since the sample before, its children's too; null at the first one. */
  readonly cpuPercent: number | null
  /** Of the worker alone. */
  readonly rssBytes: number
  /** CPU time, user and system, of the worker's whole life and that of its children. It falls when a child leaves it. */
  readonly cpuSeconds: number
  /** What it has started, and what these have; null where the system does not say. */
  readonly children: { readonly count: number; readonly rssBytes: number } | null
}

/** Of the worker and its children. Pages that they share, such as those of the Node binary, count for each. */
export function wholeRssBytes({ rssBytes, children }: Sample): number {
  return rssBytes + (children?.rssBytes ?? 0)
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
    const pids = [...this.#options.pids()]
    const [usage, descents] = await Promise.all([readUsage(pids, this.#everyMs * 3), readDescents(pids)])
    const now = performance.now()
    const before = { samples: this.#latest, sinceMs: now - this.#takenAt }
    this.#latest = new Map(
      usage.map(([pid, one]) => [
        pid,
        sampleOf(one, descents?.get(pid) ?? null, before.samples.get(pid), before.sinceMs),
      ]),
    )
    this.#takenAt = now
    this.kernelKills.look(now)
    this.#options.onTaken?.(this.#latest)
  }
}

interface Usage {
  readonly cpu: number
  readonly memory: number
  /** Milliseconds. */
  readonly ctime: number
}

function sampleOf(usage: Usage, descent: Descent | null, before: Sample | undefined, sinceMs: number): Sample {
  const cpuSeconds = usage.ctime / 1000 + (descent?.cpuSeconds ?? 0)
  const children = descent === null ? null : { count: descent.count, rssBytes: descent.rssBytes }
  // pidusage compares with its reading before, so the first figure of a process says nothing.
  if (before === undefined) return { cpuPercent: null, rssBytes: usage.memory, cpuSeconds, children }
  // Also of children that came and went in between.
  const ofTree = Math.max(0, ((cpuSeconds - before.cpuSeconds) * 100_000) / sinceMs)
  return { cpuPercent: descent === null ? usage.cpu : ofTree, rssBytes: usage.memory, cpuSeconds, children }
}

async function readDescents(pids: readonly number[]): Promise<ReadonlyMap<number, Descent> | null> {
  const processes = pids.length === 0 ? null : await readProcesses()
  return processes === null ? null : descentsOf(pids, processes)
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
