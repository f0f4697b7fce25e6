// A new release is started whole beside the old one, tried, given all requests within milliseconds and taken back as fast; a
// bad one never costs a request.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AppStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { eventsOf, statusOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const REFUSED = 5

interface Scene {
  readonly home: Home
  readonly supervise: Supervise
  readonly target: Target & { readonly port: number }
  readonly load: Load
  release(version: string, fixture?: string): string
}

/** Release 1 of an app with WebSockets serves under load. */
async function startReleases(args: readonly string[] = [], fixture = 'ws.js'): Promise<Scene> {
  const home = makeHome()
  const release = (version: string, name = fixture) => {
    const directory = join(home.work, 'releases', version)
    mkdirSync(directory, { recursive: true })
    makeRelease(directory, { fixture: name, version })
    return directory
  }
  const port = await freePort()
  const script = join(release('1'), 'app.js')
  const supervise = await startSupervise([script, '-n', 'web', '-i', '2', '--port', String(port), ...QUICK, ...args], {
    home,
  })
  const target = { host: '127.0.0.1', port }
  const webSockets = fixture === 'ws.js' ? 6 : 0
  const load = startLoad({ target, lanes: mixedLanes({ webSockets }), ratePerSecond: 700, durationMs: 120_000 })
  await load.answers(200)
  return { home, supervise, target, load, release }
}

async function versionAt(target: Target): Promise<string> {
  return String((await get(target)).headers['x-release'])
}

async function appOf(supervise: Supervise): Promise<AppStatus> {
  const [app] = (await statusOf(supervise)).apps
  if (app === undefined) throw new Error('There is no app')
  return app
}

async function pidsOf(supervise: Supervise, version: string): Promise<readonly (number | null)[]> {
  const { groups } = await appOf(supervise)
  const group = [groups.blue, groups.green].find((each) => each?.version === version)
  return (group?.workers ?? []).map(({ pid }) => pid)
}

async function outcomeOf(supervise: Supervise, release: string): Promise<string | null | undefined> {
  const { stdout } = await supervise.cli('history', 'web', '--json')
  const { releases }: { releases: { release: string; outcome: string | null }[] } = JSON.parse(stdout)
  return releases.find((each) => each.release === release)?.outcome
}

describe('supervise deploy', () => {
  it('gives the standby group no public request, shows it at the preview, and moves when it is promoted (B1)', async () => {
    const preview = await freePort()
    const args = ['--no-auto-promote', '--preview', `127.0.0.1:${preview}`, '--group-header', 'let-me-in']
    const { supervise, target, load, release } = await startReleases(args)
    mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
    const versions = await Promise.all(Array.from({ length: 20 }, () => versionAt(target)))
    expect(new Set(versions)).toEqual(new Set(['1']))
    expect(await versionAt({ host: '127.0.0.1', port: preview })).toBe('2')
    mustExit(await supervise.cli('promote', 'web'), 0)
    expect(await versionAt(target)).toBe('2')
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it.each([
    ['throws at boot', 'throws-at-boot.js', []],
    ['hangs at boot', 'hangs-at-boot.js', ['--progress-deadline', '2s', '--ready-timeout', '30s']],
    ['fails its smoke test', 'ws.js', ['--smoke', 'exit 3']],
  ])(
    'refuses a release that %s: exit code 5, and the old one has missed nothing (B2, B8)',
    async (_why, fixture, args) => {
      const { supervise, target, load, release } = await startReleases(args)
      const before = await pidsOf(supervise, '1')
      const { code, stderr } = await supervise.cli('deploy', 'web', release('2', fixture))
      expect(code, stderr).toBe(REFUSED)
      expect(await versionAt(target)).toBe('1')
      await until(async () => (await appOf(supervise)).groups.green === null, 10_000, 'the refused group is gone')
      expect(await pidsOf(supervise, '1')).toEqual(before)
      mustHaveLostNothing(await load.stop())
      await supervise.stop()
    },
  )

  it('goes back by itself when the new release crashes while it is watched (B6, R4)', async () => {
    const { supervise, target, load, release } = await startReleases(['--bake', '60s', '--min-ready', '0'], 'hello.js')
    const bad = release('2', 'crashes-after-ready.js')
    await supervise.cli('deploy', 'web', bad)
    await until(async () => (await versionAt(target).catch(() => '')) === '1', 20_000, 'the old release serves again')
    const outcome = await outcomeOf(supervise, 'r2')
    expect(outcome).toMatch(/rolledBack|failed/)
    // What alerts are made of.
    const events = await eventsOf(supervise, outcome === 'failed' ? 'rolloutFailed' : 'rolledBack')
    expect(events.map(({ text }) => text)).toEqual([expect.stringMatching(/^r2 .* r1 has it: .*worker \d+ /)])
    await load.answers(200)
    await load.stop()
    await supervise.stop()
  })

  it('never promotes a release that dies right after it got ready (B7)', async () => {
    const { supervise, target, load, release } = await startReleases(
      ['--min-ready', '3s', '--env', 'LIFE_MS=500'],
      'hello.js',
    )
    const { code, stderr } = await supervise.cli('deploy', 'web', release('2', 'crashes-after-ready.js'))
    expect(code, stderr).toBe(REFUSED)
    expect(await versionAt(target)).toBe('1')
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('replaces a release that waits for its promotion by a newer one (B9)', async () => {
    const { supervise, target, load, release } = await startReleases(['--no-auto-promote'])
    mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
    mustExit(await supervise.cli('deploy', 'web', release('3')), 0)
    expect((await appOf(supervise)).groups.green?.version).toBe('3')
    expect(await outcomeOf(supervise, 'r2')).toBe('superseded')
    expect(await versionAt(target)).toBe('1')
    mustExit(await supervise.cli('abort', 'web'), 0)
    await until(async () => (await appOf(supervise)).groups.green === null, 20_000, 'the aborted group is gone')
    expect(await versionAt(target)).toBe('1')
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('with the rolling strategy takes the places of the workers one after the other', async () => {
    const { supervise, target, load, release } = await startReleases()
    mustExit(await supervise.cli('deploy', 'web', release('2'), '--strategy', 'rolling'), 0)
    expect(await versionAt(target)).toBe('2')
    expect((await appOf(supervise)).groups.green).toBeNull()
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('asks the hooks, and refuses what cannot live on the same data', async () => {
    const { home, supervise, target, load, release } = await startReleases([
      '--hook-pre-rollout',
      'test ! -e "$NO"',
      '--env',
      'NO=/nowhere',
    ])
    const second = release('2')
    writeFileSync(join(home.work, 'releases/1/supervise.release.json'), '{"data":{"writes":6,"reads":[6]}}')
    writeFileSync(join(second, 'supervise.release.json'), '{"data":{"writes":7,"reads":[6,7]}}')
    const apart = await supervise.cli('deploy', 'web', second)
    expect(apart.code).toBe(REFUSED)
    expect(apart.stderr).toContain('[DATA_VERSIONS_APART]')
    writeFileSync(join(second, 'supervise.release.json'), '{"data":{"writes":6,"reads":[6,7]}}')
    mustExit(await supervise.cli('deploy', 'web', second), 0)
    expect(await versionAt(target)).toBe('2')
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})

describe('a stop during a deploy', () => {
  it('ends both groups, and the deploy says that it was given up (R9)', async () => {
    const { supervise, load, release } = await startReleases(['--progress-deadline', '60s'])
    await load.stop()
    const deploying = supervise.cli('deploy', 'web', release('2', 'hangs-at-boot.js'))
    await until(async () => (await appOf(supervise)).groups.green !== null, 15_000, 'the new group is there')
    mustExit(await supervise.cli('stop', 'web', '--now'), 0)
    const { code, stderr } = await deploying
    expect(stderr).toMatch(/was stopped meanwhile|connection/i)
    expect(code).not.toBe(0)
    await supervise.ended()
    await supervise.mustHaveNoOrphan()
  })
})

describe('supervise rollback', () => {
  it('starts an older release again when it is not warm any more (B5)', async () => {
    const { supervise, target, load, release } = await startReleases(['--rollback-window', '0', '--bake', '0'])
    mustExit(await supervise.cli('deploy', 'web', release('2')), 0)
    await until(async () => (await appOf(supervise)).groups.blue === null, 20_000, 'the old release has ended')
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect(await versionAt(target)).toBe('1')
    const steps = (await eventsOf(supervise, 'rolloutStep')).map(({ text }) => text)
    expect(steps).toEqual(expect.arrayContaining(['rollout of r3: ready', 'rollout of r3: smoking']))
    // What was gone back from is not gone back to.
    expect((await supervise.cli('rollback', 'web')).stderr).toContain('no good release before r3')
    expect(await versionAt(target)).toBe('1')
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('names what cannot be done', async () => {
    const { home, supervise, load, release } = await startReleases()
    await load.stop()
    expect((await supervise.cli('rollback', 'web')).stderr).toContain('[NO_PREVIOUS_RELEASE]')
    expect((await supervise.cli('flip', 'web')).stderr).toContain('[NO_STANDBY]')
    expect((await supervise.cli('promote', 'web')).stderr).toContain('[NO_ROLLOUT]')
    expect((await supervise.cli('deploy', 'web', join(home.work, 'nowhere'))).stderr).toContain(
      '[RELEASE_PATH_MISSING]',
    )
    const empty = release('empty')
    rmSync(join(empty, 'app.js'))
    expect((await supervise.cli('deploy', 'web', empty)).stderr).toContain('[RELEASE_WITHOUT_SCRIPT]')
    expect((await supervise.cli('rollback', 'web', 'r9')).code).toBe(4)
    await supervise.stop()
  })
})
