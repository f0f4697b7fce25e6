// How much memory processes here may still take: what the machine has to give, or less where a control group limits it.

import { dirname, join } from 'node:path'
import { ownGroup, textOf } from './kernel-files.ts'

/** Bytes; `root` stands before /proc and /sys. */
export function availableMemory(root = '/'): number {
  const machine = machineBytes(root)
  const groups = groupBytes(root)
  return Math.max(0, Math.min(machine, ...groups))
}

function machineBytes(root: string): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf(join(root, 'proc/meminfo')))?.[1]
  return kilobytes === undefined ? process.availableMemory() : Number(kilobytes) * 1024
}

/** Of each control group around this process that has a limit: what is left of it, the cache that would give way included. */
function groupBytes(root: string): readonly number[] {
  const own = ownGroup(root)
  if (own === undefined) return []
  const left: number[] = []
  for (let group = own; ; group = dirname(group)) {
    const directory = join(root, 'sys/fs/cgroup', group)
    const limits = ['memory.max', 'memory.high'].map((name) => Number.parseInt(textOf(join(directory, name)), 10))
    const limit = Math.min(...limits.filter(Number.isFinite))
    const used = Number.parseInt(textOf(join(directory, 'memory.current')), 10)
    const cache = Number(/^inactive_file (\d+)$/m.exec(textOf(join(directory, 'memory.stat')))?.[1] ?? 0)
    if (Number.isFinite(limit) && Number.isFinite(used)) left.push(limit - used + cache)
    if (group === '/') return left
  }
}
