// Which versions of its data a release writes and reads, as its `supervise.release.json` says.

import { readFileSync } from 'node:fs'
import { mayLiveTogether, parseDataVersions, type DataVersions } from '../core/data-versions.ts'
import { dataVersionsApart, releaseFileUnusable } from '../errors/release.ts'
import { fileOf } from './release-path.ts'
import type { Generation } from './worker-spec.ts'

const RELEASE_FILE = 'supervise.release.json'

/** Null for a release that says nothing of it; throws for a file that cannot be understood. */
export function dataVersionsOf(app: string, { config }: Generation): DataVersions | null {
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

/** Throws when the two cannot run on the same data; `force` is a person who knows better. */
export function mustLiveTogether(app: string, current: Generation, next: Generation, force: boolean): void {
  const wanted = dataVersionsOf(app, next)
  if (force) return
  const together = mayLiveTogether(dataVersionsOf(app, current), wanted)
  if (!together.ok) throw dataVersionsApart(app, next.release.id, together.why, together.fix)
}

/** What a move does with the data, beside plain switching. */
export type DataStep = 'expand' | 'contract' | null

/** The hook that has its place in this move: room is made before a version can be read, and taken away after it no longer is. */
export function dataStep(current: DataVersions | null, next: DataVersions | null): DataStep {
  if (current === null || next === null) return null
  if (next.reads.some((version) => !current.reads.includes(version))) return 'expand'
  return current.reads.some((version) => !next.reads.includes(version)) ? 'contract' : null
}

function parseJson(app: string, file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw releaseFileUnusable(app, file, 'it is no JSON')
  }
}
