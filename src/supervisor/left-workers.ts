// Workers that live, found in /proc by what they were forked with, so that nothing of their supervisor need be left on the disk:
// somebody may have wiped its runtime directory. A Node worker has the link's path in its environment; a command is known by
// the FIFOs that its output goes to, which keep their name when they are deleted.

import { readlinkSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { allPids, readProcessStat } from '../config/process-stat.ts'
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

/** Of this user, or of all where root asks, and in this container alone: another may have the same paths. */
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
  return link === null ? null : { directory: dirname(link), pid, incarnation, command: null }
}

function leftCommand(pid: number, incarnation: string, variables: readonly string[]): LeftWorker | null {
  const output = [1, 2].map((fd) => outputBehind(pid, fd)).find((path) => basename(path).startsWith(`${incarnation}.`))
  if (output === undefined) return null
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
