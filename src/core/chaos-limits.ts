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

/** What is in the way, in words, and what would have to change: see the error that is made of it. */
export interface Obstacle {
  readonly why: string
  readonly remedy: 'keeper' | 'otherFaults' | 'workers' | 'restart' | 'time' | 'hangTime'
}

/** Null when it can be rehearsed. */
export function obstacleTo(kind: FaultKind, setting: ChaosSetting): Obstacle | null {
  const { onWorker, takesAway, crashes } = FAULT_RULES[kind]
  const isByAgent = onWorker && kind !== 'kill' && kind !== 'stop'
  if (!onWorker && !setting.isKept) return { why: 'nobody starts the supervisor again should it die', remedy: 'keeper' }
  if (isByAgent && !setting.hasAgent)
    return { why: 'it is a command: nothing of supervise runs in its processes', remedy: 'otherFaults' }
  if (takesAway && setting.serving < 2) {
    const who = setting.serving === 1 ? '1 worker serves' : 'no worker serves'
    return { why: `${who}, and the last one is never taken`, remedy: 'workers' }
  }
  if (crashes && !setting.restarts)
    return { why: 'a worker that ends is not started again (option restart is never)', remedy: 'restart' }
  const lengthMs = lengthsOf(setting)[kind]
  if (lengthMs <= setting.forMs) return null
  const isHang = kind === 'stop' || kind === 'hang'
  const because = isHang ? ' (option hangTimeout, and a margin)' : ''
  return {
    why: `it may last ${lengthMs / 1000} s${because}, longer than the rehearsal`,
    remedy: isHang ? 'hangTime' : 'time',
  }
}

/** In words; null when it can be rehearsed. */
export function whyNot(kind: FaultKind, setting: ChaosSetting): string | null {
  return obstacleTo(kind, setting)?.why ?? null
}
