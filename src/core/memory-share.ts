// How much memory one worker may have of what a container allows to all that is in it (`maxMemory: 'auto'`).

export interface SharedMemory {
  readonly limitBytes: number
  readonly supervisorBytes: number
  /** Of all apps. */
  readonly workers: number
}

/** The kernel kills at the limit, and what is in the group besides counts as well. */
const USABLE = 0.9

/** One more than there are, since a worker over its share is replaced first and drained then. */
export function memoryShare({ limitBytes, supervisorBytes, workers }: SharedMemory): number {
  return Math.max(0, Math.floor((limitBytes * USABLE - supervisorBytes) / (workers + 1)))
}

/** A younger one that is over its share has not leaked: it is as large as it is, and the next would be no smaller. */
export const SHARE_COUNTS_AFTER_MS = 300_000
