// Is a process still the one that was meant? A pid is used again; pid and start time together are not.

import { textOf } from '../config/kernel-files.ts'
import { readProcessStat } from '../config/process-stat.ts'

/**
 * Start time of a living process in clock ticks since boot (field 22 of `/proc/<pid>/stat`), as text. Null when there is
 * no such process or only its zombie, or when the system has no `/proc`.
 */
export function startTimeOf(pid: number): string | null {
  const stat = readProcessStat(pid)
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : stat.field(22)
}

/** Without `/proc`, whether the pid is in use is all that can be known. */
export function isSameProcess(pid: number, startTime: string | null): boolean {
  if (startTime !== null) return startTimeOf(pid) === startTime
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** `/proc` counts in hundredths of a second, on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

/** How long a process has lived, in milliseconds; 0 when that cannot be known. */
export function ageMsOf(pid: number): number {
  const startTime = startTimeOf(pid)
  return startTime === null ? 0 : lifeMsOf(startTime)
}

/** How long ago that was. */
export function lifeMsOf(startTime: string): number {
  const uptimeSeconds = Number(textOf('/proc/uptime').split(' ')[0])
  return Math.max(0, (uptimeSeconds - Number(startTime) / TICKS_PER_SECOND) * 1000)
}

/** Another one after each reboot; undefined where the system does not say. */
export function bootId(): string | undefined {
  return textOf('/proc/sys/kernel/random/boot_id').trim() || undefined
}
