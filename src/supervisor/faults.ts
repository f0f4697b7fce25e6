// Doing a fault to a worker, and taking it back: thin effects of what core/chaos.ts decides.

import type { Fault, FaultKind } from '../core/chaos.ts'
import { hostMs } from '../protocol/host-time.ts'
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

export function inflict(worker: WorkerHandle, { kind, lengthMs: forMs }: Fault, sizes: Amounts): void {
  worker.rehearsed = kind
  // A worker that is slow hears of it late, and must not be at it when the next fault begins.
  const time = { forMs, untilMs: hostMs() + forMs }
  switch (kind) {
    case 'kill':
      worker.killReason ??= 'rehearsal'
      worker.signal('SIGKILL')
      return
    case 'stop':
      worker.signal('SIGSTOP')
      return
    case 'hang':
      return worker.send({ type: 'rehearse', fault: 'hang', ...time })
    case 'memory':
      return worker.send({ type: 'rehearse', fault: 'memory', ...time, bytes: sizes.memoryBytes })
    case 'delay':
      return worker.send({ type: 'rehearse', fault: 'delay', ...time, byMs: sizes.delayMs })
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
