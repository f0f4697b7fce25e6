// What the system says of itself, of this process and of others. `root` stands before /proc and /sys.

import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { availableCpus } from '../../config/cpu-limit.ts'
import { groupsAround, numberIn, textOf } from '../../config/kernel-files.ts'
import { allPids, readProcessStat } from '../../config/process-stat.ts'
import { missingForLink } from '../../supervisor/link-desk.ts'
import { containerLimits } from '../../telemetry/container-limits.ts'
import { packageVersion } from '../package-version.ts'
import type { GroupFacts, KernelFacts, ProcessLimits, SelfFacts } from './facts.ts'

export function selfFacts(environment: Readonly<Record<string, string | undefined>>): SelfFacts {
  return {
    version: packageVersion(),
    nodeVersion: process.version,
    platform: process.platform,
    linkMissing: missingForLink(),
    uid: process.getuid?.() ?? 0,
    cpus: availableCpus(),
    now: Date.now(),
    home: environment['HOME'] ?? null,
  }
}

export function kernelFacts(root = '/'): KernelFacts {
  const setting = (name: string) => numberOrNull(join(root, 'proc/sys', name))
  const [open, , max] = textOf(join(root, 'proc/sys/fs/file-nr')).trim().split(/\s+/).map(Number)
  return {
    somaxconn: setting('net/core/somaxconn'),
    tcpMigrateReq: setting('net/ipv4/tcp_migrate_req'),
    filesOpen: open !== undefined && open > 0 ? open : null,
    filesMax: max ?? null,
    inotifyWatches: setting('fs/inotify/max_user_watches'),
    inotifyInstances: setting('fs/inotify/max_user_instances'),
    overcommit: setting('vm/overcommit_memory'),
  }
}

/** Of a process of this user; null where that may not be known. */
export function limitsOf(pid: number | 'self', root = '/'): ProcessLimits | null {
  const text = textOf(join(root, 'proc', String(pid), 'limits'))
  const [filesSoft, filesHard] = limitIn(text, 'Max open files')
  const [processes] = limitIn(text, 'Max processes')
  return filesSoft === undefined || filesHard === undefined || processes === undefined
    ? null
    : { filesSoft, filesHard, processes }
}

function limitIn(text: string, name: string): readonly number[] {
  const [, soft, hard] = new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(text) ?? []
  return [soft, hard].flatMap((word) => (word === undefined ? [] : [word === 'unlimited' ? Infinity : Number(word)]))
}

/** Of those around this process, or around a supervisor: a unit's limits are not those of the shell that asks. */
export function groupFacts(root = '/', pid: number | 'self' = 'self'): GroupFacts {
  const { directories } = groupsAround('pids', root, pid)
  const tightest = directories
    .map((directory) => ({
      max: numberIn(join(directory, 'pids.max')),
      now: numberIn(join(directory, 'pids.current')),
    }))
    .filter(({ max, now }) => Number.isFinite(max) && Number.isFinite(now))
    .toSorted((a, b) => a.max - a.now - (b.max - b.now))[0]
  return { ...containerLimits(root, pid), pidsMax: tightest?.max ?? null, pidsNow: tightest?.now ?? null }
}

/** Null where that may not be known. */
export function openFilesOf(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return null
  }
}

/** The kernel says so of a file that was removed, also when another has its name by now. */
export function isBinaryGone(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith(' (deleted)')
  } catch {
    return false
  }
}

export function zombiesOf(parents: ReadonlySet<number>): readonly { readonly pid: number; readonly parent: number }[] {
  return allPids().flatMap((pid) => {
    const stat = readProcessStat(pid)
    const parent = Number(stat?.field(4))
    return stat?.state === 'Z' && parents.has(parent) ? [{ pid, parent }] : []
  })
}

function numberOrNull(file: string): number | null {
  const value = numberIn(file)
  return Number.isFinite(value) ? value : null
}
