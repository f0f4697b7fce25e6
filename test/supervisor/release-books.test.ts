import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readReleases, type AppReleases } from '../../src/state/release-store.ts'
import { ReleaseBooks } from '../../src/supervisor/release-books.ts'
import { until } from '../support/until.ts'
import { makeDirectory } from './command-scene.ts'

const WEB: AppReleases = { nextRelease: 3, active: 'green', lastGood: 'r2', releases: [], rollout: null }

function open(file = join(makeDirectory(), 'state/web/releases.json')) {
  const said: string[][] = []
  const books = new ReleaseBooks(file, (...words) => said.push(words))
  onTestFinished(() => books.close())
  return { books, file, said, types: () => said.map(([type]) => type) }
}

describe('ReleaseBooks', () => {
  it('knows after a restart what was set, and not what was forgotten', () => {
    const { books, file, said } = open()
    books.set('web', WEB)
    books.set('api', WEB)
    books.forget('api')
    const { books: next, said: then } = open(file)
    expect([next.of('web'), next.of('api')]).toEqual([WEB, null])
    expect([...said, ...then]).toEqual([])
  })

  it('starts without a file that cannot be used, says so, and keeps it (S4)', () => {
    const file = join(makeDirectory(), 'releases.json')
    writeFileSync(file, '{"schema":1,"apps":{"web":{"next')
    const { books, said } = open(file)
    expect(said).toEqual([
      [
        'releasesUnusable',
        `${file} cannot be used, since it is cut short; started without it, and it is kept`,
        'error',
      ],
    ])
    books.set('web', WEB)
    expect(books.problem).toBeNull()
    expect(readFileSync(`${file}.unusable`, 'utf8')).toContain('{"next')
  })

  it('says once that it cannot write, goes on with what it knows, and writes by itself when it can again (S4)', async () => {
    const { books, file, said, types } = open()
    mkdirSync(dirname(dirname(file)))
    writeFileSync(dirname(file), 'in the way')
    books.set('web', WEB)
    books.set('web', { ...WEB, nextRelease: 4 })
    expect(said).toEqual([
      [
        'releasesNotWritten',
        `${file} cannot be written, since part of its path is not a directory; a reboot would not know of what is done now`,
        'error',
      ],
    ])
    expect([books.problem, books.of('web')?.nextRelease]).toEqual([
      `${file} cannot be written, since part of its path is not a directory`,
      4,
    ])
    rmSync(dirname(file))
    await until(() => readReleases(file).kind === 'state', 10_000, 'it is written')
    expect(types()).toEqual(['releasesNotWritten', 'releasesWritten'])
    expect(books.problem).toBeNull()
  })

  it('puts back what somebody deleted, and nothing where there was nothing (S4)', async () => {
    const { books, file, types } = open()
    const untouched = open()
    books.set('web', WEB)
    rmSync(dirname(dirname(file)), { recursive: true })
    await until(() => readReleases(file).kind === 'state', 10_000, 'it is there again')
    expect(types()).toEqual(['releasesDeleted'])
    expect(readReleases(untouched.file)).toEqual({ kind: 'none' })
  })
})
