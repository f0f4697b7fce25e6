// What is said of a worker's end: why it was killed, and what its drain cost.

import type { EventType } from '../config/event-types.ts'
import type { AppConfig } from '../config/app-config.ts'
import type { EventLevel } from '../telemetry/events.ts'
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
      return worker.hasAgent
        ? "it does not answer, and the drain's time is over"
        : `it has not ended within the drain's time after ${worker.generation.config.stopSignal}`
    case 'stop-deadline':
      return `it did not end after ${worker.generation.config.stopSignal}`
    case 'flip-deadline':
      return 'it did not answer a flip in time'
    case 'rehearsal':
      return 'a rehearsal of failures'
    case null:
      return 'asked for'
  }
}

/** What went with a worker that could not finish its drain, as far as it had told. */
export function lossWords({ requestsLost }: WorkerHandle): string {
  if (requestsLost === 0) return ''
  return `, with ${countOf(requestsLost, 'request')} under way when it last answered`
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What a drain has cut, for programs; undefined when there was none. */
export function drainData(worker: WorkerHandle): Readonly<Record<string, number>> | undefined {
  const { drainReport, drainStartedAt, requestsLost } = worker
  if (drainReport === null) return drainStartedAt === null ? undefined : { requestsCut: requestsLost }
  const { requestsCut, connectionsCut, tookMs } = drainReport
  return { requestsCut, connectionsCut, drainMs: Math.round(tookMs) }
}

export function drainWords(worker: WorkerHandle): string {
  const report = worker.drainReport
  if (report === null) return lossWords(worker)
  const cut = report.requestsCut + report.connectionsCut
  const cutWords =
    cut === 0
      ? ''
      : `; cut ${countOf(report.requestsCut, 'request')} and ${countOf(report.connectionsCut, 'other connection')} at the deadline`
  return `, drained in ${Math.round(report.tookMs)} ms${cutWords}`
}

/** What is done about a worker that ended by itself, as an event. */
export function restartNotice(
  worker: number,
  kind: 'backoff' | 'failed' | 'ended',
  delayMs: number,
  config: AppConfig,
): { readonly type: EventType; readonly text: string; readonly level: EventLevel } {
  const delay = delayMs < 1000 ? `${delayMs} ms` : `${(delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0)} s`
  switch (kind) {
    case 'backoff':
      return { type: 'restartPlanned', text: `worker ${worker} is started again in ${delay}`, level: 'info' }
    case 'ended':
      return {
        type: 'workerEnded',
        text: `worker ${worker} is not started again (restart: ${config.restart})`,
        level: 'info',
      }
    case 'failed': {
      const often = `more than ${config.maxRestarts} times within ${config.restartWindowMs / 1000} s`
      const text = `worker ${worker} crashed ${often}: failed, tried again in ${delay}`
      return { type: 'workerFailed', text, level: 'error' }
    }
  }
}
