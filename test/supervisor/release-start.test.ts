import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import type { ReleaseRecord } from '../../src/state/release-store.ts'
import { ReleaseBooks } from '../../src/supervisor/release-books.ts'
import { firstGeneration } from '../../src/supervisor/release-start.ts'

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
  const record = { id, version: null, path: join(directory, release), config: configOf(release) }
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
