// What /proc tells of processes: which belong to a test, and what each of them uses.

import { readdirSync, readlinkSync, readFileSync } from 'node:fs'
import { until } from './until.ts'

const PAGE_BYTES = 4_096

/** Open file descriptors of a process. */
export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => !isProcFile(`/proc/${pid}/fd/${fd}`)).length
}

/** pidusage keeps a file of each process that it looked at open for some seconds after the process's end. */
function isProcFile(link: string): boolean {
  try {
    return readlinkSync(link).startsWith('/proc/')
  } catch {
    // Closed in between.
    return true
  }
}

/** Resident bytes, those shared with other processes included. */
export function rss(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
}

/** Resident bytes, shared ones divided among those who share them. */
export function pss(pid: number): number {
  const line = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(line?.[1]) * 1_024
}

export function threads(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).length
}

/** CPU time used so far, in milliseconds. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Children that ended and that nobody waited for. */
export function zombiesOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => stateOf(child) === 'Z')
}

export function childrenOf(pid: number): readonly number[] {
  return allPids().filter((other) => parentOf(other) === pid)
}

/** `R`, `S`, `T`, `Z`…; null when there is no such process. */
export function stateOf(pid: number): string | null {
  return statOrNull(pid)?.[0] ?? null
}

/** A zombie is not alive. */
export function isAlive(pid: number): boolean {
  const state = stateOf(pid)
  return state !== null && state !== 'Z' && state !== 'X'
}

/** A variable of the environment that a process was started with; undefined also for a process that is gone. */
export function variableOf(pid: number, name: string): string | undefined {
  const pair = readOrEmpty(`/proc/${pid}/environ`)
    .split('\0')
    .find((each) => each.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

export function commandOf(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
}

/** Living processes whose environment, as it was when they were started, names a directory that is one test's own. */
export function processesOf(directory: string): readonly number[] {
  return allPids().filter((pid) => isAlive(pid) && readOrEmpty(`/proc/${pid}/environ`).includes(directory))
}

/** Ends processes by pid, with SIGKILL, and waits until they are gone. */
export async function endAll(pids: readonly number[], deadlineMs = 5_000): Promise<void> {
  for (const pid of pids) sendIfAlive(pid, 'SIGKILL')
  await until(() => pids.every((pid) => !isAlive(pid)), deadlineMs, `processes ${pids.join(', ')} end`)
}

/** Sends a signal; a process that has just ended is no error. */
export function sendIfAlive(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function parentOf(pid: number): number | null {
  const fields = statOrNull(pid)
  return fields === null ? null : Number(fields[1])
}

function statOrNull(pid: number): readonly string[] | null {
  try {
    return statFields(pid)
  } catch {
    return null
  }
}

/** From the state on: what comes before, the command's name, may have spaces in it. */
function statFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
