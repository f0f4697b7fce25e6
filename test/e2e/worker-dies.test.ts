// What becomes of a worker that ends without being asked: how many boot at a time, what its exit code means for it, and
// what an error in one request costs the others.

import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { crashesOf, eventsOf, statusOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK, startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

describe('an error that nobody caught in one request', () => {
  it.each([
    ['an exception', '/crash', 'nowhere is not defined'],
    ['a rejection', '/reject', 'rejected on request'],
  ])('%s: ends that worker, is told in words, and costs at most what it had under way (C8)', async (_, path, words) => {
    const { supervise, load, target } = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    const connections = 60 + 4 * 3
    await get(target, path).catch(() => {})
    await until(async () => (await crashesOf(supervise)).length > 0, 10_000, 'the crash is on record')
    await supervise.online()
    await load.answers(500)
    const { failed, failures } = await load.stop()
    expect(failed).toBeLessThanOrEqual(connections)
    expect(failures.refused + failures.timedOut + failures.unexpectedStatus).toBe(0)
    const crashes = await crashesOf(supervise)
    expect(crashes).toHaveLength(1)
    expect(crashes[0]).toMatchObject({ reason: 'exit', code: 1 })
    expect(crashes[0]?.words).toContain(words)
    await supervise.stop()
  })
})

describe('all workers that crash at once', () => {
  it('boot no more at a time than there are CPUs (C6)', async () => {
    const args = ['-i', '6', '--env', 'LATE_MS=200', '--port', `${await freePort()}`, ...QUICK]
    const supervise = await startSupervise([fixture('late-listen.js'), ...args])
    for (const pid of await supervise.pids()) sendIfAlive(pid, 'SIGKILL')
    let most = 0
    await until(
      async () => {
        const workers = await workersOf(supervise)
        most = Math.max(most, workers.filter(({ pid, state }) => pid !== null && state === 'starting').length)
        return workers.filter(({ state, restarts }) => state === 'serving' && restarts === 1).length === 6
      },
      30_000,
      'all six serve again',
    )
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(availableParallelism())
    await supervise.stop()
  })
})

async function exitOf(supervise: Supervise, port: number, ends: number): Promise<void> {
  await get({ host: '127.0.0.1', port }, '/exit?code=0').catch(() => {})
  await until(async () => (await crashesOf(supervise)).length === ends, 10_000, `${ends} exits are on record`)
}

describe('a worker that exits with code 0 without being asked', () => {
  it('is started again with back-off, and each exit is an event and a crash record (C7)', async () => {
    const port = await freePort()
    const supervise = await startSupervise([fixture('hello.js'), '-i', '1', '--port', `${port}`, ...QUICK])
    await exitOf(supervise, port, 1)
    expect((await untilEvent(supervise, 'restartPlanned')).text).toMatch(/^worker 1 is started again in \d+ ms$/)
    await until(async () => (await workersOf(supervise))[0]?.state === 'serving', 10_000, 'it serves again')
    await exitOf(supervise, port, 2)
    const [first] = await crashesOf(supervise)
    expect(first).toMatchObject({ code: 0, signal: null, reason: 'exit' })
    expect(first?.words).toBe('exited with code 0 without being asked to')
    await supervise.stop()
  })

  it.each(['on-failure', 'never'])(
    'is an end with restart %s: nothing is started, until a reload (C7)',
    async (restart) => {
      const port = await freePort()
      const args = ['-i', '2', '--port', `${port}`, '--restart', restart, ...QUICK]
      const supervise = await startSupervise([fixture('hello.js'), ...args])
      await exitOf(supervise, port, 1)
      await exitOf(supervise, port, 2)
      await until(async () => (await eventsOf(supervise, 'workerEnded')).length === 2, 5_000, 'both have ended')
      const [app] = (await statusOf(supervise)).apps
      expect(await supervise.pids()).toEqual([])
      expect(app?.reason).toContain('0 of 2 workers serve')
      expect(await eventsOf(supervise, 'restartPlanned')).toEqual([])
      expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
      expect((await statusOf(supervise)).apps[0]).toMatchObject({ state: 'online' })
      await supervise.stop()
    },
  )
})
