// How many CPUs this process may use. Node knows the affinity of the process and the limits of control groups of the present
// kind (measured on 22, 24 and 26, limits of outer groups too); those of the older kind it does not find everywhere.

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { groupsAround, numberIn, textOf } from './kernel-files.ts'

/** What `max` workers are: whole CPUs, at least one. */
export function availableCpus(limit = cpuLimit()): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(limit ?? Infinity)))
}

/** Of one CPU, the least that a control group around allows; null is no limit. `root` stands before /proc and /sys. */
export function cpuLimit(root = '/', pid: number | 'self' = 'self'): number | null {
  const { version, directories } = groupsAround('cpu', root, pid)
  const shares = directories.map((directory) => (version === 2 ? shareIn(directory) : olderShareIn(directory)))
  const limits = shares.filter((share) => share > 0)
  return limits.length === 0 ? null : Math.min(...limits)
}

/** `max 100000`, or microseconds of CPU time in so many of time. */
function shareIn(directory: string): number {
  const [quota, period] = textOf(join(directory, 'cpu.max')).split(' ').map(Number)
  return (quota ?? Number.NaN) / (period ?? Number.NaN)
}

/** -1 is no limit. */
function olderShareIn(directory: string): number {
  return numberIn(join(directory, 'cpu.cfs_quota_us')) / numberIn(join(directory, 'cpu.cfs_period_us'))
}
