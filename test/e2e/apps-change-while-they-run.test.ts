// What an operator does to running apps: other numbers of workers, one worker anew, another config; and
// what the commands that look say meanwhile.

import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { follow } from '../support/follow.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { startUnderLoad } from '../support/under-load.ts'

const USAGE = 2
const UNKNOWN_TARGET = 4

describe('supervise scale and restart under load', () => {
  it('change the number of workers, or one worker, and lose nothing', async () => {
    const { supervise, load } = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    for (const [wish, workers] of [
      ['+1', 3],
      ['-1', 2],
      ['4', 4],
      ['max', availableParallelism()],
    ] as const) {
      /* oxlint-disable no-await-in-loop -- one after the other */
      mustExit(await supervise.cli('scale', wish), 0)
      expect((await supervise.app()).instances, wish).toBe(workers)
      expect(
        (await supervise.workers()).map(({ state }) => state),
        wish,
      ).toEqual(Array(workers).fill('serving'))
      /* oxlint-enable no-await-in-loop */
    }
    mustExit(await supervise.cli('scale', '2'), 0)

    const before = await supervise.workers()
    mustExit(await supervise.cli('restart', 'hello/2'), 0)
    const after = await supervise.workers()
    expect(after[0]?.pid).toBe(before[0]?.pid)
    expect(after[1]?.pid).not.toBe(before[1]?.pid)

    mustExit(await supervise.cli('restart', 'hello/7'), UNKNOWN_TARGET)
    mustExit(await supervise.cli('scale', '0'), USAGE)
    await load.answers(300)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})

describe('two apps of one config', () => {
  it('are reloaded each by itself, with the number of workers that the config says then', async () => {
    const home = makeHome()
    const port = await freePort(2)
    const config = join(home.work, 'supervise.config.json')
    const write = (workers: number) =>
      writeFileSync(
        config,
        JSON.stringify({
          instance: 'shop',
          apps: [
            {
              name: 'web',
              script: fixture('hello.js'),
              port,
              workers,
              minReady: '100ms',
              env: { RELEASE: String(workers) },
            },
            { name: 'api', script: fixture('hello.js'), port: port + 1, workers: 1, minReady: '100ms' },
          ],
        }),
      )
    write(1)
    const supervise = await startSupervise([config], { home })
    const api = await supervise.pids('api')
    mustExit(await supervise.cli('reload'), USAGE)
    mustExit(await supervise.cli('diff', 'web'), 0)

    write(3)
    const diff = await supervise.cli('diff', 'web')
    mustExit(diff, 1)
    expect(diff.stdout).toMatch(/workers/)
    expect(diff.stdout).toMatch(/env\.RELEASE/)
    mustExit(await supervise.cli('reload', 'web'), 0)

    expect(await supervise.pids('web')).toHaveLength(3)
    expect(await supervise.pids('api')).toEqual(api)
    expect((await get({ host: '127.0.0.1', port })).headers['x-release']).toBe('3')
    mustExit(await supervise.cli('diff', 'web'), 0)
    write(2)
    mustExit(await supervise.cli('reload', '--all'), 0)
    expect(await supervise.pids('web')).toHaveLength(2)
    expect((await supervise.pids('api')).some((pid) => api.includes(pid))).toBe(false)
    await supervise.stop()
  })
})

describe('supervise logs -f and events -f', () => {
  it('show what was, then what comes, until Ctrl-C', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-i', '1'])
    await get(target, '/write?line=before')
    await supervise.waitForOutput(/before/)
    const logs = follow(supervise.home, ['logs', '-f'])
    const events = follow(supervise.home, ['events', '-f', '--json'])
    await logs.waitFor(/before/)
    await events.waitFor(/"type":"started"/)
    await get(target, '/write?line=after')
    await logs.waitFor(/after/)
    mustExit(await supervise.cli('reload'), 0)
    await events.waitFor(/"type":"reloaded"/)
    await get(target, '/write?line=by-the-new-one')
    await logs.waitFor(/by-the-new-one/)

    expect([await logs.interrupt(), await events.interrupt()]).toEqual(['SIGINT', 'SIGINT'])
    const lines = events.stdout.trim().split('\n')
    const sequence = lines.map((line): number => JSON.parse(line).seq)
    expect(sequence).toEqual(sequence.toSorted((a, b) => a - b))
    await supervise.stop()
  })
})
