// One plain `node` process: what everything else is compared with.

import { cannot, type AppPlan, type RunningApp } from './contender.ts'
import { startForeground } from './foreground.ts'
import type { Place } from '../place.ts'

export async function startNode(plan: AppPlan, place: Place): Promise<RunningApp> {
  const room = place.room()
  const app = await startForeground([plan.node ?? process.execPath, plan.script], (port) =>
    place.environment(room, { PORT: String(port) }),
  )
  return {
    name: 'node',
    port: app.port,
    firstAnswerMs: app.firstAnswerMs,
    supervisorPid: app.pid,
    workerPids: () => [app.pid],
    reload: cannot('node', 'reload'),
    status: cannot('node', 'list'),
    stop: app.stop,
  }
}
