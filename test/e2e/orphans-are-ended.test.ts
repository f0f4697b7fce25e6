// A supervisor that is gone for good: its workers can be seen, and ended without harm to anybody else.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Home } from '../support/home.ts'
import { get } from '../support/get.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'
import { startTimeOf } from '../../src/state/process-identity.ts'

async function endOrphans(home: Home, ...words: readonly string[]): Promise<string> {
  const result = await home.cli(['stop', '--orphans', ...words])
  mustExit(result, 0)
  return result.stdout
}

async function orphaned() {
  const scene = await startApp(fixture('hello.js'))
  const pids = await scene.supervise.pids()
  scene.supervise.signal('SIGKILL')
  await scene.supervise.ended()
  return { ...scene, pids, directory: scene.supervise.home.instanceDirectory() }
}

it('orphans are seen, drained and ended, and what their directory says of others harms nobody (C11)', async () => {
  const { supervise, target, pids, directory } = await orphaned()
  const { home } = supervise
  expect((await home.cli(['status'])).stdout).toMatch(/its supervisor is dead, 2 workers still run/)
  // It had not been told to stop: whoever restarts it takes them over.
  await endOrphans(home, '--if-ending')
  expect(pids.every((pid) => isAlive(pid))).toBe(true)

  // A state that names somebody else's process, with its start time.
  const stranger = spawn('sleep', ['600'])
  onTestFinished(() => void stranger.kill('SIGKILL'))
  const file = join(directory, 'state.json')
  const state = JSON.parse(readFileSync(file, 'utf8'))
  const [first] = state.workers
  const forged = {
    ...first,
    id: 3,
    incarnation: 'forged',
    pid: stranger.pid,
    startTime: startTimeOf(stranger.pid ?? 0),
  }
  writeFileSync(file, JSON.stringify({ ...state, workers: [...state.workers, forged] }))

  const slow = get(target, '/slow?ms=2000', 20_000)
  await until(async () => (await get(target)).status === 200, 5_000, 'another request is answered')
  const stopped = await endOrphans(home, '--json')
  expect((await slow).status).toBe(200)
  const [instance] = JSON.parse(stopped).instances
  expect(new Set(instance.workers.map((worker: { pid: number }) => worker.pid))).toEqual(new Set(pids))
  expect(instance.workers.every((worker: { drained: boolean }) => worker.drained)).toBe(true)
  expect(isAlive(stranger.pid ?? 0)).toBe(true)
  expect(existsSync(directory)).toBe(false)
  await supervise.mustHaveNoOrphan()
  expect(await endOrphans(home)).toBe('There are no orphans.\n')
})

it('orphans of a state that is lost are ended, and those of a supervisor that was killed while it stopped', async () => {
  const lost = await orphaned()
  writeFileSync(join(lost.directory, 'state.json'), '{')
  const seen = (await lost.supervise.home.cli(['status'])).stdout
  const named = /2 workers still run \(pids (\d+), (\d+)\)/.exec(seen)?.slice(1).map(Number)
  expect(new Set(named)).toEqual(new Set(lost.pids))
  expect(await endOrphans(lost.supervise.home)).toBe('Instance hello: 2 orphans ended (drained).\n')
  await lost.supervise.mustHaveNoOrphan()

  const { supervise, target } = await startApp(fixture('hello.js'), ['--drain-timeout', '20s'])
  const live = await supervise.home.cli(['stop', '--orphans', '--instance', 'hello'])
  expect(live).toMatchObject({ code: 8, stderr: expect.stringContaining('supervise stop --all') })
  const slow = get(target, '/slow?ms=4000', 20_000)
  await until(async () => (await get(target)).status === 200, 5_000, 'another request is answered')
  supervise.signal('SIGTERM')
  await until(async () => (await supervise.workers()).every(({ state }) => state !== 'serving'), 5_000, 'it drains')
  supervise.signal('SIGKILL')
  await supervise.ended()
  await endOrphans(supervise.home, '--if-ending')
  expect((await slow).status).toBe(200)
  await supervise.mustHaveNoOrphan()
})
