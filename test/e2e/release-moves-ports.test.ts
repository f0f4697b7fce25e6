// A release may listen elsewhere than the one before it: the new port answers before the old one stops, going back brings
// the old one back, and a release that does not get its ports changes nothing.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { get } from '../support/get.ts'
import type { Supervise } from '../support/harness.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { canConnect } from '../support/plain-app.ts'
import { appOf, startReleases, type ReleaseScene } from '../support/release-scene.ts'
import { until } from '../support/until.ts'

const REFUSED = 5
const HOST = '127.0.0.1'
const STRATEGIES = ['blue-green', 'rolling'] as const
/** The old release ends as soon as the new one serves. */
const ONE_AT_A_TIME: Readonly<Record<(typeof STRATEGIES)[number], readonly string[]>> = {
  'blue-green': ['--bake', '0', '--rollback-window', '0'],
  rolling: ['--strategy', 'rolling'],
}

function start(args: readonly string[] = []): Promise<ReleaseScene> {
  const quick = ['--env', `HOST=${HOST}`, '--ready-timeout', '3s', '--drain-timeout', '2s']
  return startReleases({ fixture: 'listens-as-written.js', ports: 3, args: [...quick, ...args] })
}

/** A release that listens so far above the app's first port. */
function releaseOn(scene: ReleaseScene, version: string, offsets: readonly number[]): string {
  const directory = scene.release(version)
  writeFileSync(join(directory, 'ports.txt'), offsets.join(' '))
  return directory
}

async function versionOn(port: number): Promise<string> {
  return String((await get({ host: HOST, port })).headers['x-release'])
}

async function portsOf(supervise: Supervise): Promise<readonly (number | null | undefined)[]> {
  return (await appOf(supervise)).listeners.map(({ port }) => port)
}

async function mustClose(port: number): Promise<void> {
  await until(async () => !(await canConnect({ host: HOST, port })), 15_000, `port ${port} is closed`)
}

/** Another program's. */
async function occupy(port: number): Promise<void> {
  const server = net.createServer().listen(port, HOST)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
}

describe('supervise deploy of a release that listens elsewhere', () => {
  it('opens the new port with the flip, and has both answered while both releases are up (A8, B1)', async () => {
    const scene = await start(['--no-auto-promote'])
    const { supervise, load, port } = scene
    mustExit(await supervise.cli('deploy', 'web', releaseOn(scene, '2', [1])), 0)
    expect(await canConnect({ host: HOST, port: port + 1 })).toBe(false)
    mustExit(await supervise.cli('promote', 'web'), 0)
    const second = startLoad({
      target: { host: HOST, port: port + 1 },
      lanes: mixedLanes({ webSockets: 0 }),
      ratePerSecond: 500,
    })
    await second.answers(50)
    expect([await versionOn(port), await versionOn(port + 1)]).toEqual(['1', '2'])
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect([await versionOn(port), await versionOn(port + 1)]).toEqual(['1', '2'])
    mustExit(await supervise.cli('flip', 'web'), 0)
    expect([await versionOn(port), await versionOn(port + 1)]).toEqual(['1', '2'])
    await load.answers(50)
    await second.answers(50)
    mustHaveLostNothing(await load.stop())
    mustHaveLostNothing(await second.stop())
    await supervise.stop()
  })

  it.each(STRATEGIES)(
    'by %s closes what only the old release has in the end, and a rollback opens it again (A8)',
    async (strategy) => {
      const scene = await start(ONE_AT_A_TIME[strategy])
      const { supervise, load, port } = scene
      mustExit(await supervise.cli('deploy', 'web', releaseOn(scene, '2', [0, 1])), 0)
      expect([await versionOn(port), await versionOn(port + 1)]).toEqual(['2', '2'])
      mustExit(await supervise.cli('rollback', 'web'), 0)
      expect(await versionOn(port)).toBe('1')
      await mustClose(port + 1)
      mustHaveLostNothing(await load.stop())

      mustExit(await supervise.cli('deploy', 'web', releaseOn(scene, '3', [1])), 0)
      expect(await versionOn(port + 1)).toBe('3')
      await mustClose(port)
      mustExit(await supervise.cli('rollback', 'web'), 0)
      expect(await versionOn(port)).toBe('1')
      await mustClose(port + 1)
      expect(await portsOf(supervise)).toEqual([port])
      await supervise.stop()
    },
  )

  it.each(STRATEGIES)(
    'by %s refuses one that does not get its ports, and nothing was missed (A8, A9)',
    async (strategy) => {
      const scene = await start(['--strategy', strategy])
      const { supervise, load, port } = scene
      await occupy(port + 2)
      const before = await supervise.pids()
      const mustRefuse = async (version: string, offsets: readonly number[], words: RegExp) => {
        const { code, stderr } = await supervise.cli('deploy', 'web', releaseOn(scene, version, offsets))
        expect(code, stderr).toBe(REFUSED)
        expect(stderr).toMatch(words)
        expect(await versionOn(port)).toBe('1')
        await until(async () => (await appOf(supervise)).groups.green === null, 10_000, 'what was tried is gone')
        expect(await supervise.pids()).toEqual(before)
        expect(await portsOf(supervise)).toEqual([port])
      }
      await mustRefuse('2', [], /listen/)
      await mustRefuse('3', [0, 2], /in use/)
      mustHaveLostNothing(await load.stop())
      await supervise.stop()
    },
  )
})
