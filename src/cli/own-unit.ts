// The unit that a process belongs to, and what systemd says of it. What it is about to do with it: `ExecStopPost=` runs after
// any end, and its variables say how the process ended, not whether somebody wants the unit to stop.

import { textOf } from '../config/kernel-files.ts'
import { systemctl, type ManagerScope } from '../systemd/systemctl.ts'

export interface OwnUnit {
  readonly name: string
  readonly scope: ManagerScope
}

/** Should the manager not answer, the unit's own stop must not wait for it. */
const ANSWER_MS = 2000

/** What somebody has asked the manager for; `none` when the unit ended by itself. */
export type UnitJob = 'stop' | 'restart' | 'none'

/** Null where that cannot be known: no unit, or no manager that answers this user. */
export function jobOfOwnUnit(): UnitJob | null {
  const unit = unitOf('self')
  const jobs = unit === null ? null : ask(unit, 'list-jobs', '--no-legend', '--plain', '--full')
  return unit === null || jobs === null ? null : jobOf(unit.name, jobs)
}

/** What its unit says of `Restart=`; null where nobody says it. */
export function restartOf(unit: OwnUnit): string | null {
  return ask(unit, 'show', '--property=Restart', '--value', unit.name)?.trim() || null
}

/** After a SIGKILL, which is no clean end (systemd.service(5)). */
export function restartsAfterKill(restart: string): boolean {
  return ['always', 'on-failure', 'on-abnormal', 'on-abort'].includes(restart)
}

/** Null when it does not answer. */
function ask({ scope }: OwnUnit, ...words: readonly string[]): string | null {
  const { problem, stdout } = systemctl(scope, words, { timeoutMs: ANSWER_MS })
  return problem === null ? stdout : null
}

export function unitOf(pid: number | 'self'): OwnUnit | null {
  return unitIn(textOf(`/proc/${pid}/cgroup`))
}

/** From `/proc/<pid>/cgroup`. What a unit starts may be in a group below its own. */
export function unitIn(cgroups: string): OwnUnit | null {
  const path = /^(?:0:|\d+:name=systemd):(\/.*)$/m.exec(cgroups)?.[1] ?? ''
  const services = path.split('/').filter((part) => part.endsWith('.service'))
  const name = services.at(-1)
  if (name === undefined || /^user@\d+\.service$/.test(name)) return null
  return { name, scope: services.length > 1 ? 'user' : 'system' }
}

/** From `systemctl list-jobs`: number, unit, type, state. A unit has one job at most. */
export function jobOf(unit: string, jobs: string): UnitJob {
  const job = jobs
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, name]) => name === unit)
  const type = job?.[2]
  return type === 'stop' || type === 'restart' ? type : 'none'
}
