// Which faults can be rehearsed on an app as it is, why the others cannot, how long each of them lasts, and how much it takes.

import { FAULT_RULES, type FaultKind } from './chaos.ts'

export type Keeping = 'keeper' | 'systemd' | 'firstProcess' | 'nobody'

/**
 * How old a supervisor must be for its death to be none of those in a row after which whoever brings it back waits or gives
 * up: the first process of a container ends at the sixth within ten seconds of its start, systemd at too many in too
 * short a time, and a keeper waits longer each time for one that dies within two.
 */
const OLD_ENOUGH_MS: Readonly<Record<Keeping, number>> = {
  firstProcess: 11_000,
  systemd: 5000,
  keeper: 2500,
  nobody: 0,
}

/** How long it still is until the supervisor may be killed. */
export function supervisorWaitMs({ keptBy, supervisorAgeMs }: Pick<ChaosSetting, 'keptBy' | 'supervisorAgeMs'>) {
  return Math.max(0, OLD_ENOUGH_MS[keptBy] - supervisorAgeMs)
}

/** When it may be killed, in words; null when it may not. */
export function supervisorPace(keptBy: Keeping): string | null {
  return keptBy === 'nobody' ? null : `not within ${OLD_ENOUGH_MS[keptBy] / 1000} s of its start`
}

/** What is so with the app and its supervisor. */
export interface ChaosSetting {
  readonly serving: number
  /** Our code runs in its workers. */
  readonly hasAgent: boolean
  /** A worker that crashes is started again. */
  readonly restarts: boolean
  /** Who starts the supervisor again should it die. */
  readonly keptBy: Keeping
  readonly supervisorAgeMs: number
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
  readonly remedy: 'keeper' | 'unit' | 'otherFaults' | 'workers' | 'restart' | 'time' | 'hangTime'
}

/** Null when it can be rehearsed. */
export function obstacleTo(kind: FaultKind, setting: ChaosSetting): Obstacle | null {
  const { onWorker, takesAway, crashes } = FAULT_RULES[kind]
  const isByAgent = onWorker && kind !== 'kill' && kind !== 'stop'
  if (!onWorker && setting.keptBy === 'nobody')
    return { why: 'nobody starts the supervisor again should it die', remedy: 'keeper' }
  if (isByAgent && !setting.hasAgent)
    return { why: 'it is a command: nothing of supervise runs in its processes', remedy: 'otherFaults' }
  if (takesAway && setting.serving < 2) {
    const who = setting.serving === 1 ? '1 worker serves' : 'no worker serves'
    return { why: `${who}, and the last one is never taken`, remedy: 'workers' }
  }
  if (crashes && !setting.restarts)
    return { why: 'a worker that ends is not started again (option restart is never)', remedy: 'restart' }
  const waitMs = onWorker ? 0 : supervisorWaitMs(setting)
  if (waitMs > 0 && waitMs >= setting.forMs)
    return {
      why: `the supervisor has just been started, and is not killed for another ${Math.ceil(waitMs / 1000)} s`,
      remedy: 'time',
    }
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

const MB = 1024 ** 2
/** For an app without a limit. */
const USUAL_MEMORY_BYTES = 128 * MB
/** Past the limit by so much: what is measured is not exact. */
const OVER_LIMIT_BYTES = 64 * MB

export interface MemorySetting {
  /** What a person asked for; null is what goes over the app's own limit. */
  readonly wantedBytes: number | null
  /** A share of a container's memory is none that a rehearsal could pass: it counts late in a life. */
  readonly limitBytes: number | 'auto' | null
  /** What it has by now; null where that is not known. */
  readonly rssBytes: number | null
  /** What the machine has left. */
  readonly availableBytes: number
}

/** How much the fault `memory` takes: never more than half of what the machine has left, since others live here, too. */
export function memoryFor({ wantedBytes, limitBytes, rssBytes, availableBytes }: MemorySetting): number {
  const over = typeof limitBytes === 'number' ? limitBytes - (rssBytes ?? 0) + OVER_LIMIT_BYTES : USUAL_MEMORY_BYTES
  return Math.max(0, Math.min(wantedBytes ?? over, availableBytes / 2))
}
