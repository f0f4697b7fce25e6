// What there is to know of an app's releases while no rollout is under way: how the last one ended, and what a start begins
// with.

import type { LastRollout } from '../control/release-messages.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import { labelOf } from './operation-report.ts'
import type { ReleaseBooks } from './release-books.ts'

/** Of the newest release, until there is a newer one; null while it is rolled out, and for an app that was never deployed. */
export function lastRollout(books: ReleaseBooks, app: string): LastRollout | null {
  const record = newestDecided(books, app)
  if (record === null) return null
  const { id, version, outcome, why, endedAt } = record
  return { release: id, version, outcome, why, endedAt }
}

type Decided = ReleaseRecord & { readonly outcome: NonNullable<ReleaseRecord['outcome']> }

function newestDecided(books: ReleaseBooks, app: string): Decided | null {
  const newest = books.of(app)?.releases.at(-1)
  if (newest === undefined || newest.outcome === null || newest.outcome === 'started') return null
  return { ...newest, outcome: newest.outcome }
}

/** `; it is r1 1.4.0, …` after a start of an app that was deployed. */
export function startedWords(books: ReleaseBooks, app: string, started: string): string {
  const last = books.lastGood(app)
  if (last === null || last.id !== started) return ''
  return `; it is ${notTheNewest(books, app, started) ?? labelOf(last)}`
}

/** `r1 1.4.0, the last good release, and not r2 (aborted: the app was stopped)`; null when there is no newer one. */
export function notTheNewest(books: ReleaseBooks, app: string, started: string): string | null {
  const last = books.lastGood(app)
  const newest = lastRollout(books, app)
  if (last === null || last.id !== started || newest === null || newest.release === started) return null
  const { release, outcome, why } = newest
  return `${labelOf(last)}, the last good release, and not ${release} (${outcome}${why === null ? '' : `: ${why}`})`
}
