// What is said of a rehearsal of failures: the part of messages.ts that is about `supervise chaos`.

import type { FaultKind } from '../core/chaos.ts'
import type { Speech } from '../protocol/messages.ts'

export type { FaultKind }

/** `POST /v1/apps/:app/chaos`: goes on for as long as the connection is open, and at most for `forMs`. */
export interface ChaosRequest {
  /**
   * How long: 1 s to 30 min.
   * @default 60_000
   */
  readonly forMs: number
  /**
   * From the begin of one fault to that of the next at the least, which also waits until the app is whole: 1 s to 10 min.
   * @default 5000
   */
  readonly everyMs: number
  /** Refused when one of them cannot be done; what can be done without harm to the supervisor when left out. */
  readonly only?: readonly FaultKind[]
  /** A whole number: the same seed does the same again, as far as the app does; by chance when left out. */
  readonly seed?: number
  /**
   * How much the fault `memory` takes, from 1 MB to 64 GB, and never more than half of what the machine has left. When left
   * out, 64 MB past `maxMemory`, or 128 MB without one.
   */
  readonly memoryBytes?: number
  /**
   * By how much `delay` delays: 1 ms to 5 s.
   * @default 200
   */
  readonly delayMs?: number
  /**
   * Also while an operation or a rollout is under way.
   * @default false
   */
  readonly duringRollout?: boolean
  /** What was done before the supervisor was killed, in order: the rehearsal goes on after it. */
  readonly done?: readonly FaultKind[]
}

/** `GET /v1/apps/:app/chaos?forMs`: what a rehearsal of that length (60 s when left out) could do now. */
export interface ChaosOutlook {
  readonly app: string
  readonly serving: number
  readonly faults: readonly FaultOutlook[]
  /** Why none may begin now; null when one may. */
  readonly busy: string | null
}

export interface FaultOutlook {
  readonly kind: FaultKind
  /** How long it may last. */
  readonly lengthMs: number
  /** What it does, in words. */
  readonly text: string
  /** Why it cannot be done; null when it can. */
  readonly whyNot: string | null
}

/** What `status` says while one is on. */
export interface RehearsalStatus {
  readonly faults: number
  /** What goes on now. */
  readonly current: { readonly kind: FaultKind; readonly worker: number | null } | null
  readonly endsInSeconds: number
  readonly seed: number
}

/** Where users of the app come in, and how a probe of them is told from them. */
export interface ProbePlace {
  readonly speaks: Speech
  readonly to: { readonly path: string } | { readonly host: string; readonly port: number }
  readonly name: string | null
}

export type ChaosLine =
  | {
      readonly type: 'rehearsal'
      readonly app: string
      readonly seed: number
      readonly kinds: readonly FaultKind[]
      readonly places: readonly ProbePlace[]
      /** The first of them is the first of a request: such requests are left out of the app's figures. */
      readonly headers: Readonly<Record<string, string>>
    }
  | ({ readonly type: 'fault'; readonly app: string } & FaultStep)

export interface FaultStep {
  readonly n: number
  readonly kind: FaultKind
  readonly worker: number | null
  readonly pid: number | null
  readonly state: 'began' | 'recovered' | 'notRecovered' | 'givenUp'
  /** In words. */
  readonly text: string
  /** From its begin until as many workers served as before; null while that is not known. */
  readonly tookMs: number | null
}
