// Workers that live, found in /proc by what they were forked with, so that nothing of their supervisor need be left on the disk:
// somebody may have wiped its runtime directory. A Node worker has the link's path in its environment; a command is known by
// the FIFOs that its output goes to, which keep their name when they are deleted.
//
// What a process has in its environment, and how its files are called where it lives, anybody can choose. So it counts only when
// it is this user's, or writes into a FIFO that this user alone could open, which a worker that has become another user keeps.

import { readlinkSync, statSync, type Stats } from 'node:fs'
import { basename, dirname } from 'node:path'
import { allPids, readProcessStat, realUidOf } from '../config/process-stat.ts'
import { AGENT_ENV, type GroupName } from '../protocol/messages.ts'
import { INCARNATION, incarnationIn, valueIn, variablesOf } from './worker-proof.ts'

export interface LeftWorker {
  /** The instance's directory, which may be gone. */
  readonly directory: string
  readonly pid: number
  readonly incarnation: string
  /** Who it is; null of a Node worker, which tells it when it dials in. */
  readonly command: LeftCommand | null
}

export interface LeftCommand {
  readonly app: string
  readonly worker: number
  readonly group: GroupName
  readonly release: string
}

/** Of this user, or of each whose directory it is where root asks, and in this container alone: another may have the same paths. */
export function findLeftWorkers(): readonly LeftWorker[] {
  const here = linkOf('self', 'ns/pid')
  return allPids().flatMap((pid) => {
    const found = leftWorker(pid)
    return found !== null && linkOf(pid, 'ns/pid') === here ? found : []
  })
}

export function leftWorkersOf(directory: string): readonly LeftWorker[] {
  return findLeftWorkers().filter((worker) => worker.directory === directory)
}

function leftWorker(pid: number): LeftWorker | null {
  const variables = isForkedBySupervisor(pid) ? variablesOf(pid) : null
  if (variables === null) return null
  const settings = valueIn(variables, AGENT_ENV.settings)
  const incarnation = settings === null ? valueIn(variables, INCARNATION) : incarnationIn(settings)
  if (typeof incarnation !== 'string') return null
  if (settings === null) return leftCommand(pid, incarnation, variables)
  const link = valueIn(variables, AGENT_ENV.link)
  if (link === null) return null
  const directory = dirname(link)
  const owner = ownerOf(directory)
  const isOurs = realUidOf(pid) === owner || outputFor(pid, incarnation, owner) !== null
  return isOurs ? { directory, pid, incarnation, command: null } : null
}

function leftCommand(pid: number, incarnation: string, variables: readonly string[]): LeftWorker | null {
  const output = outputFor(pid, incarnation)
  if (output === null) return null
  const text = (name: string) => valueIn(variables, name) ?? ''
  const group = text('SUPERVISE_GROUP') === 'green' ? 'green' : 'blue'
  const worker = Number(text('SUPERVISE_WORKER'))
  const command = { app: text('SUPERVISE_APP'), worker, group, release: text('SUPERVISE_RELEASE') } as const
  return { directory: dirname(dirname(output)), pid, incarnation, command }
}

/** What a worker starts may have its environment, and is no worker: each of those leads a session of its own. */
function isForkedBySupervisor(pid: number): boolean {
  const stat = readProcessStat(pid)
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X' && Number(stat.field(6)) === pid
}

/** The path of the FIFO that it writes to, by the name that its worker's output has. */
function outputFor(pid: number, incarnation: string, owner?: number): string | null {
  const path = [1, 2].flatMap((fd) => {
    const one = outputBehind(pid, fd)
    if (!basename(one).startsWith(`${incarnation}.`)) return []
    return isFifoOf(owner ?? ownerOf(dirname(dirname(one))), `/proc/${pid}/fd/${fd}`) ? [one] : []
  })
  return path[0] ?? null
}

/** Nobody else can have opened it. The kernel follows this link to what is open, whatever its path leads to elsewhere. */
function isFifoOf(owner: number, descriptor: string): boolean {
  const stats = statOf(descriptor)
  return stats?.isFIFO() === true && stats.uid === owner && (stats.mode & 0o077) === 0
}

function ownerOf(directory: string): number {
  return statOf(directory)?.uid ?? process.getuid?.() ?? 0
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path)
  } catch {
    return null
  }
}

/** The kernel writes behind the name of a file that it is deleted. */
function outputBehind(pid: number, fd: number): string {
  return linkOf(pid, `fd/${fd}`).replace(/ \(deleted\)$/, '')
}

function linkOf(pid: number | 'self', name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return ''
  }
}
