// Apps that cannot live: the supervisor keeps trying, more and more slowly, at next to no cost, and the rest serves on.

import { readdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CrashList } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { crashesOf, eventsOf, statusOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { countDescriptors, cpuMs, isAlive, rss, sendIfAlive, zombiesOf } from '../support/processes.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { fixture, makeRelease } from '../support/releases.ts'
import { QUICK, startUnderLoad } from '../support/under-load.ts'
import { makeHome } from '../support/home.ts'
import { until } from '../support/until.ts'

const isSoak = process.env['SUPERVISE_SOAK'] !== undefined

/** A window in which something is measured or must not happen. */
async function watchFor(ms: number): Promise<void> {
  const began = performance.now()
  await until(() => performance.now() - began >= ms, ms + 5_000, `${ms} ms of watching`)
}

function bytesIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return names.reduce((sum, name) => sum + (statSync(`${directory}/${name}`, { throwIfNoEntry: false })?.size ?? 0), 0)
}

describe('a worker that crashes as soon as it is started', () => {
  it('is restarted with a back-off that is capped, costs under 5 % CPU, and writes little (C3)', async () => {
    const home = makeHome()
    const script = makeRelease(`${home.work}/app`, { fixture: 'hello.js', version: '1' })
    const args = ['-i', '1', '--port', `${await freePort()}`, '--backoff-first', '100ms', '--backoff-max', '1s']
    const supervise = await startSupervise([script, ...args, '--max-restarts', '1000'], { home })
    makeRelease(`${home.work}/app`, { fixture: 'throws-at-boot.js', version: '2' })
    const [pid = 0] = await supervise.pids()
    sendIfAlive(pid, 'SIGKILL')
    await until(async () => (await crashesOf(supervise)).length >= 5, 20_000, 'the back-off has grown')

    const before = { cpu: cpuMs(supervise.pid), at: performance.now(), crashes: (await crashesOf(supervise)).length }
    const wrote = supervise.stdout.length
    await watchFor(5_000)
    const took = performance.now() - before.at
    const crashes = (await crashesOf(supervise)).length - before.crashes
    // At most one a second less the jitter: 750 ms of back-off.
    expect(crashes).toBeGreaterThanOrEqual(2)
    expect(crashes).toBeLessThanOrEqual(Math.ceil(took / 750))
    expect((cpuMs(supervise.pid) - before.cpu) / took).toBeLessThan(0.05)
    expect(supervise.stdout.length - wrote).toBeLessThan(crashes * 6_000 + 4_000)
    await supervise.stop()
  })

  it('fails when it was too often, while the others serve and the port stays open (C4)', async () => {
    const args = ['-i', '2', '--max-restarts', '3', '--window', '60s', '--failed-retry', '60s']
    const { supervise, load, target } = await startUnderLoad(fixture('hello.js'), args)
    const victimOf = async () => (await workersOf(supervise)).find(({ id }) => id === 1)
    await load.stop()
    for (let crash = 1; crash <= 4; crash += 1) {
      const victim = await until(
        async () => {
          const worker = await victimOf()
          return worker?.state === 'serving' && worker.pid !== null && isAlive(worker.pid) && worker.pid
        },
        15_000,
        'worker 1 serves',
      )
      sendIfAlive(victim, 'SIGKILL')
      await until(async () => (await crashesOf(supervise)).length === crash, 5_000, 'the crash is seen')
    }
    expect((await untilEvent(supervise, 'workerFailed')).text).toMatch(/worker 1 crashed more than 3 times within 60 s/)
    expect(await victimOf()).toMatchObject({ state: 'failed', pid: null })
    expect((await get(target)).status).toBe(200)
    expect((await statusOf(supervise)).apps[0]).toMatchObject({ state: 'degraded' })
    expect(await supervise.home.cli(['status'])).toMatchObject({ code: 1 })

    // A person's will counts more than the past.
    expect(await supervise.cli('restart')).toMatchObject({ code: 0 })
    expect((await statusOf(supervise)).apps[0]).toMatchObject({ state: 'online' })
    await supervise.stop()
  })

  it('all failed: the port stays open, connections wait, and the slow retry serves them (C4)', async () => {
    const port = await freePort()
    const args = ['-i', '1', '--max-restarts', '0', '--failed-retry', '2s', '--port', `${port}`, ...QUICK]
    const supervise = await startSupervise([fixture('hello.js'), ...args])
    const [pid = 0] = await supervise.pids()
    sendIfAlive(pid, 'SIGKILL')
    await untilEvent(supervise, 'workerFailed')
    expect((await statusOf(supervise)).apps[0]).toMatchObject({ state: 'failed' })
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    await supervise.stop()
  })

  it('never fails when the crashes are far enough apart (C5)', async () => {
    const args = ['-i', '1', '--max-restarts', '2', '--window', '1s', '--min-uptime', '300ms']
    const port = ['--port', `${await freePort()}`, '--backoff-first', '50ms']
    const env = ['--env', 'LIFE_MS=1200']
    const supervise = await startSupervise([fixture('crashes-after-ready.js'), ...args, ...port, ...env])
    await until(async () => (await crashesOf(supervise)).length >= 6, 30_000, 'six crashes')
    expect(await eventsOf(supervise, 'workerFailed')).toEqual([])
    // After a healthy life the back-off begins anew.
    for (const { text } of await eventsOf(supervise, 'restartPlanned')) {
      expect(Number(/again in (\d+) ms$/.exec(text)?.[1])).toBeLessThanOrEqual(63)
    }
    await supervise.stop()
  })
})

describe('crash after crash', () => {
  const rounds = isSoak ? 10_000 : 60

  it(
    `${rounds} times leaves no zombie, descriptor or memory behind, keeps the first and the last, and a bounded disk (C12)`,
    async () => {
      const args = ['-i', '4', '--port', `${await freePort()}`, '--max-restarts', '100000', '--backoff-first', '10ms']
      const supervise = await startSupervise([fixture('hello.js'), ...args, '--min-uptime', '0', '--slots', '8'])
      const seen = new Set<number>()
      const crash = async (times: number): Promise<void> => {
        const aim = seen.size + times
        await until(
          async () => {
            for (const { pid, state } of await workersOf(supervise)) {
              if (state !== 'serving' || pid === null || seen.has(pid) || seen.size >= aim) continue
              seen.add(pid)
              sendIfAlive(pid, 'SIGKILL')
            }
            return seen.size >= aim
          },
          times * 2_000 + 20_000,
          `${aim} crashes`,
        )
        await until(async () => (await workersOf(supervise)).every(({ state }) => state === 'serving'), 20_000, 'calm')
      }
      const figures = () => ({ descriptors: countDescriptors(supervise.pid), rss: rss(supervise.pid) })
      await crash(12)
      const first = figures()
      await crash(rounds)
      const last = await until(
        () => figures().descriptors <= first.descriptors + 12 && figures(),
        15_000,
        'descriptors',
      )
      expect(zombiesOf(supervise.pid)).toEqual([])
      expect(last.rss).toBeLessThan(first.rss + 40 * 2 ** 20)
      expect(supervise.home.processes()).toHaveLength(5)

      const crashes = 12 + rounds
      const { groups } = (await supervise.api('GET', '/v1/crashes')).body as CrashList
      expect(groups).toMatchObject([{ count: crashes, firstId: 'c1', lastId: `c${crashes}` }])
      for (const id of ['c1', `c${crashes}`])
        expect((await supervise.api('GET', `/v1/crashes/${id}`)).body).toMatchObject({ crash: { id } })
      // Two segments of events, 500 records, and what is counted.
      expect(bytesIn(`${supervise.home.directory}/state`)).toBeLessThan(24 * 2 ** 20)
      await supervise.stop()
    },
    isSoak ? 3_600_000 : 90_000,
  )
})

describe('a worker that hangs', () => {
  it('stopped by SIGSTOP: is replaced after hangTimeout, and SIGCONT brings no second copy back (C10)', async () => {
    const args = ['-i', '2', '--hang-timeout', '1s']
    const { supervise, target, load } = await startUnderLoad(fixture('hello.js'), args)
    await load.stop()
    const [stopped = 0] = await supervise.pids()
    const began = performance.now()
    sendIfAlive(stopped, 'SIGSTOP')
    await until(async () => !(await supervise.pids()).includes(stopped), 10_000, 'the worker is replaced')
    expect(performance.now() - began).toBeGreaterThan(900)
    sendIfAlive(stopped, 'SIGCONT')
    expect(isAlive(stopped)).toBe(false)
    await supervise.online()
    expect(await supervise.pids()).toHaveLength(2)
    expect((await crashesOf(supervise))[0]).toMatchObject({ reason: 'hang' })
    expect((await get(target)).status).toBe(200)
    await supervise.stop()
  })

  it('its liveness probe fails: is replaced after so many failures, and the record says so', async () => {
    const home = makeHome()
    const live = `${home.work}/live`
    const args = ['-i', '1', '--port', `${await freePort()}`, '--env', `LIVE_FILE=${live}`, ...QUICK]
    const probe = ['--liveness-http', '/livez', '--liveness-every', '200ms', '--liveness-failures', '2']
    const supervise = await startSupervise([fixture('hello.js'), ...args, ...probe], { home })
    await until(async () => (await crashesOf(supervise)).length > 0, 15_000, 'the worker is ended')
    const [crash] = await crashesOf(supervise)
    expect(crash).toMatchObject({ reason: 'liveness' })
    expect(crash?.words).toContain('its liveness probe /livez failed 2 times in a row')
    await supervise.stop()
  })
})

async function recycled(supervise: Supervise, pids: readonly number[]): Promise<void> {
  await until(
    async () => {
      // Their successors may be on the way out already: a maximal age of 2 s recycles all the time.
      const workers = await workersOf(supervise)
      return !workers.some(({ pid }) => pid !== null && pids.includes(pid))
    },
    25_000,
    'every worker is replaced',
  )
}

describe('a worker over a limit', () => {
  it.each([
    ['memory', 'leaks-memory.js', ['--max-memory', '150MB', '--env', 'LEAK_MB=8'], 'maxMemory'],
    ['age', 'hello.js', ['--max-age', '2s'], 'maxAge'],
    ['requests', 'hello.js', ['--max-requests', '1000'], 'maxRequests'],
  ])('%s: is replaced first and drained then, without a lost request (C9)', async (_, script, args, limit) => {
    const { supervise, load } = await startUnderLoad(fixture(script), ['-i', '2', ...args])
    const pids = await supervise.pids()
    let fewest = 2
    const watching = until(
      async () => {
        fewest = Math.min(fewest, (await workersOf(supervise)).filter(({ state }) => state === 'serving').length)
        return (await eventsOf(supervise, 'recycled')).length >= 2
      },
      30_000,
      'both were recycled',
    )
    await watching
    await recycled(supervise, pids)
    expect((await untilEvent(supervise, 'limitReached')).cause).toBe(`policy ${limit}`)
    mustHaveLostNothing(await load.stop())
    expect(fewest).toBe(2)
    expect(await crashesOf(supervise)).toEqual([])
    await supervise.stop()
  })
})
