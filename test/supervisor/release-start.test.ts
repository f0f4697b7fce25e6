import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import type { ReleaseRecord } from '../../src/state/release-store.ts'
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
  const place = { script: join(directory, release, 'app.js'), cwd: join(directory, release) }
  return place as unknown as AppConfig
}

function recordOf(id: string, release: string): ReleaseRecord {
  const record = { id, version: null, path: join(directory, release), config: configOf(release) }
  return record as unknown as ReleaseRecord
}

describe('firstGeneration()', () => {
  it('is what the configuration says when there never was another release', () => {
    const { generation, words } = firstGeneration(null, configOf('1'), 'blue')
    expect([generation.release.id, generation.config.script, words]).toEqual(['r1', join(directory, '1/app.js'), null])
  })

  it('is the release that was last good, and says so where that is not what was typed, the first one too', () => {
    const { generation, words } = firstGeneration(recordOf('r1', '1'), configOf('current'), 'blue')
    expect(generation.config.script).toBe(join(directory, '1/app.js'))
    expect(words).toMatch(/^starts r1 from .*\/1, the release that was last good, and not .*\/current\/app\.js/)
    expect(firstGeneration(recordOf('r2', '2'), configOf('gone'), 'blue').words).toMatch(/^starts r2 /)
  })

  it('says nothing where it is what was typed', () => {
    expect(firstGeneration(recordOf('r2', '2'), configOf('current'), 'blue').words).toBeNull()
  })
})
