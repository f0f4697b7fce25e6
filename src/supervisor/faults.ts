// Doing a fault to a worker, and taking it back: thin effects of what core/chaos.ts decides.

import type { Fault, FaultKind } from '../core/chaos.ts'
import { availableMemory } from '../telemetry/available-memory.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** How much of each. */
export interface FaultSizes {
  /** Null is what goes over the app's own limit. */
  readonly memoryBytes: number | null
  readonly delayMs: number
}

interface Amounts extends FaultSizes {
  readonly memoryBytes: number
}

const MB = 1024 ** 2
/** For an app without a limit. */
const USUAL_MEMORY_BYTES = 128 * MB
/** Past the limit by so much: what is measured is not exact. */
const OVER_LIMIT_BYTES = 64 * MB

export function inflict(worker: WorkerHandle, { kind, lengthMs: forMs }: Fault, sizes: Amounts): void {
  worker.rehearsed = kind
  switch (kind) {
    case 'kill':
      worker.killReason ??= 'rehearsal'
      worker.signal('SIGKILL')
      return
    case 'stop':
      worker.signal('SIGSTOP')
      return
    case 'hang':
      return worker.send({ type: 'rehearse', fault: 'hang', forMs })
    case 'memory':
      return worker.send({ type: 'rehearse', fault: 'memory', forMs, bytes: sizes.memoryBytes })
    case 'delay':
      return worker.send({ type: 'rehearse', fault: 'delay', forMs, byMs: sizes.delayMs })
    case 'supervisor':
      return
  }
}

/** Lets go of whatever it holds. A loop that is blocked hears of it when its time is over. */
export function undo(worker: WorkerHandle, kind: FaultKind): void {
  if (kind === 'stop') worker.signal('SIGCONT')
  if (kind === 'hang' || kind === 'memory' || kind === 'delay') worker.send({ type: 'rehearse', fault: 'none' })
  // One that was ended for it ends because of it.
  if (worker.killReason === null) worker.rehearsed = null
}

/** Never more than half of what the machine has left: others live here, too. */
export function memoryFor({ generation }: WorkerHandle, rssBytes: number | null, wanted: number | null): number {
  const { maxMemoryBytes } = generation.config
  // A share of a container's memory counts late in a life, and is no limit that a rehearsal could pass.
  const limit = typeof maxMemoryBytes === 'number' ? maxMemoryBytes : null
  const over = limit === null ? USUAL_MEMORY_BYTES : limit - (rssBytes ?? 0) + OVER_LIMIT_BYTES
  return Math.max(0, Math.min(wanted ?? over, availableMemory() / 2))
}
