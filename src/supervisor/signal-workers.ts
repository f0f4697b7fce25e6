// `supervise signal`: passes a signal on to an app's workers, and does nothing else.

import { constants } from 'node:os'
import type { OperationResult, SignalRequest } from '../control/messages.ts'
import { unknownSignal, unknownWorker } from '../errors/app.ts'
import type { App } from './app.ts'

export function signalWorkers(app: App, request: SignalRequest, cause: string): OperationResult {
  const startedAt = app.clock.now()
  const signal = parseSignal(request.signal)
  const processes = [...app.processes()].filter((worker) => worker.state !== 'exited')
  const known = [...new Set(processes.map((worker) => worker.id))]
  for (const id of request.workers ?? []) if (!known.includes(id)) throw unknownWorker(app.name, id, known)

  // A process that still boots has no handler yet: most signals would only end it.
  const targets = processes.filter((worker) => worker.isUp && (request.workers?.includes(worker.id) ?? true))
  const reached = targets.filter((worker) => worker.signal(signal)).length
  const text = `${signal} sent to ${reached === 1 ? '1 worker' : `${reached} workers`}`
  app.record('signalSent', text, cause)
  return {
    app: app.name,
    kind: 'signal',
    ok: true,
    text,
    tookMs: Math.round(app.clock.now() - startedAt),
    workers: reached,
    generation: app.activeGroup.generation.number,
    requestsCut: 0,
    steps: [],
    error: null,
  }
}

/** `SIGUSR2`, `usr2` and `12` are the same. */
function parseSignal(text: string): NodeJS.Signals {
  const upper = text.trim().toUpperCase()
  for (const [name, number] of Object.entries(constants.signals)) {
    if (upper === name || `SIG${upper}` === name || upper === String(number)) return name as NodeJS.Signals
  }
  throw unknownSignal(text)
}
