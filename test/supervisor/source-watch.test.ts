import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock, type Clock } from '../../src/supervisor/clock.ts'
import { SourceWatch } from '../../src/supervisor/source-watch.ts'
import { StoppableClock } from '../../src/supervisor/stoppable-clock.ts'
import { until } from '../support/until.ts'

let home: string
let app: string
let watch: SourceWatch | null = null
const changes: string[] = []

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'source-watch-'))
  app = join(home, 'app')
  changes.length = 0
})

afterEach(async () => {
  await watch?.close()
  rmSync(home, { recursive: true, force: true })
})

async function open(
  paths: readonly string[],
  since: number | null = null,
  quietMs = 10,
  clock: Clock = systemClock,
): Promise<void> {
  for (const path of paths) mkdirSync(path, { recursive: true })
  watch = new SourceWatch({ paths, ignore: [], quietMs }, app, clock, (file) => changes.push(file))
  await watch.open(since)
}

describe('SourceWatch', () => {
  it('watches what it was told to, whatever the folders are called', async () => {
    await open([join(home, '.conf'), join(home, 'tmp', 'in'), join(app, '.more'), app])
    for (const folder of [join(home, '.conf'), join(home, 'tmp', 'in'), join(app, '.more')]) {
      const seen = changes.length
      writeFileSync(join(folder, 'a.json'), '{}')
      // oxlint-disable-next-line no-await-in-loop -- each is a change of its own
      await expect.poll(() => changes.length).toBeGreaterThan(seen)
    }
    expect(changes).toEqual(['../.conf/a.json', '../tmp/in/a.json', '.more/a.json'])
  })

  it('overlooks hidden and temporary folders below it', async () => {
    await open([app])
    for (const folder of ['.git', 'tmp', 'node_modules']) {
      mkdirSync(join(app, folder))
      writeFileSync(join(app, folder, 'a.json'), '{}')
    }
    writeFileSync(join(app, 'a.log'), '')
    // What it would tell wrongly comes within this time.
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(changes).toEqual([])
    writeFileSync(join(app, 'a.js'), '')
    await expect.poll(() => changes).toEqual(['a.js'])
  })

  it('sees what has changed since a time before it was opened, moved there or written, and nothing older (S7)', async () => {
    mkdirSync(app, { recursive: true })
    writeFileSync(join(app, 'old.js'), '')
    writeFileSync(join(home, 'moved.js'), '')
    const longAgo = new Date('2001-01-01')
    utimesSync(join(home, 'moved.js'), longAgo, longAgo)
    const made = statSync(join(app, 'old.js')).ctimeMs
    await until(() => Date.now() > made + 1_200, 5_000, 'it is old')
    const since = Date.now()
    renameSync(join(home, 'moved.js'), join(app, 'moved.js'))
    await open([app], since)
    await expect.poll(() => changes).toEqual(['moved.js'])
    writeFileSync(join(app, 'old.js'), 'new')
    await expect.poll(() => changes).toEqual(['moved.js', 'old.js'])
  })

  it('names the change that waits for its quiet time, and acts on one that somebody else has seen (S7)', async () => {
    await open([app], null, 60_000)
    writeFileSync(join(app, 'a.js'), '')
    await expect.poll(() => watch?.pending).toBe('a.js')
    await watch?.close()
    await open([app])
    expect(watch?.pending).toBe(null)
    watch?.note('a.js')
    await expect.poll(() => changes).toEqual(['a.js'])
    expect(watch?.pending).toBe(null)
  })

  it('acts on a change that came while the clock was stopped, as soon as it goes on (S7)', async () => {
    const clock = new StoppableClock()
    await open([app], null, 10, clock)
    clock.stop()
    writeFileSync(join(app, 'a.js'), '')
    await expect.poll(() => watch?.pending).toBe('a.js')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(changes).toEqual([])
    clock.goOn()
    expect(changes).toEqual(['a.js'])
  })
})
