import { expect, it } from 'vitest'
import { AppReports } from '../../src/supervisor/app-reports.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { Measures } from '../../src/telemetry/measures.ts'
import { FakeClock } from './fake-borrowers.ts'

const quiet = () => {}

it('ready() knows how long a worker of its own took, and nothing of one that was found', () => {
  const eventLog = new EventLog({ logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } })
  const measures = new Measures()
  const metrics = { merge: { greet: quiet, heard: quiet } }
  const reports = new AppReports('web', { eventLog, measures, clock: new FakeClock(), metrics })
  const generation = { group: 'blue', release: { id: 'r1', path: '/app', version: null } }
  const worker = (uptimeMs: number, adopted: boolean) =>
    // The rest of a worker is nothing to it.
    ({ id: 1, pid: 1, incarnation: 'a', generation, adopted, uptimeMs: () => uptimeMs }) as unknown as WorkerHandle
  reports.ready(worker(1500, false))
  reports.ready(worker(3 * 86_400_000, true))
  expect(eventLog.feed(null, 10).recent.map(({ text }) => text)).toEqual([
    'worker 1 ready after 1500 ms',
    'worker 1 is ready',
  ])
  expect(measures.counters.timed('supervise_worker_start_duration_seconds')).toMatchObject([{ sum: 1.5 }])
})
