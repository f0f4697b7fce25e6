/* oxlint-disable typescript/no-unsafe-type-assertion -- what is not asked of an app is left out */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { App } from '../../src/supervisor/app.ts'
import { AppWatches, type WatchedBefore } from '../../src/supervisor/app-watches.ts'
import { systemClock } from '../../src/supervisor/clock.ts'

function makeScene(before: WatchedBefore | null) {
  const cwd = mkdtempSync(join(tmpdir(), 'app-watches-'))
  mkdirSync(join(cwd, 'lib'))
  const changes: string[] = []
  const told: string[] = []
  const app = {
    name: 'web',
    config: { cwd, watch: { paths: [cwd], ignore: [], quietMs: 20 } },
    isStopped: false,
    isAdopting: before !== null,
    adoption: null as Promise<unknown> | null,
    record: (type: string) => told.push(type),
  }
  const watches = new AppWatches(systemClock, ({ name }, file) => changes.push(`${name} ${file}`), before)
  onTestFinished(async () => {
    await watches.close()
    rmSync(cwd, { recursive: true, force: true })
  })
  const follow = () => watches.follow(app as unknown as App)
  return { app, cwd, changes, told, watches, follow }
}

it('AppWatches tells which change is waiting (S7)', async () => {
  const { app, cwd, watches, told, follow } = makeScene(null)
  app.config.watch.quietMs = 60_000
  follow()
  await expect.poll(() => told).toEqual(['watching'])
  expect(watches.pending()).toEqual({})
  writeFileSync(join(cwd, 'lib/a.js'), '')
  await expect.poll(() => watches.pending()).toEqual({ web: 'lib/a.js' })
})

it.each([
  ['left', 'left.js', null],
  ['missed', null, 'missed.js'],
  ['left and missed', 'left.js', 'missed.js'],
])(
  'AppWatches acts once, when workers are being taken up, on what another supervisor has %s (S7)',
  async (...facts) => {
    const [, left, missed] = facts
    const before = { changedSince: performance.timeOrigin + performance.now(), changedOf: () => left }
    const { app, cwd, changes, told, follow } = makeScene(before)
    if (missed !== null) writeFileSync(join(cwd, missed), '')
    follow()
    await expect.poll(() => told).toEqual(['watching'])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(changes).toEqual([])
    app.adoption = Promise.resolve()
    await expect.poll(() => changes.length).toBe(1)
    expect([left, missed].map((file) => `web ${file}`)).toContain(changes[0])
    // Of a later configuration the one before knew nothing.
    app.config.watch.quietMs = 30
    follow()
    await expect.poll(() => told).toEqual(['watching', 'watching'])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(changes.length).toBe(1)
  },
)
