// What systemd is about to do with the unit that this process belongs to. `ExecStopPost=` runs after any end, and its
// variables say how the process ended, not whether somebody wants the unit to stop.

import { spawnSync } from 'node:child_process'
import { textOf } from '../config/kernel-files.ts'

export interface OwnUnit {
  readonly name: string
  readonly scope: 'system' | 'user'
}

/** Should the manager not answer, the unit's own stop must not wait for it. */
const ANSWER_MS = 2000

/** What somebody has asked the manager for; `none` when the unit ended by itself. */
export type UnitJob = 'stop' | 'restart' | 'none'

/** Null where that cannot be known: no unit, or no manager that answers this user. */
export function jobOfOwnUnit(): UnitJob | null {
  const unit = unitIn(textOf('/proc/self/cgroup'))
  if (unit === null) return null
  const words = [...(unit.scope === 'user' ? ['--user'] : []), 'list-jobs', '--no-legend', '--plain', '--full']
  const { status, stdout } = spawnSync('systemctl', words, { encoding: 'utf8', timeout: ANSWER_MS })
  return status === 0 ? jobOf(unit.name, stdout) : null
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
