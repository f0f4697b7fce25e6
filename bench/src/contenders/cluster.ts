// node:cluster with its default, round robin: the primary accepts and hands connections over.

import { fileURLToPath } from 'node:url'
import { childrenOf } from '../../../test/support/processes.ts'
import type { Place } from '../place.ts'
import { cannot, type AppPlan, type RunningApp } from './contender.ts'
import { startForeground } from './foreground.ts'

const PRIMARY = fileURLToPath(new URL('../../apps/cluster.js', import.meta.url))

export async function startCluster(plan: AppPlan, place: Place): Promise<RunningApp> {
  const room = place.room()
  const command: [string, ...string[]] = [plan.node ?? process.execPath, PRIMARY, plan.script, String(plan.workers)]
  const primary = await startForeground(command, (port) => place.environment(room, { PORT: String(port) }))
  return {
    name: 'cluster',
    port: primary.port,
    firstAnswerMs: primary.firstAnswerMs,
    supervisorPid: primary.pid,
    workerPids: () => childrenOf(primary.pid),
    reload: cannot('cluster', 'reload'),
    status: cannot('cluster', 'list'),
    stop: primary.stop,
  }
}
