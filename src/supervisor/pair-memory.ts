// Memory of two releases side by side: what the one that runs uses, what the other will need about, and whether there is room.

import type { RolloutStage } from '../control/release-messages.ts'

export interface PairMemory {
  /** Of each worker that runs; null for one that was not measured yet. */
  readonly workers: readonly (number | null)[]
  /** How many are started beside them. */
  readonly wanted: number
  readonly availableBytes: number
}

/** A new release is taken to be as large as the old one, worker by worker. Null when nothing is known. */
export function memoryStage({ workers, wanted, availableBytes }: PairMemory): RolloutStage | null {
  const known = workers.filter((bytes) => bytes !== null)
  if (known.length === 0) return null
  const each = known.reduce((sum, bytes) => sum + bytes, 0) / known.length
  const needed = each * wanted
  const figures =
    `${inWords(each * workers.length)} in use, about ${inWords(needed)} more needed, ` +
    `${inWords(availableBytes)} available`
  return needed > availableBytes
    ? { stage: 'memory', state: 'warned', text: `too little memory for two releases? ${figures}` }
    : { stage: 'memory', state: 'done', text: `memory: ${figures}` }
}

function inWords(bytes: number): string {
  const megabytes = bytes / 1024 ** 2
  return megabytes < 1000 ? `${Math.round(megabytes)} MB` : `${(megabytes / 1024).toFixed(1)} GB`
}
