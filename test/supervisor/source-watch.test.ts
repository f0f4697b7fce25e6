import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { systemClock } from '../../src/supervisor/clock.ts'
import { SourceWatch } from '../../src/supervisor/source-watch.ts'

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

async function open(...paths: string[]): Promise<void> {
  for (const path of paths) mkdirSync(path, { recursive: true })
  watch = new SourceWatch({ paths, ignore: [], quietMs: 10 }, app, systemClock, (file) => changes.push(file))
  await watch.open()
}

describe('SourceWatch', () => {
  it('watches what it was told to, whatever the folders are called', async () => {
    await open(join(home, '.conf'), join(home, 'tmp', 'in'), join(app, '.more'), app)
    for (const folder of [join(home, '.conf'), join(home, 'tmp', 'in'), join(app, '.more')]) {
      const seen = changes.length
      writeFileSync(join(folder, 'a.json'), '{}')
      // oxlint-disable-next-line no-await-in-loop -- each is a change of its own
      await expect.poll(() => changes.length).toBeGreaterThan(seen)
    }
    expect(changes).toEqual(['../.conf/a.json', '../tmp/in/a.json', '.more/a.json'])
  })

  it('overlooks hidden and temporary folders below it', async () => {
    await open(app)
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
})
