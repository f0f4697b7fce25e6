import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import type { RolloutState } from '../../src/core/rollout.ts'
import type { ReleaseRecord } from '../../src/state/release-store.ts'
import type { App } from '../../src/supervisor/app.ts'
import { ReleaseBooks } from '../../src/supervisor/release-books.ts'
import { concludeLost, firstGeneration, generationAfterLoss } from '../../src/supervisor/release-start.ts'
import { rolloutIn } from '../core/rollout-scene.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'first-'))
  for (const release of ['1', '2']) {
    mkdirSync(join(directory, release))
    writeFileSync(join(directory, release, 'app.js'), '')
  }
  symlinkSync('2', join(directory, 'current'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What else there is in a configuration, a release has from the one of now. */
function configOf(release: string): AppConfig {
  const place = { name: 'web', script: join(directory, release, 'app.js'), cwd: join(directory, release) }
  return place as unknown as AppConfig
}

function recordOf(id: string, release: string): ReleaseRecord {
  const config = configOf(release)
  const record = { id, version: null, path: join(directory, release), config, outcome: 'started' }
  return record as unknown as ReleaseRecord
}

/** The books of an app of which this release was last good; null is an app without a history. */
function booksWith(record: ReleaseRecord | null): ReleaseBooks {
  const books = new ReleaseBooks(join(directory, 'releases.json'), () => {})
  onTestFinished(() => books.close())
  if (record !== null)
    books.set('web', { nextRelease: 3, active: 'blue', lastGood: record.id, releases: [record], rollout: null })
  return books
}

describe('firstGeneration()', () => {
  it('is what the configuration says when there never was another release', () => {
    const { generation, words } = firstGeneration(booksWith(null), configOf('1'))
    expect([generation.release.id, generation.config.script, words]).toEqual(['r1', join(directory, '1/app.js'), null])
  })

  it('is the release that was last good, and says so where that is not what was typed, the first one too', () => {
    const { generation, words } = firstGeneration(booksWith(recordOf('r1', '1')), configOf('current'))
    expect(generation.config.script).toBe(join(directory, '1/app.js'))
    expect(words).toMatch(/^starts r1 from .*\/1, the release that was last good, and not .*\/current\/app\.js/)
    expect(firstGeneration(booksWith(recordOf('r2', '2')), configOf('gone')).words).toMatch(/^starts r2 /)
  })

  it('says nothing where it is what was typed', () => {
    expect(firstGeneration(booksWith(recordOf('r2', '2')), configOf('current')).words).toBeNull()
  })

  it('is a release of its own when that one is gone, with a word of it', () => {
    rmSync(join(directory, '2'), { recursive: true })
    const { generation, words } = firstGeneration(booksWith(recordOf('r2', '2')), configOf('1'))
    expect([generation.release.id, generation.config.script]).toEqual(['r3', join(directory, '1/app.js')])
    expect(words).toMatch(/^r2, the release that was last good, is no longer at .*\/2; starts .*\/1\/app\.js as r3$/)
  })

  it('is in the group that the release was in: its workers may be there still', () => {
    const books = booksWith(recordOf('r2', '2'))
    const known = books.of('web')
    if (known !== null) books.set('web', { ...known, active: 'green' })
    expect(firstGeneration(books, configOf('1')).generation.group).toBe('green')
  })
})

const running = () => firstGeneration(booksWith(null), configOf('1')).generation

describe('generationAfterLoss()', () => {
  it('is what was running when that was good, or nothing is known of another one', () => {
    expect(generationAfterLoss(booksWith(null), running(), 8)).toMatchObject({ number: 1, release: { id: 'r1' } })
    expect(generationAfterLoss(booksWith(recordOf('r1', '1')), running(), 8)).toMatchObject({ number: 1 })
  })

  it('is the release that was last good, as it was, when another one was running, unless it is gone', () => {
    const books = booksWith(recordOf('r2', '2'))
    const script = join(directory, '2/app.js')
    expect(generationAfterLoss(books, running(), 8)).toMatchObject({
      number: 8,
      release: { id: 'r2' },
      config: { script },
      isPinned: true,
    })
    rmSync(script)
    expect(generationAfterLoss(books, running(), 8)).toMatchObject({ number: 1, release: { id: 'r1' } })
  })
})

describe('concludeLost()', () => {
  const said: string[] = []
  const counted: string[] = []

  /** r1 begins anew after everything was lost in this state of the rollout of r2. */
  function concluded(state: RolloutState) {
    const books = booksWith(recordOf('r1', '1'))
    const known = books.of('web')
    const open = { ...recordOf('r2', '2'), outcome: null }
    if (known !== null) books.set('web', { ...known, releases: [...known.releases, open], rollout: rolloutIn(state) })
    const { generation } = firstGeneration(books, configOf('1'))
    said.length = 0
    counted.length = 0
    const app = {
      name: 'web',
      active: 'blue',
      activeGroup: { generation },
      clock: { now: () => 0 },
      record: (type: string, text: string) => said.push(`${type}: ${text}`),
      reports: { rolloutEnded: (outcome: string) => counted.push(outcome) },
    }
    // The rest of an app is nothing to it.
    concludeLost(app as unknown as App, books)
    return {
      lastGood: books.of('web')?.lastGood,
      step: books.of('web')?.rollout?.state,
      record: books.release('web', 'r2'),
    }
  }

  it('ends a watch that nobody can go on with: what was watched was never good (S3)', () => {
    const { lastGood, step, record } = concluded('baking')
    expect([lastGood, step, record?.outcome, record?.served]).toEqual(['r1', 'done', 'rolledBack', true])
    expect(said).toEqual(['rolledBack: r2 is taken back, r1 starts: its supervisor was lost before it was found good'])
    expect(counted).toEqual(['rolledBack'])
  })

  it('says of a release that never served that it was given up, and nothing of what was decided before', () => {
    expect(concluded('smoking').record).toMatchObject({ outcome: 'failed', served: false })
    expect(said).toEqual([expect.stringMatching(/^rolloutFailed: r2 is given up, r1 starts/)])
    expect(concluded('withdrawn').record).toMatchObject({ outcome: 'rolledBack', why: 'bakeFailed for a reason' })
    expect(said).toEqual([])
  })
})
