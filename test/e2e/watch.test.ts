// With --watch a saved file is a reload: nothing is lost, and what does not work changes nothing.

import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { EventRecord } from '../../src/control/messages.ts'
import { get } from '../support/get.ts'
import type { Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { makeRelease } from '../support/releases.ts'
import { startApp, type StartedApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

/** Longer than the quiet time, a reload and a busy machine take. */
const NOTHING_MS = 1_500

interface Watched extends StartedApp {
  readonly directory: string
  events(): Promise<readonly EventRecord[]>
}

async function startWatched(...args: readonly string[]): Promise<Watched> {
  const home = makeHome()
  const directory = join(home.work, 'app')
  makeRelease(directory, { fixture: 'hello.js', version: '1' })
  const options = { home, cwd: directory }
  const started = await startApp('app.js', ['-i', '1', '--watch', '--min-ready', '300ms', ...args], options)
  const events = () => eventsOf(started.supervise)
  await until(async () => (await events()).some(({ type }) => type === 'watching'), 5_000, 'its files are watched')
  return { ...started, directory, events }
}

async function eventsOf(supervise: Supervise): Promise<readonly EventRecord[]> {
  const { stdout } = await supervise.cli('events', '--json', '-n', '200')
  return stdout
    .trim()
    .split('\n')
    .map((line): EventRecord => JSON.parse(line))
}

async function count({ events }: Watched, type: string): Promise<number> {
  return (await events()).filter((event) => event.type === type).length
}

function isIdle({ supervise }: Watched): Promise<boolean> {
  return supervise.app().then(({ operation, state }) => operation === null && state === 'online')
}

describe('supervise start --watch', () => {
  it('reloads once for a burst of changes, after a quiet time, and names the file', async () => {
    // So long that a test that stands still between two of the changes does not make two bursts of them.
    const watched = await startWatched('--watch-quiet', '2s')
    const { directory, target } = watched
    const before = (await get(target)).pid
    for (const version of ['2', '3', '4']) {
      writeFileSync(join(directory, 'version.txt'), version)
      // oxlint-disable-next-line no-await-in-loop -- an editor that saves three files one after the other
      await pause(60)
    }

    await until(async () => (await get(target)).headers['x-release'] === '4', 10_000, 'the last version answers')
    await until(() => isIdle(watched), 10_000, 'the reload is over')
    expect((await get(target)).pid).not.toBe(before)
    const reloads = (await watched.events()).filter(({ type }) => type === 'reloadStarted')
    expect(reloads).toMatchObject([{ cause: 'watch version.txt' }])
    await watched.supervise.stop()
  })

  it('keeps the old code serving when a change breaks the app, shows the error, and the next change heals it', async () => {
    const watched = await startWatched()
    const { directory, target, supervise } = watched
    const script = join(directory, 'app.js')
    const before = (await get(target)).pid

    appendFileSync(script, '\nnothing.isCalled(this)\n')
    await supervise.waitForOutput(/nothing is not defined/, 10_000)
    await until(() => isIdle(watched), 10_000, 'the reload was given up')
    expect((await get(target)).pid).toBe(before)
    const refused = (await watched.events()).find(({ type }) => type === 'reloadRefused')
    expect(refused).toMatchObject({ cause: 'watch app.js' })
    expect(refused?.text).toContain('nothing is not defined')

    makeRelease(directory, { fixture: 'hello.js', version: '5' })
    await until(async () => (await get(target)).headers['x-release'] === '5', 10_000, 'the healed version answers')
    await supervise.stop()
  })

  it('overlooks node_modules, dot files, logs and new folders', async () => {
    const watched = await startWatched()
    const { directory, target } = watched
    const before = (await get(target)).pid
    mkdirSync(join(directory, 'lib/node_modules/left-pad'), { recursive: true })
    writeFileSync(join(directory, 'lib/node_modules/left-pad/index.js'), 'module.exports = 1\n')
    writeFileSync(join(directory, '.env.swp'), 'x')
    writeFileSync(join(directory, 'app.log'), 'x')
    await pause(NOTHING_MS)
    expect(await count(watched, 'reloadStarted')).toBe(0)
    expect((await get(target)).pid).toBe(before)
    await watched.supervise.stop()
  })
})
