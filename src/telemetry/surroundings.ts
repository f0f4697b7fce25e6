// What is around the supervisor: the limits of its container, and dead processes that the first process of one should have
// waited for and has not.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { textOf } from '../config/kernel-files.ts'
import type { InstanceStatus } from '../control/messages.ts'
import { containerLimits } from './container-limits.ts'

export function surroundings(): Pick<InstanceStatus, 'limits' | 'zombies'> {
  return { limits: containerLimits(), zombies: countZombies() }
}

/** Null where this process is not the first one, and so has nobody's orphans. `root` stands before /proc. */
export function countZombies(root = '/', pid = process.pid): number | null {
  if (pid !== 1) return null
  const pids = readdirSync(join(root, 'proc')).filter((name) => /^\d+$/.test(name))
  return pids.filter((name) => isZombieOfFirst(textOf(join(root, 'proc', name, 'stat')))).length
}

/** After the name, which may have spaces and brackets in it: the state, then the parent. Those that Node has yet to wait for are gone a moment later. */
function isZombieOfFirst(stat: string): boolean {
  return stat.slice(stat.lastIndexOf(')')).startsWith(') Z 1 ')
}
