// Which faults can be rehearsed on an app as it is, why the others cannot, and how long each of them lasts.

import { FAULT_RULES, type FaultKind } from './chaos.ts'

/** What is so with the app and its supervisor. */
export interface ChaosSetting {
  readonly serving: number
  /** Our code runs in its workers. */
  readonly hasAgent: boolean
  /** A worker that crashes is started again. */
  readonly restarts: boolean
  /** Somebody starts the supervisor again should it die. */
  readonly isKept: boolean
  /** 0 is never. */
  readonly hangTimeoutMs: number
  /** It is replaced over so much memory. */
  readonly hasMemoryLimit: boolean
  readonly forMs: number
}

/** An event loop is looked at once a second or so, and what hangs is asked what it does before it is ended. */
const HANG_MARGIN_MS = 5000
/** For what nothing ends: the rehearsal does. */
const SHORT_MS = 5000
/** Until it was seen, replaced, and has drained. */
const RECYCLE_MS = 15_000

export function lengthsOf({ hangTimeoutMs, hasMemoryLimit }: ChaosSetting): Readonly<Record<FaultKind, number>> {
  const hang = hangTimeoutMs > 0 ? hangTimeoutMs + HANG_MARGIN_MS : SHORT_MS
  return {
    kill: 0,
    stop: hang,
    hang,
    memory: hasMemoryLimit ? RECYCLE_MS : SHORT_MS,
    delay: SHORT_MS,
    supervisor: 0,
  }
}

/** In words; null when it can be rehearsed. */
export function whyNot(kind: FaultKind, setting: ChaosSetting): string | null {
  const { onWorker, takesAway, crashes } = FAULT_RULES[kind]
  const isByAgent = onWorker && kind !== 'kill' && kind !== 'stop'
  if (!onWorker && !setting.isKept) return 'nobody starts the supervisor again should it die'
  if (isByAgent && !setting.hasAgent) return 'it is a command: nothing of supervise runs in its processes'
  if (takesAway && setting.serving < 2)
    return `${setting.serving === 1 ? '1 worker serves' : 'no worker serves'}, and the last one is never taken`
  if (crashes && !setting.restarts) return 'a worker that ends is not started again (option restart is never)'
  const lengthMs = lengthsOf(setting)[kind]
  if (lengthMs > setting.forMs) {
    const because = kind === 'stop' || kind === 'hang' ? ' (option hangTimeout, and a margin)' : ''
    return `it may last ${lengthMs / 1000} s${because}, longer than the rehearsal`
  }
  return null
}
