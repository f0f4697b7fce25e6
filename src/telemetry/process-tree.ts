// What the workers' own processes take, and what these have started: one reading of all of /proc, whatever the number of
// workers, since it costs some microseconds a process of the machine and holds nothing open. Systems without /proc do not
// say it.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseProcessStat, readProcessStat, type ProcessStat } from '../config/process-stat.ts'

export interface ProcessFacts {
  readonly parent: number
  /** CPU time, user and system. */
  readonly ownSeconds: number
  /** CPU time of children that have ended and were waited for, and of theirs. */
  readonly waitedSeconds: number
  readonly rssBytes: number
}

/** What a process has started, and what these have; itself is not among them. */
export interface Descent {
  readonly count: number
  readonly rssBytes: number
  /** CPU time of those that live, and of those that have ended. */
  readonly cpuSeconds: number
}

/** The kernel tells times in these, whatever its own: USER_HZ. */
const TICKS_A_SECOND = 100
const USUAL_PAGE_BYTES = 4096
/** In the auxiliary vector, what stands before the size of a page. */
const AT_PAGESZ = 6n
/** The loop is given back after so many. */
const AT_ONCE = 200

/** By pid; null where the system does not say. `root` stands before /proc. */
export async function readProcesses(root = '/'): Promise<ReadonlyMap<number, ProcessFacts> | null> {
  const directory = join(root, 'proc')
  const pids = pidsIn(directory)
  if (pids.length === 0) return null
  const pageBytes = pageSize(join(directory, 'self/auxv'))
  const found = new Map<number, ProcessFacts>()
  for (const [at, pid] of pids.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve))
    const facts = factsIn(readProcessStat(pid, root), pageBytes)
    if (facts !== null) found.set(pid, facts)
  }
  return found
}

/** Of each of `workers`. One worker's descent ends at another worker: nothing counts twice. */
export function descentsOf(
  workers: readonly number[],
  processes: ReadonlyMap<number, ProcessFacts>,
): ReadonlyMap<number, Descent> {
  const children = Map.groupBy(processes.keys(), (pid) => processes.get(pid)?.parent ?? 0)
  // A reading that is torn by pids used again must not go round for ever.
  const seen = new Set(workers)
  return new Map(
    workers.map((worker) => {
      const descent = { count: 0, rssBytes: 0, cpuSeconds: processes.get(worker)?.waitedSeconds ?? 0 }
      const left = [worker]
      for (let pid = left.pop(); pid !== undefined; pid = left.pop())
        for (const child of children.get(pid) ?? []) {
          const facts = processes.get(child)
          if (seen.has(child) || facts === undefined) continue
          seen.add(child)
          left.push(child)
          descent.count += 1
          descent.rssBytes += facts.rssBytes
          descent.cpuSeconds += facts.ownSeconds + facts.waitedSeconds
        }
      return [worker, descent]
    }),
  )
}

/** Of `/proc/<pid>/stat`; null where it is not one. */
export function parseStat(text: string, pageBytes: number): ProcessFacts | null {
  return factsIn(parseProcessStat(text), pageBytes)
}

function factsIn(stat: ProcessStat | null, pageBytes: number): ProcessFacts | null {
  if (stat === null) return null
  const number = (field: number): number => Number(stat.field(field))
  const rssBytes = number(24) * pageBytes
  if (Number.isNaN(rssBytes)) return null
  const ownSeconds = (number(14) + number(15)) / TICKS_A_SECOND
  return { parent: number(4), ownSeconds, waitedSeconds: (number(16) + number(17)) / TICKS_A_SECOND, rssBytes }
}

function pidsIn(directory: string): readonly number[] {
  try {
    return readdirSync(directory).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Not 4 kB on some ARM machines. Node itself does not say it. */
function pageSize(file: string): number {
  try {
    const pairs = readFileSync(file)
    for (let at = 0; at + 16 <= pairs.length; at += 16)
      if (pairs.readBigUInt64LE(at) === AT_PAGESZ) return Number(pairs.readBigUInt64LE(at + 8))
  } catch {}
  return USUAL_PAGE_BYTES
}
