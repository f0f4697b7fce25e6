// The end of what an earlier supervisor left, when nobody will take it back: its workers are adopted like those of any
// supervisor, so that they are proven to be ours, and drained as in any stop.

import { waitForWorkers } from './adoption.ts'
import type { App } from './app.ts'
import { waitUntil } from './clock.ts'
import { StrayWorkers, type EndedWorker } from './stray-workers.ts'
import type { Supervisor } from './supervisor.ts'

const CAUSE = 'command stop --orphans'
/** One that is stopped is ended by then, and one that cannot be killed is not waited for. */
const LEFT_OVER_MS = 5000

/** Call it before the link is opened: from then on nothing is started any more. */
export function beginEnd(supervisor: Supervisor, now: boolean): StrayWorkers {
  supervisor.isEnding = true
  supervisor.saveNow()
  const strays = new StrayWorkers(supervisor.clock, now)
  supervisor.orphans.endAll((hello, channel) => strays.take(hello, channel))
  return strays
}

export async function endOrphans(
  apps: readonly App[],
  supervisor: Supervisor,
  strays: StrayWorkers,
  now: boolean,
): Promise<readonly EndedWorker[]> {
  await Promise.all([waitForWorkers(apps, supervisor), supervisor.orphans.whenAllHeard()])
  for (const left of supervisor.orphans.takeCommands(null)) strays.takeCommand(left)
  const left = apps.flatMap((app) => [...app.processes()].map((worker) => ({ app, worker })))
  await supervisor.shutdown({ now }, { cause: CAUSE, progress: () => {} })
  await waitUntil(supervisor.clock, LEFT_OVER_MS, () => apps.every((app) => [...app.processes()].length === 0))
  const ended = left
    .filter(({ worker }) => worker.state === 'exited')
    .map(({ app, worker }) => ({
      app: app.name,
      worker: worker.id,
      pid: worker.pid,
      drained: worker.hasAgent ? worker.drainReport !== null : worker.killReason === null,
      requestsCut: worker.drainReport?.requestsCut ?? worker.requestsLost,
    }))
  return [...ended, ...(await strays.ended())]
}
