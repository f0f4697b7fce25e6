// Puts the run into a CPU control group of its own, where the system has them and this user may.
//
// Outside of one, Linux shares the CPUs out by session (`sched_autogroup_enabled`). PM2's daemon is a session, so is every
// worker of supervise, and plain node is in that of whoever started it, together with the load generator: the same work would
// get a different share of the CPUs. In a control group, as below systemd or in a container, every process counts as one.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export type Scheduling =
  | 'by process' // sessions play no part
  | 'by session' // shares differ; warned about

export interface ControlGroup {
  readonly scheduling: Scheduling
  /** Goes back to where it was; nothing that was started may be left. */
  leave(): void
}

export function joinControlGroup(): ControlGroup {
  if (readOrNull('/proc/sys/kernel/sched_autogroup_enabled')?.trim() !== '1') return stayed('by process')
  const mount = cpuMount()
  const before = mount === null ? null : ownGroup(mount)
  if (mount === null || before === null) return stayed('by session')
  if (mount.kind === 'v1' && relative(mount.path, before) !== '') return stayed('by process')
  const directory = join(mount.path, `supervise-bench-${process.pid}`)
  try {
    mkdirSync(directory)
    enter(directory)
    const shares = mount.kind === 'v1' ? 'cpu.shares' : 'cpu.weight'
    const scheduling = existsSync(join(directory, shares)) ? 'by process' : 'by session'
    return { scheduling, leave: () => leave(directory, before) }
  } catch {
    leave(directory, before)
    return stayed('by session')
  }
}

interface Mount {
  readonly kind: 'v1' | 'v2'
  readonly path: string
}

/** Where control groups for CPUs are mounted. */
function cpuMount(): Mount | null {
  const lines = readOrNull('/proc/self/mounts')?.split('\n') ?? []
  const mounts = lines.map((line) => line.split(' '))
  const first = mounts.find(([, , type, options]) => type === 'cgroup' && options?.split(',').includes('cpu'))
  if (first?.[1] !== undefined) return { kind: 'v1', path: first[1] }
  const second = mounts.find(([, , type]) => type === 'cgroup2')
  return second?.[1] === undefined ? null : { kind: 'v2', path: second[1] }
}

function ownGroup({ kind, path }: Mount): string | null {
  const lines = (readOrNull('/proc/self/cgroup') ?? '').trim().split('\n')
  const own = lines
    .map((line) => line.split(':'))
    .find(([id, controllers = '']) => (kind === 'v2' ? id === '0' : controllers.split(',').includes('cpu')))
  return own?.[2] === undefined ? null : join(path, own[2])
}

function enter(directory: string): void {
  writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))
}

function leave(directory: string, before: string): void {
  try {
    enter(before)
    rmdirSync(directory)
  } catch (error) {
    if (existsSync(directory)) process.stderr.write(`Cannot remove ${directory}: ${String(error)}\n`)
  }
}

function stayed(scheduling: Scheduling): ControlGroup {
  return { scheduling, leave: () => {} }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
