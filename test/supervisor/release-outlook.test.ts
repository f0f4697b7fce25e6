import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { ReleaseRecord } from '../../src/state/release-store.ts'
import { ReleaseBooks } from '../../src/supervisor/release-books.ts'
import { lastRollout, startedWords } from '../../src/supervisor/release-outlook.ts'

type Told = Pick<ReleaseRecord, 'id' | 'outcome' | 'why'>

/** The books of an app with these releases, of which r1 was last good. */
function booksWith(releases: readonly Told[]): ReleaseBooks {
  const directory = mkdtempSync(join(tmpdir(), 'outlook-'))
  const books = new ReleaseBooks(join(directory, 'releases.json'), () => {})
  onTestFinished(() => {
    books.close()
    rmSync(directory, { recursive: true })
  })
  const records = releases.map((told) => ({ version: '1.0.0', endedAt: null, ...told }) as ReleaseRecord)
  if (records.length > 0)
    books.set('web', { nextRelease: 9, active: 'blue', lastGood: 'r1', releases: records, rollout: null })
  return books
}

const first: Told = { id: 'r1', outcome: 'started', why: null }
const stopped: Told = { id: 'r2', outcome: 'aborted', why: 'the app was stopped' }

it.each([
  [
    'decided',
    [first, stopped],
    { release: 'r2', version: '1.0.0', outcome: 'aborted', why: 'the app was stopped', endedAt: null },
  ],
  ['under way', [first, stopped, { id: 'r3', outcome: null, why: null }], null],
  ['none', [first], null],
  ['not known', [], null],
] as const)('lastRollout() of a newest one that is %s', (_is, releases, told) => {
  expect(lastRollout(booksWith(releases), 'web')).toEqual(told)
})

it('startedWords() name the release that a start began with, and the newer one that it is not', () => {
  const words = (...releases: readonly Told[]) => startedWords(booksWith(releases), 'web', 'r1')
  expect(words(first, stopped)).toBe(
    '; it is r1 1.0.0, the last good release, and not r2 (aborted: the app was stopped)',
  )
  expect(words({ id: 'r1', outcome: 'promoted', why: null })).toBe('; it is r1 1.0.0')
  expect(words()).toBe('')
  // What was last good is gone, and what is typed runs as a release of its own.
  expect(startedWords(booksWith([first, stopped]), 'web', 'r3')).toBe('')
})
