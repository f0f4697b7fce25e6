// Which versions of its data a release writes and reads, as its `supervise.release.json` says.

import { readFileSync } from 'node:fs'
import { canReadWhatIsThere, mayFollow, parseDataVersions, type DataVersions } from '../core/data-versions.ts'
import { dataVersionsApart, releaseFileUnusable } from '../errors/release.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import { labelOf } from './operation-report.ts'
import { fileOf } from './release-path.ts'
import type { Generation } from './worker-spec.ts'

const RELEASE_FILE = 'supervise.release.json'

/** Null for a release that says nothing of it; throws for a file that cannot be understood. */
export function dataVersionsOf(app: string, { config }: Pick<Generation, 'config'>): DataVersions | null {
  const file = fileOf(config, RELEASE_FILE)
  if (file === null) return null
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw releaseFileUnusable(app, file, `it cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const parsed = parseDataVersions(parseJson(app, file, text))
  if (parsed.kind === 'unusable') throw releaseFileUnusable(app, file, parsed.problem)
  return parsed.kind === 'versions' ? parsed.versions : null
}

/** Throws when one of `past` may have written what the next release could not read; `force` as below. */
export function mustReadWhatIsThere(
  app: string,
  next: Generation,
  past: readonly ReleaseRecord[],
  force: boolean,
): void {
  if (force) return
  const writers = past.flatMap((release) => {
    const versions = mayHaveWritten(release) ? versionsIfKnown(app, release) : null
    return versions === null ? [] : [{ name: labelOf(release), writes: versions.writes }]
  })
  const readable = canReadWhatIsThere(dataVersionsOf(app, next), writers)
  if (!readable.ok) throw dataVersionsApart(app, next.release.id, readable.why, readable.fix)
}

/** One that failed may have served all the same: for the moment of a flip, or in some of the places of a rolling deploy. */
export function mayHaveWritten({ outcome, served = false }: Pick<ReleaseRecord, 'outcome' | 'served'>): boolean {
  return outcome !== 'failed' || served
}

/** What is wrong with the file of a past release is nobody's business any more. */
function versionsIfKnown(app: string, release: ReleaseRecord): DataVersions | null {
  try {
    return dataVersionsOf(app, release)
  } catch {
    return null
  }
}

/** Throws when the two cannot run on the same data; `force` is a person who knows better. */
export function mustLiveTogether(app: string, current: Generation, next: Generation, force: boolean): void {
  const wanted = dataVersionsOf(app, next)
  if (force) return
  const together = mayFollow(dataVersionsOf(app, current), wanted)
  if (!together.ok) throw dataVersionsApart(app, next.release.id, together.why, together.fix)
}

/** What a move does with the data, beside plain switching. */
export type DataStep = 'expand' | 'contract' | null

/**
 * The hook that has its place in this move: room is made before a newer version can be read, and taken away after an older one
 * no longer is. Going back has neither: what was made room for stays, and what was taken away does not come back.
 */
export function dataStep(current: DataVersions | null, next: DataVersions | null): DataStep {
  if (current === null || next === null) return null
  if (next.reads.some((version) => version > Math.max(...current.reads))) return 'expand'
  return Math.min(...next.reads) > Math.min(...current.reads) ? 'contract' : null
}

/** Whether the next one reads no older data than the current one does, which is not known of one that says nothing. */
export function readsNothingOlder(current: DataVersions | null, next: DataVersions | null): boolean {
  return current !== null && next !== null && Math.min(...next.reads) >= Math.min(...current.reads)
}

function parseJson(app: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw releaseFileUnusable(app, file, 'it is no JSON')
  }
}
