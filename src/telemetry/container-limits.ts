// What the control groups around this process (a container, a systemd unit) allow to all that is in them.

import { join } from 'node:path'
import { cpuLimit } from '../config/cpu-limit.ts'
import { groupsAround, numberIn, textOf } from '../config/kernel-files.ts'
import type { LimitsStatus } from '../control/messages.ts'

export interface MemoryGroup {
  readonly limitBytes: number
  /** Without the cache that would give way. */
  readonly usedBytes: number
}

/** The older kind says "no limit" with the largest number of pages. */
const NO_LIMIT = 2 ** 60

/** `root` stands before /proc and /sys. */
export function containerLimits(root = '/', pid: number | 'self' = 'self'): LimitsStatus {
  const tightest = memoryGroups(root, pid).toSorted((a, b) => a.limitBytes - b.limitBytes)[0]
  const cpuCores = cpuLimit(root, pid)
  return {
    memoryBytes: tightest?.limitBytes ?? null,
    memoryUsedBytes: tightest?.usedBytes ?? null,
    cpuCores: cpuCores === null ? null : Math.round(cpuCores * 1000) / 1000,
  }
}

/** Those that have a limit, and say what they use. */
export function memoryGroups(root = '/', pid: number | 'self' = 'self'): readonly MemoryGroup[] {
  const { version, directories } = groupsAround('memory', root, pid)
  return directories
    .map((directory) => (version === 2 ? groupIn(directory) : olderGroupIn(directory)))
    .filter(({ limitBytes, usedBytes }) => limitBytes < NO_LIMIT && Number.isFinite(usedBytes))
}

/** For how long the groups around had nothing to run on since they were made, their CPU limit used up; null without a limit. */
export function throttledSeconds(root = '/'): number | null {
  if (cpuLimit(root) === null) return null
  const { version, directories } = groupsAround('cpu', root)
  const [name, aSecond] = version === 2 ? ['throttled_usec', 1e6] : ['throttled_time', 1e9]
  // Each counts what its own limit has done.
  const told = directories
    .map((directory) => figureIn(join(directory, 'cpu.stat'), name))
    .filter((value) => value !== null)
  return told.length === 0 ? null : Math.max(...told) / aSecond
}

function groupIn(directory: string): MemoryGroup {
  const limits = ['memory.max', 'memory.high'].map((name) => numberIn(join(directory, name)))
  const used = numberIn(join(directory, 'memory.current'))
  const cache = cacheIn(directory, 'inactive_file')
  return { limitBytes: Math.min(...limits.filter(Number.isFinite)), usedBytes: Math.max(0, used - cache) }
}

function olderGroupIn(directory: string): MemoryGroup {
  const used = numberIn(join(directory, 'memory.usage_in_bytes'))
  const cache = cacheIn(directory, 'total_inactive_file')
  const limitBytes = numberIn(join(directory, 'memory.limit_in_bytes'))
  return { limitBytes, usedBytes: Math.max(0, used - cache) }
}

function cacheIn(directory: string, name: string): number {
  return figureIn(join(directory, 'memory.stat'), name) ?? 0
}

/** Of a file with a name and a number a line. */
function figureIn(file: string, name: string): number | null {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(textOf(file))?.[1]
  return found === undefined ? null : Number(found)
}
