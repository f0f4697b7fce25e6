// A reload whose new code fails late goes back by itself, also from a drain that is under way.

import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isDraining } from '../support/drain-scene.ts'
import { get } from '../support/get.ts'
import { makeHold } from '../support/hold.ts'
import { makeHome } from '../support/home.ts'
import { workersOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing, type Report } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture, makeRelease, switchLink } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { startUnderLoad, type UnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const ROLLOUT_FAILED = 5
const DEGRADED = 6

/** What a request that the test holds up may take in all. */
const HELD_MS = 60_000

interface Releases extends UnderLoad {
  readonly before: readonly number[]
}

/** Release 1 runs from its own directory behind a symlink, which now points at release 2 of another fixture. */
async function startThenSwitch(next: string, args: readonly string[], home = makeHome()): Promise<Releases> {
  makeRelease(join(home.work, 'releases/1'), { fixture: 'hello.js', version: '1' })
  makeRelease(join(home.work, 'releases/2'), { fixture: next, version: '2' })
  const current = join(home.work, 'current')
  switchLink(current, join(home.work, 'releases/1'))
  const running = await startUnderLoad(join(current, 'app.js'), args, { home })
  const before = await running.supervise.pids()
  switchLink(current, join(home.work, 'releases/2'))
  return { ...running, before }
}

async function releasesSeen({ target }: UnderLoad): Promise<readonly unknown[]> {
  const answers = await Promise.all(Array.from({ length: 24 }, () => get(target)))
  return [...new Set(answers.map(({ headers }) => headers['x-release']))]
}

/** At most what the 60 connections had sent, three at a time where they pipeline, to the workers that crashed. */
function mustHaveLostAtMostInFlight(report: Report): void {
  expect(report.failed).toBeLessThanOrEqual(68)
  expect(report.failures.refused + report.failures.unexpectedStatus + report.failures.timedOut).toBe(0)
}

describe('supervise reload', () => {
  it('goes back by itself when the new code crashes on real requests; only those in flight are lost (R4)', async () => {
    const running = await startThenSwitch('crashes-on-first-request.js', ['-i', '2', '--min-ready', '2s'])
    const { supervise, load, before } = running
    const result = await supervise.cli('reload')
    mustExit(result, ROLLOUT_FAILED)
    expect(result.stderr + result.stdout).toContain('crashed on the first request')
    await load.answers(300)
    const report = await load.stop()

    mustHaveLostAtMostInFlight(report)
    expect(new Set(await supervise.pids())).toEqual(new Set(before))
    expect(await releasesSeen(running)).toEqual(['1'])
    await supervise.stop()
  })

  it('goes back by itself when the new code crashes 1 s after it was ready (R4)', async () => {
    const running = await startThenSwitch('crashes-after-ready.js', [
      '-i',
      '2',
      '--min-ready',
      '3s',
      '--env',
      'LIFE_MS=1000',
    ])
    const { supervise, load, before } = running
    mustExit(await supervise.cli('reload'), ROLLOUT_FAILED)
    await load.answers(300)
    mustHaveLostAtMostInFlight(await load.stop())
    expect(new Set(await supervise.pids())).toEqual(new Set(before))
    expect(await releasesSeen(running)).toEqual(['1'])
    await supervise.stop()
  })

  it('lets a worker that drains serve again when a later one fails (R11)', async () => {
    // The replacement of worker 3 boots until it fails and worker 4 waits for room: worker 2 is let go, with a long answer to give.
    const home = makeHome()
    const fails = join(home.work, 'fails')
    const variables = ['FAILING_INSTANCE=2', `FAILS_WHEN=${fails}`]
    const timeouts = ['--drain-timeout', '60s', '--ready-timeout', '60s']
    const args = ['-i', '4', '--max-surge', '2', ...timeouts, ...variables.flatMap((each) => ['--env', each])]
    const running = await startThenSwitch('fails-on-instance-2.js', args, home)
    const { supervise, load, before, target } = running
    const second = before[1] ?? 0
    const download = await downloadFrom(target, second)
    const reload = supervise.cli('reload')
    await until(() => isDraining(supervise, second), 30_000, 'worker 2 drains')
    await until(
      async () => (await workersOf(supervise)).some(({ id, state }) => id === 3 && state === 'starting'),
      30_000,
      'the replacement of worker 3 boots',
    )
    writeFileSync(fails, '')

    mustExit(await reload, ROLLOUT_FAILED)
    // Nothing of the new code is left, draining or not: the command says that the old code serves.
    expect((await workersOf(supervise)).map(({ generation }) => generation)).toEqual([1, 1, 1, 1])
    expect(await supervise.pids()).toContain(second)
    await until(async () => (await get(target)).pid === second, 10_000, 'the worker that drained serves again')
    const received = download.bytes()
    await until(() => download.bytes() > received, 5_000, 'its download goes on')
    download.end()
    await load.answers(300)
    mustHaveLostNothing(await load.stop())
    expect(await releasesSeen(running)).toEqual(['1'])
    expect((await supervise.workers()).map(({ state }) => state)).toEqual(Array(4).fill('serving'))
    await supervise.stop()
  })

  it('with --max-surge 1 starts the old code again where its process is gone already (R5)', async () => {
    const running = await startThenSwitch('fails-on-instance-2.js', ['-i', '2', '--max-surge', '1'])
    const { supervise, load, before } = running
    const result = await supervise.cli('reload')
    mustExit(result, ROLLOUT_FAILED)
    expect(result.stderr + result.stdout).toContain('instance 2 cannot boot')
    await load.answers(300)
    mustHaveLostNothing(await load.stop())

    const after = await supervise.pids()
    expect(after).toHaveLength(2)
    expect(before.filter((pid) => after.includes(pid))).toHaveLength(1)
    expect(await releasesSeen(running)).toEqual(['1'])
    expect((await supervise.app()).groups.blue?.path).toMatch(/releases\/1$/)
    await supervise.stop()
  })

  it('says so with exit code 6 when there is no old code to go back to (R5)', async () => {
    const home = makeHome()
    const directory = join(home.work, 'app')
    const script = makeRelease(directory, { fixture: 'hello.js', version: '1' })
    const { supervise, load } = await startUnderLoad(script, ['-i', '2', '--max-surge', '1'], { home })
    makeRelease(directory, { fixture: 'fails-on-instance-2.js', version: '2' })
    const result = await supervise.cli('reload')
    mustExit(result, DEGRADED)
    expect(result.stderr).toContain('some the old')
    await load.answers(300)
    mustHaveLostNothing(await load.stop())
    expect((await supervise.pids()).length).toBe(2)
    await supervise.stop()
  })
})

interface Download {
  bytes(): number
  end(): void
}

/** A download of more than a minute that this worker has under way. */
async function downloadFrom(target: UnderLoad['target'], pid: number): Promise<Download> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- chance decides which worker answers
    const response = await begin(target, '/stream?mb=200&ms=400')
    if (Number(response.headers['x-pid']) !== pid) {
      response.destroy()
      continue
    }
    let bytes = 0
    response.on('error', () => {})
    response.on('data', (chunk: Buffer) => (bytes += chunk.length))
    return { bytes: () => bytes, end: () => response.destroy() }
  }
}

function begin(target: UnderLoad['target'], path: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get({ ...target, path, agent: false }, resolve).on('error', reject)
  })
}

describe('supervise reload while workers crash', () => {
  it('starts the new code at once, whatever back-off the old one had come to (R10)', async () => {
    const home = makeHome()
    const directory = join(home.work, 'app')
    const script = makeRelease(directory, { fixture: 'hello.js', version: '1' })
    const { supervise, target } = await startApp(script, ['--backoff-first', '10s'], { home })
    for (const pid of await supervise.pids()) sendIfAlive(pid, 'SIGKILL')
    await until(
      async () => (await supervise.workers()).filter(({ state }) => state === 'backoff').length === 2,
      10_000,
      'both workers wait to start again',
    )
    makeRelease(directory, { fixture: 'hello.js', version: '2' })

    const result = await supervise.cli('reload')

    mustExit(result, 0)
    expect(result.tookMs).toBeLessThan(9_000)
    expect((await get(target)).headers['x-release']).toBe('2')
    expect((await supervise.pids()).every((pid) => isAlive(pid))).toBe(true)
    await supervise.stop()
  })

  it('asked for while the generation before still drains comes next, and cuts nothing short (R10)', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['--drain-timeout', '30s'])
    const hold = makeHold(supervise.home)
    const slow = Array.from({ length: 8 }, () => get(target, hold.path, HELD_MS))
    await hold.asked(8)
    const first = supervise.cli('reload')
    await until(
      async () => (await supervise.workers()).some(({ state }) => state === 'draining'),
      8_000,
      'the first generation drains',
    )
    const second = supervise.cli('reload')
    await until(
      async () => (await supervise.app()).operation?.queued === true,
      15_000,
      'the second reload was asked for while they drain',
    )
    hold.release()

    for (const answer of await Promise.all(slow)) expect(answer).toMatchObject({ status: 200, text: 'held\n' })
    mustExit(await first, 0)
    mustExit(await second, 0)
    const generations = new Set((await supervise.workers()).map(({ generation }) => generation))
    expect([...generations]).toEqual([3])
    await supervise.stop()
  })
})
