// An app that ends in the middle of a rollout, by a stop, together with its supervisor or with the host, begins again with
// the release that was last good, and the books say how the other one ended.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ReleaseStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { appOf } from '../support/release-scene.ts'
import { fixture, makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

async function makeScene(more: readonly string[] = []) {
  const home = makeHome()
  const port = await freePort()
  const release = (version: string, reads = [6, 7]) => {
    const directory = join(home.work, 'releases', version)
    makeRelease(directory, { fixture: 'hello.js', version })
    writeFileSync(join(directory, 'supervise.release.json'), JSON.stringify({ data: { writes: 7, reads } }))
    return directory
  }
  const args = [join(release('1'), 'app.js'), '-n', 'web', '-i', '2', '--port', String(port), ...QUICK, ...more]
  return {
    home,
    release,
    options: { workers: 2, port, backoff: { first: '100ms' }, drainTimeout: '3s' },
    start: () => startSupervise(args, { home }),
    version: async () => String((await get({ host: '127.0.0.1', port })).headers['x-release']),
  }
}

async function outcomes(supervise: Supervise): Promise<readonly string[]> {
  const { stdout } = await supervise.cli('history', 'web', '--json')
  const { releases }: { releases: readonly ReleaseStatus[] } = JSON.parse(stdout)
  return releases.map(({ release, outcome }) => `${release} ${outcome}`)
}

/** As the books have it on disk. */
function keptRelease(home: Home, id: string): unknown {
  const state = join(home.directory, 'state/supervise')
  const [instance = ''] = readdirSync(state)
  const { apps } = JSON.parse(readFileSync(join(state, instance, 'releases.json'), 'utf8'))
  return apps.web.releases.find((release: { readonly id: string }) => release.id === id)
}

async function isAlone(supervise: Supervise): Promise<boolean> {
  const { groups, rollout } = await appOf(supervise)
  return rollout === null && [groups.blue, groups.green].filter(Boolean).length === 1
}

/** The supervisor first, so that it sees nothing of the rest. */
async function killAll(supervise: Supervise): Promise<void> {
  const pids = supervise.home.workers()
  supervise.signal('SIGKILL')
  await supervise.ended()
  for (const pid of pids) sendIfAlive(pid, 'SIGKILL')
  await until(() => !pids.some(isAlive), 5_000, 'nothing lives')
}

it('begins with the last good release after a stop, a kill of everything and a reboot (S3)', async () => {
  const { home, release, start, version } = await makeScene(['--hook-contract', 'touch told', '--rollback-window', '0'])
  const told = () => existsSync(join(home.work, 'told'))
  let supervise = await start()
  mustExit(await supervise.cli('deploy', 'web', release('2', [7])), 0)
  await supervise.stop()
  // What was still being watched is not good by that, and what the old release needs is not taken away.
  supervise = await start()
  expect([await version(), await isAlone(supervise), told()]).toEqual(['1', true, false])
  expect(await outcomes(supervise)).toEqual(['r1 started', 'r2 aborted'])
  const begun = (await eventsOf(supervise, 'startsRelease')).at(-1)?.text
  expect(begun).toMatch(/^starts r1 .*the last good release, and not r2 \(aborted: the app was stopped\)$/)

  mustExit(await supervise.cli('deploy', 'web', release('3', [7])), 0)
  await killAll(supervise)
  supervise = await start()
  expect([await version(), await isAlone(supervise), told()]).toEqual(['1', true, false])
  expect((await untilEvent(supervise, 'rolledBack')).text).toMatch(/^r3 is taken back, r1 starts: /)

  mustExit(await supervise.cli('deploy', 'web', release('4', [7])), 0)
  await killAll(supervise)
  rmSync(home.instanceDirectory(), { recursive: true })
  supervise = await start()
  expect([await version(), await isAlone(supervise), told()]).toEqual(['1', true, false])

  mustExit(await supervise.cli('deploy', 'web', release('5', [7])), 0)
  mustExit(await supervise.cli('promote', 'web'), 0)
  await until(told, 10_000, 'the contract step is made')
  const last = ['r2 aborted', 'r3 rolledBack', 'r4 rolledBack', 'r5 promoted']
  expect(await outcomes(supervise)).toEqual(['r1 started', ...last])
  expect((await eventsOf(supervise, 'internalError')).map(({ text }) => text)).toEqual([])
  await supervise.stop()
})

it('knows how a rolling deploy ended whose supervisor was killed, and needs no directory of an old release (S3)', async () => {
  const { home, release, version, options } = await makeScene()
  const config = join(home.work, 'supervise.config.json')
  const web = { name: 'web', script: join(home.work, 'releases/1/app.js'), ...options, strategy: 'rolling' }
  const other = { name: 'other', script: fixture('port-zero.js'), workers: 1 }
  const apps = [{ ...web, minReady: '20s', maxSurge: '100%' }, other]
  writeFileSync(config, JSON.stringify({ apps }))
  const start = () => startSupervise([config], { home })
  let supervise = await start()
  // The old ones are let go when the new ones have lived for that long.
  supervise.cli('deploy', 'web', release('2')).catch(() => {})
  const areBoth = async () => (await supervise.workers('web')).filter(({ state }) => state === 'serving').length === 4
  await until(areBoth, 15_000, 'new workers serve beside the old ones')
  const [old, fresh] = await pidsByGeneration(supervise)
  mustExit(await supervise.cli('stop', 'other'), 0)
  supervise.signal('SIGKILL')
  await supervise.ended()
  // Whatever comes of it: what it wrote must be read by those after it.
  expect(keptRelease(home, 'r2')).toMatchObject({ outcome: null, served: true })
  for (const pid of old) sendIfAlive(pid, 'SIGKILL')
  rmSync(join(home.work, 'releases/1'), { recursive: true })

  // The other app is started, too: that the configuration points at nothing for this one is no mistake.
  supervise = await start()
  expect([await version(), await outcomes(supervise)]).toEqual(['2', ['r1 started', 'r2 promoted']])
  expect(await supervise.pids('web')).toEqual(fresh)
  mustExit(await supervise.cli('diff', 'web'), 0)
  mustExit(await supervise.cli('stop', 'web'), 0)
  mustExit(await supervise.cli('start', 'web'), 0)
  expect(await version()).toBe('2')
  expect((await eventsOf(supervise, 'internalError')).map(({ text }) => text)).toEqual([])
  await supervise.stop()
})

it('treats the warm group as the other one: over a limit it is replaced, and it is scaled; a stop ends a hook (R9)', async () => {
  const hold = 'touch asked; until [ ! -e hold ]; do sleep 0.05; done'
  const { home, release, start, version } = await makeScene(['--max-requests', '5', '--hook-pre-rollout', hold])
  const supervise = await start()
  mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
  const warm = async () => (await appOf(supervise)).groups.blue?.workers ?? []
  const before = (await warm()).map(({ pid }) => pid)
  const { stdout } = await supervise.cli('preview', 'web', '--json')
  const { endpoints }: { endpoints: readonly string[] } = JSON.parse(stdout)
  for (const path of endpoints) await Promise.all(Array.from({ length: 9 }, () => get({ path })))
  const areOthers = async () => (await warm()).every(({ pid, state }) => state === 'standby' && !before.includes(pid))
  await until(areOthers, 20_000, 'the warm workers are replaced')
  mustExit(await supervise.cli('scale', 'web', '3'), 0)
  await until(async () => (await warm()).length === 3 && (await areOthers()), 15_000, 'the warm group is as large')
  expect(await version()).toBe('2')

  writeFileSync(join(home.work, 'hold'), '')
  rmSync(join(home.work, 'asked'))
  const deploying = supervise.cli('deploy', 'web', release('3'))
  await until(() => existsSync(join(home.work, 'asked')), 10_000, 'the hook is asked')
  mustExit(await supervise.cli('stop', 'web', '--now'), 0)
  expect((await deploying).stderr).not.toContain('HOOK_SAID_NO')
  await supervise.ended()
  await supervise.mustHaveNoOrphan()
})

/** Pids of the workers, those of the older generation first. */
async function pidsByGeneration(supervise: Supervise): Promise<readonly [readonly number[], readonly number[]]> {
  const workers = await supervise.workers('web')
  const first = Math.min(...workers.map(({ generation }) => generation))
  const pids = (isOld: boolean) =>
    workers.flatMap(({ pid, generation }) => (pid !== null && (generation === first) === isOld ? [pid] : []))
  return [pids(true), pids(false)]
}
