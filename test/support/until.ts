// Waiting for a fact rather than for time.
/* oxlint-disable no-await-in-loop -- one look after the other is what waiting is */

import { setTimeout as pause } from 'node:timers/promises'

const LOOK_EVERY_MS = 20

/** What a look may answer when the fact is not there yet. */
type NotYet = undefined | null | false | 0 | ''

/** Thrown by a look that knows that the fact will never come: the wait ends at once. */
export class Hopeless extends Error {}

/**
 * Looks again and again until `fact` answers something truthy, and answers that. A look that throws is one that saw nothing
 * yet; what it threw is told when the time is over.
 */
export async function until<Fact>(
  fact: () => Fact | Promise<Fact>,
  deadlineMs: number,
  what: string,
): Promise<Exclude<Fact, NotYet>> {
  const end = performance.now() + deadlineMs
  let last: unknown
  // A look after the deadline, too: the test's own process may have stood still for as long.
  for (let isLate = false; !isLate;) {
    isLate = performance.now() >= end
    try {
      const seen = await fact()
      // Truthy, so none of the others.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      if (seen) return seen as Exclude<Fact, NotYet>
      last = seen
    } catch (error) {
      if (error instanceof Hopeless) throw error
      last = error instanceof Error ? `${error.name}: ${error.message}` : error
    }
    if (!isLate) await pause(LOOK_EVERY_MS)
  }
  throw new Error(`Not within ${deadlineMs} ms: ${what}. Last look: ${show(last)}`)
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}
