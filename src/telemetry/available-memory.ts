// How much memory processes here may still take: what the machine has to give, or less where a control group limits it.

import { join } from 'node:path'
import { textOf } from '../config/kernel-files.ts'
import { memoryGroups } from './container-limits.ts'

/** Bytes; `root` stands before /proc and /sys. */
export function availableMemory(root = '/'): number {
  const left = memoryGroups(root).map(({ limitBytes, usedBytes }) => limitBytes - usedBytes)
  return Math.max(0, Math.min(machineBytes(root), ...left))
}

function machineBytes(root: string): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(textOf(join(root, 'proc/meminfo')))?.[1]
  return kilobytes === undefined ? process.availableMemory() : Number(kilobytes) * 1024
}
