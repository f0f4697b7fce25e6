// A deploy that cannot be, or a test or hook that misbehaves, is one clear message with what to do; the active group is
// untouched, and no request is lost.

import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AppStatus, ReleaseStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, type CliResult, type Home } from '../support/home.ts'
import { crashesOf, eventsOf, statusOf, workersOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, rss, sendIfAlive } from '../support/processes.ts'
import { makeRelease } from '../support/releases.ts'
import { until } from '../support/until.ts'
import { serve } from '../supervisor/command-scene.ts'

const BUSY = 8
const REFUSED = 5
const FAILED = 1

interface Scene {
  readonly home: Home
  readonly supervise: Supervise
  readonly target: { readonly host: string; readonly port: number }
  /** Makes a release and answers its directory. */
  release(version: string, fixture?: string): string
  /** What the next deploy reads. */
  configure(more: object): void
  app(): Promise<AppStatus>
  /** Version that serves. */
  version(): Promise<string>
}

async function startScene(more: object = {}): Promise<Scene> {
  const home = makeHome()
  const port = await freePort()
  const release = (version: string, fixture = 'hello.js') => {
    const directory = join(home.work, 'releases', version)
    makeRelease(directory, { fixture, version })
    return directory
  }
  const always = {
    name: 'web',
    script: join(release('1'), 'app.js'),
    workers: 2,
    port,
    minReady: '200ms',
    drainTimeout: '3s',
    backoff: { first: '100ms' },
  }
  const configure = (some: object) =>
    writeFileSync(join(home.work, 'supervise.config.json'), JSON.stringify({ ...always, ...some }))
  configure(more)
  const supervise = await startSupervise([], { home })
  const app = async () => (await statusOf(supervise)).apps[0] as AppStatus
  const target = { host: '127.0.0.1', port }
  const version = async () => String((await get(target)).headers['x-release'])
  return { home, supervise, target, release, configure, app, version }
}

/** One message, in this form: what is so, and what to do. */
function mustSay(result: CliResult, code: number, message: RegExp, fix: RegExp): void {
  const said = result.stderr + result.stdout
  expect(said).toMatch(message)
  expect(said).toMatch(fix)
  expect(said.match(/Cannot /g)).toHaveLength(1)
  expect(said).not.toMatch(/at .*\/(src|dist)\//)
  expect(result.code, said).toBe(code)
}

async function historyOf(supervise: Supervise): Promise<readonly ReleaseStatus[]> {
  const { releases }: { releases: readonly ReleaseStatus[] } = JSON.parse(
    (await supervise.cli('history', 'web', '--json')).stdout,
  )
  return releases
}

describe('supervise deploy refuses', () => {
  it('paths, smoke tests and hooks that cannot be, and the active group serves on (B2)', async () => {
    const { home, supervise, target, release, configure, app } = await startScene()
    const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), ratePerSecond: 500, durationMs: 120_000 })
    await load.answers(100)
    const pids = await supervise.pids()
    const deploy = (path: string) => supervise.cli('deploy', 'web', path)

    const file = join(home.work, 'file')
    writeFileSync(file, '')
    mustSay(await deploy('nowhere'), 2, /from ".*work\/nowhere": there is no such directory/, /Try: Name the directory/)
    mustSay(await deploy(join(file, 'below')), 2, /there is no such directory/, /Name the directory/)
    mustSay(await deploy(file), 2, /it is no directory/, /Name the directory/)
    mkdirSync(join(home.work, 'empty'))
    mustSay(
      await deploy('empty'),
      REFUSED,
      /it has no "releases\/1\/app.js" and no "app.js", where the running release has/,
      /Build the new one/,
    )
    symlinkSync('circle', join(home.work, 'circle'))
    mustSay(await deploy('circle'), 2, /its symbolic links lead in a circle \(ELOOP\)/, /Name the directory/)
    mustSay(await deploy('x'.repeat(300)), 2, /longer than the system allows \(ENAMETOOLONG\)/, /Name the directory/)

    const second = release('2')
    const child = join(home.work, 'child')
    const noRight = join(home.work, 'no-right.sh')
    writeFileSync(noRight, 'exit 0')
    chmodSync(noRight, 0o600)
    const before = rss(supervise.pid)
    const smokes = [
      [{ command: `sh -c 'echo $$ > ${child}; sleep 60' & sleep 60`, within: '1s' }, /did not end within 1s/],
      ['no-such-command', /no-such-command.*was not found \(exit code 127\)/],
      [noRight, /may not be executed \(exit code 126\)/],
      ['yes "a line of the output" | head -c 10000000; echo; echo the last line; exit 3', /ended with exit code 3/],
    ] as const
    for (const [smoke, message] of smokes) {
      configure({ smoke })
      // oxlint-disable-next-line no-await-in-loop -- one deploy after the other
      mustSay(await deploy(second), REFUSED, message, /Try: .*deploy again/)
    }
    expect(isAlive(Number(readFileSync(child, 'utf8')))).toBe(false)
    expect(rss(supervise.pid) - before).toBeLessThan(40 << 20)
    const [loud] = (await historyOf(supervise)).slice(-1)
    expect(loud).toMatchObject({ release: 'r5', outcome: 'failed' })
    expect(loud?.smoke?.output).toMatch(/\nthe last line\n$/)
    expect(loud?.smoke?.output.length).toBeLessThanOrEqual(16 << 10)

    const server = await serve((request, response) => {
      if (request.url === '/silent') return
      response.writeHead(request.url === '/long' ? 503 : 500)
      response.end(request.url === '/long' ? 'a line\n'.repeat(1_500_000) : 'the database is away\n')
    })
    const hooks = [
      [`http://127.0.0.1:${await freePort()}/`, /is down: nothing listens there/],
      [{ url: `${server.url}/silent`, within: '500ms' }, /did not answer within 500ms/],
      [`${server.url}/500?token=secret`, /\/… \(\w{4}\)\) answered 500/],
      [`${server.url}/long`, /answered 503/],
      [{ command: 'echo not on a Friday; sleep 60', within: '500ms' }, /did not end within 500ms/],
      ['echo not on a Friday; exit 1', /ended with exit code 1/],
    ] as const
    for (const [hook, message] of hooks) {
      configure({ hooks: { 'pre-rollout': hook } })
      // oxlint-disable-next-line no-await-in-loop -- one deploy after the other
      const refused = await deploy(second)
      mustSay(refused, REFUSED, message, /serves on. Ask whoever answers the hook/)
      expect(refused.stderr).not.toContain('secret')
      if (typeof hook === 'string' && hook.startsWith('echo')) expect(refused.stderr).toContain('    not on a Friday\n')
    }

    expect(await supervise.pids()).toEqual(pids)
    mustHaveLostNothing(await load.stop())
    configure({})
    mustExit(await deploy(second), 0)
    // What is refused ends no watch, and not the warm release. What is not says what has to end for it.
    mustExit(await deploy('nowhere'), 2)
    mustExit(await deploy('empty'), REFUSED)
    configure({ hooks: { 'pre-rollout': 'exit 1' } })
    mustExit(await deploy(second), REFUSED)
    const { rollout, groups } = await app()
    expect([rollout?.step, groups.blue?.release, groups.blue?.workers.length]).toEqual(['baking', 'r1', 2])
    configure({})
    const third = await deploy(release('3'))
    expect(third.stderr).toMatch(/r\d+ serves and is watched no more, r1 ends: r\d+ needs the room\n/)
    await supervise.stop()
  })
})

/** A command that says that it runs, and ends when the test lets it. */
function makeGate(home: Home, name: string) {
  const file = join(home.work, name)
  return {
    command: `echo $$ > ${file}.pid; while [ ! -e ${file}.go ]; do sleep 0.05; done`,
    /** Pid of the shell that runs it. */
    reached: () => until(() => existsSync(`${file}.pid`) && Number(readFileSync(`${file}.pid`, 'utf8')), 20_000, name),
    open: () => writeFileSync(`${file}.go`, ''),
    again: () => [`${file}.pid`, `${file}.go`].forEach((path) => rmSync(path, { force: true })),
  }
}

describe('while a release is on its way', () => {
  it('of the deploys that wait the last one wins, each command says what became of its own, and a flip does not undo it (R7)', async () => {
    const scene = await startScene()
    const { home, supervise, release, configure, app, version } = scene
    const smoke = makeGate(home, 'smoke')
    configure({ smoke: smoke.command })
    const second = supervise.cli('deploy', 'web', release('2'))
    await smoke.reached()
    configure({})
    const third = supervise.cli('deploy', 'web', release('3'))
    await until(async () => (await app()).operation?.queued, 10_000, 'the third waits')
    const fourth = supervise.cli('deploy', 'web', release('4'))
    mustSay(await third, BUSY, /a deploy that was asked for later takes its place/, /Nothing was begun/)
    smoke.open()
    const [one, two] = await Promise.all([second, fourth])
    mustExit(one, 0)
    expect(one.stdout).toMatch(/r2 serves; switched in/)
    mustExit(two, 0)
    expect(two.stdout).toMatch(/r3 serves; switched in/)
    expect(await version()).toBe('4')

    // What is typed while it moves means the release that is coming, also when that has come by itself meanwhile.
    smoke.again()
    configure({ smoke: smoke.command })
    const fifth = supervise.cli('deploy', 'web', release('5'))
    await smoke.reached()
    const flipped = supervise.cli('flip', 'web')
    await until(async () => (await app()).operation?.queued, 10_000, 'the flip waits')
    smoke.open()
    mustExit(await fifth, 0)
    const said = await flipped
    mustExit(said, 0)
    expect(said.stdout).toMatch(/r4 5 .*is active already/)
    expect(await version()).toBe('5')
    await supervise.stop()
  })

  it('abort works in each step, and in each the old release serves on and the new one is gone', async () => {
    const { home, supervise, release, configure, app, version } = await startScene()
    const pids = await supervise.pids()
    const cli = (...words: string[]) => supervise.cli(...words, 'web')
    for (const wish of ['promote', 'abort', 'pause', 'resume'])
      // oxlint-disable-next-line no-await-in-loop -- one command after the other
      mustSay(await cli(wish), FAILED, /no rollout is under way/, /supervise history web/)
    mustSay(await cli('flip'), FAILED, /no release is warm beside r1/, /Deploy one with/)
    mustSay(await cli('rollback'), FAILED, /no good release before r1/, /supervise history web/)
    mustSay(await supervise.cli('rollback', 'web', 'r9'), 4, /Cannot find release "r9"/, /supervise history web/)

    const mustBeOld = async () => {
      await until(async () => (await app()).groups.green === null, 10_000, 'the new group is gone')
      expect([await version(), await supervise.pids()]).toEqual(['1', pids])
    }
    // starting
    configure({ progressDeadline: '60s' })
    const hanging = supervise.cli('deploy', 'web', release('hangs', 'hangs-at-boot.js'))
    await until(async () => (await app()).rollout?.step === 'starting', 10_000, 'it starts')
    mustSay(await cli('flip'), BUSY, /a rollout is under way/, /try again when it has ended/)
    mustExit(await cli('abort'), 0)
    mustSay(await hanging, REFUSED, /it was aborted by a command/, /Still serving r1/)
    await mustBeOld()
    // smoking: what runs for it ends, too
    const good = release('2')
    const gate = makeGate(home, 'gate')
    configure({ smoke: gate.command })
    const smoking = supervise.cli('deploy', 'web', good)
    const shell = await gate.reached()
    mustExit(await cli('abort'), 0)
    mustSay(await smoking, REFUSED, /it was aborted by a command/, /Still serving r1/)
    await until(() => !isAlive(shell), 5_000, 'the smoke test has ended')
    await mustBeOld()
    // awaiting
    configure({ autoPromote: false })
    mustExit(await supervise.cli('deploy', 'web', good), 0)
    mustExit(await cli('abort'), 0)
    await mustBeOld()
    // flipping, while somebody is asked who takes long: the question ends, too, and nothing was flipped
    gate.again()
    configure({ hooks: { 'confirm-promotion': { command: gate.command, within: '5m' } } })
    const flipping = supervise.cli('deploy', 'web', good)
    const asked = await gate.reached()
    mustExit(await cli('abort'), 0)
    await until(() => !isAlive(asked), 5_000, 'the hook has ended')
    expect(await eventsOf(supervise, 'flipped')).toEqual([])
    mustSay(await flipping, REFUSED, /it was aborted by a command/, /Still serving r1/)
    await mustBeOld()
    // baking
    configure({ bake: '60s' })
    mustExit(await supervise.cli('deploy', 'web', good), 0)
    expect(await version()).toBe('2')
    mustExit(await cli('abort'), 0)
    await mustBeOld()
    mustSay(await supervise.cli('rollback', 'web', 'r1'), FAILED, /r1: it is what serves/, /supervise history/)
    // retiring: too late
    configure({ bake: '0', rollbackWindow: '60s' })
    mustExit(await supervise.cli('deploy', 'web', good), 0)
    await until(async () => (await app()).rollout?.step === 'retiring', 10_000, 'it is promoted')
    mustSay(await cli('abort'), FAILED, /r7 is promoted already/, /supervise rollback web r1/)
    expect(await version()).toBe('2')
    await supervise.stop()
  })
})

describe('a release whose directory was deleted', () => {
  it('is gone back to while it is warm; later that is refused, and the active one serves on', async () => {
    const { home, supervise, release, configure, app, version, target } = await startScene()
    const place = (name: string) => join(home.work, 'releases', name)
    const second = release('2')
    mustExit(await supervise.cli('deploy', 'web', second), 0)
    rmSync(place('1'), { recursive: true })
    mustExit(await supervise.cli('rollback', 'web'), 0)
    expect(await version()).toBe('1')
    mustExit(await supervise.cli('flip', 'web'), 0)
    expect(await version()).toBe('2')

    // The configuration still names what is gone.
    configure({ bake: '0', rollbackWindow: '0' })
    mustSay(
      await supervise.cli('deploy', 'web', place('nowhere')),
      2,
      /there is no such directory/,
      /Name the directory/,
    )
    mustExit(await supervise.cli('deploy', 'web', release('3')), 0)
    expect(await version()).toBe('3')
    await until(async () => (await app()).rollout === null, 15_000, 'the one before has ended')
    rmSync(second, { recursive: true })
    mustSay(
      await supervise.cli('rollback', 'web'),
      REFUSED,
      /Cannot start r2 .*releases\/2" is no longer there/,
      /r3 serves on/,
    )
    expect(await version()).toBe('3')
    mustExit(await supervise.cli('reload', 'web'), 0)

    const [victim = 0] = await supervise.pids()
    rmSync(place('3'), { recursive: true })
    sendIfAlive(victim, 'SIGKILL')
    const isToldWhy = async () =>
      (await crashesOf(supervise)).some(({ words }) =>
        /its script ".*releases\/3\/app.js" is no longer there/.test(words),
      )
    await until(isToldWhy, 15_000, 'why it cannot start again is told')
    // With a wait that doubles, from 100 ms on.
    await until(async () => (await workersOf(supervise)).some(({ state }) => state === 'backoff'), 5_000, 'it waits')
    expect((await get(target)).status).toBe(200)
    mustExit(await supervise.cli('deploy', 'web', release('4')), 0)
    expect(await version()).toBe('4')
    await supervise.stop()
  })
})
