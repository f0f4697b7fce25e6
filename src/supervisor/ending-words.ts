// What is said of a worker's end: why it was killed, and what its drain cost.

import type { WorkerHandle } from './worker-handle.ts'

export function killWords(worker: WorkerHandle): string {
  switch (worker.killReason) {
    case 'not-ready':
      return 'it was not ready in time'
    case 'hang':
      return 'its event loop does not answer'
    case 'liveness':
      return 'its liveness probe failed'
    case 'drain-deadline':
      return "it does not answer, and the drain's time is over"
    case 'stop-deadline':
      return `it did not end after ${worker.generation.config.stopSignal}`
    case null:
      return 'asked for'
  }
}

/** What went with a worker that could not finish its drain, as far as it had told. */
export function lossWords({ requestsLost }: WorkerHandle): string {
  if (requestsLost === 0) return ''
  return `, with ${requestsLost} ${requestsLost === 1 ? 'request' : 'requests'} under way when it last answered`
}

export function drainWords(worker: WorkerHandle): string {
  const report = worker.drainReport
  if (report === null) return lossWords(worker)
  const cut = report.requestsCut + report.connectionsCut
  const cutWords =
    cut === 0
      ? ''
      : `; cut ${report.requestsCut} requests and ${report.connectionsCut} other connections at the deadline`
  return `, drained in ${Math.round(report.tookMs)} ms${cutWords}`
}
