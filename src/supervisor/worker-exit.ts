// How a worker's process ended, as far as that can be known.

/** Why the supervisor itself ended a process that was not asked to go. */
export type KillReason =
  | 'not-ready'
  | 'hang'
  | 'liveness'
  | 'drain-deadline'
  | 'stop-deadline'
  | 'flip-deadline'
  | 'rehearsal'

export interface WorkerExit {
  /** Null when it is not known: an adopted worker that said nothing. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly asked: boolean
  readonly uptimeMs: number
  readonly wasReady: boolean
  readonly killReason: KillReason | null
  /** It ended by an error that nobody caught, be it in its own handler of the stop signal. */
  readonly uncaught: boolean
  /** False for an adopted worker: nobody saw its exit status. */
  readonly seen: boolean
}

export function isCrash(exit: WorkerExit): boolean {
  return !exit.asked || exit.killReason !== null || exit.uncaught
}
