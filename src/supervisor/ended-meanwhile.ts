// Workers that ended while no supervisor was there: nobody saw how, and nobody read what they wrote last, but that they are gone is
// known from the state, and it is told and counted as any other crash.

import type { InstanceState, SavedGeneration, SavedWorker } from '../state/instance-state.ts'
import { bootId, lifeMsOf } from '../state/process-identity.ts'
import { crashRecord } from '../telemetry/crash-records.ts'
import type { App } from './app.ts'
import type { Supervisor } from './supervisor.ts'

/** Whether its end is one that nobody had asked for. */
export function isLost(state: Pick<InstanceState, 'ending' | 'boot'>, worker: SavedWorker): boolean {
  // After a reboot, which ends all of them, a state can be left where the runtime directory is on a disk.
  return state.ending !== true && worker.leaving !== true && state.boot !== undefined && state.boot === bootId()
}

/** Makes its record. It is no reason to take a release back, nor to restart anything later: when it ended nobody knows. */
export function tellLost(app: App, worker: SavedWorker, generation: SavedGeneration, supervisor: Supervisor): void {
  const { books, diagnostics } = supervisor.crashDesk
  const { id, pid, incarnation, startTime, ready } = worker
  const lifeMs = lifeMsOf(startTime)
  const { report, snapshots } = diagnostics.claim(pid, performance.timeOrigin + performance.now() - lifeMs)
  const { group, release, config } = generation
  const draft = crashRecord({
    at: new Date(),
    app: app.name,
    group,
    release: release.id,
    worker: id,
    pid,
    code: null,
    signal: null,
    uptimeMs: lifeMs,
    wasReady: ready,
    killed: null,
    stderr: [],
    uncaught: null,
    adopted: true,
    absent: true,
    kernelKilled: null,
    vitals: null,
    sample: null,
    curve: [],
    reportPath: report,
    heapSnapshots: snapshots,
    mappedStack: null,
    requests: [],
    directory: config.cwd,
    directories: [config.cwd, release.path],
  })
  app.reports.lost({ app: app.name, group, release: release.id, worker: id, incarnation }, pid, books.add(draft))
}
