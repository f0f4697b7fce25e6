// What is around the supervisor: the limits of its container, and dead processes that the first process of one should have
// waited for and has not.

import { allPids, readProcessStat } from '../config/process-stat.ts'
import type { InstanceStatus } from '../control/messages.ts'
import { containerLimits } from './container-limits.ts'

export function surroundings(): Pick<InstanceStatus, 'limits' | 'zombies'> {
  return { limits: containerLimits(), zombies: countZombies() }
}

/** Null where this process is not the first one, and so has nobody's orphans. `root` stands before /proc. */
export function countZombies(root = '/', pid = process.pid): number | null {
  if (pid !== 1) return null
  return allPids(root).filter((one) => {
    const stat = readProcessStat(one, root)
    // Those that Node has yet to wait for are gone a moment later.
    return stat?.state === 'Z' && stat.field(4) === '1'
  }).length
}
