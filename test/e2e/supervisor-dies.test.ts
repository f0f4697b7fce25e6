// A supervisor that is killed costs no request; the next one takes the workers back.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { crashesOf, eventsOf, workersOf } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

describe('SIGKILL of the supervisor under load', () => {
  it('fails no request, and the next supervisor adopts the same pids (S1, S2)', async () => {
    const port = await freePort()
    const args = [
      fixture('ws.js'),
      '-i',
      '2',
      '--port',
      String(port),
      '--min-ready',
      '0',
      '--drain-timeout',
      '3s',
      '--drain-spread',
      '0',
    ]
    const first = await startSupervise(args)
    const load = startLoad({ target: { host: '127.0.0.1', port }, lanes: mixedLanes(), durationMs: 60_000 })
    await load.answers(500)
    const pids = await first.pids()

    first.signal('SIGKILL')
    await first.ended()
    await load.answers(2000)
    expect(pids.every((pid) => isAlive(pid))).toBe(true)

    const second = await startSupervise(args, { home: first.home })
    expect(new Set(await second.pids())).toEqual(new Set(pids))
    expect((await second.workers()).every((worker) => worker.adopted)).toBe(true)
    await load.answers(500)

    // There is no SIGCHLD for somebody else's child.
    const [victim = 0] = pids
    mustHaveLostNothing(await load.stop())
    sendIfAlive(victim, 'SIGKILL')
    await until(
      async () => !(await second.pids()).includes(victim) && (await second.app()).state === 'online',
      10_000,
      'the dead worker is replaced',
    )

    expect(await second.cli('reload')).toMatchObject({ code: 0 })
    expect((await second.workers()).some((worker) => worker.adopted)).toBe(false)
    await second.stop()
  })
})

describe('adopted workers', () => {
  it('are replaced by processes of the new supervisor, one at a time and of the same release (S2)', async () => {
    const args = ['-i', '2', '--replace-adopted', '1s']
    const { supervise: first, load } = await startUnderLoad(fixture('hello.js'), args)
    const before = await workersOf(first)
    first.signal('SIGKILL')
    await first.ended()
    const second = await startSupervise([fixture('hello.js')], { home: first.home })
    await until(
      async () => {
        const workers = await workersOf(second)
        return workers.length === 2 && workers.every(({ adopted, state }) => !adopted && state === 'serving')
      },
      20_000,
      'all are its own',
    )
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    const after = await workersOf(second)
    expect(after.map(({ generation }) => generation)).toEqual(before.map(({ generation }) => generation))
    expect(before.some(({ pid }) => isAlive(pid ?? 0))).toBe(false)
    const steps = (await eventsOf(second)).map(({ type }) => type).filter((type) => /^recycle(d|Started)$/.test(type))
    expect(steps).toEqual(['recycleStarted', 'recycled', 'recycleStarted', 'recycled'])
    await second.stop()
  })
})

describe('while no supervisor is there', () => {
  it('a worker that logs 1 MB a second serves on and loses no line; one that dies has a record, and is counted (S1, S2)', async () => {
    const port = await freePort()
    const args = ['-i', '2', '--log-file', 'lines.log']
    const { supervise: first, load } = await startUnderLoad(fixture('logs-a-lot.js'), args, {
      port,
      ratePerSecond: 500,
    })
    const { home } = first
    const [victim, survivor] = await workersOf(first)
    first.signal('SIGKILL')
    await first.ended()
    const died = performance.now()
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    sendIfAlive(victim?.pid ?? 0, 'SIGKILL')
    const target = { host: '127.0.0.1', port }
    const later = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), ratePerSecond: 500, durationMs: 60_000 })
    await until(() => performance.now() - died > 3_000, 4_000, '3 MB that nobody reads')
    await later.answers(200)
    expect(isAlive(survivor?.pid ?? 0)).toBe(true)

    const second = await startSupervise([fixture('logs-a-lot.js'), ...args, '--port', `${port}`], { home })
    const [crash, ...more] = await crashesOf(second)
    expect(more).toEqual([])
    expect(crash).toMatchObject({ worker: victim?.id, pid: victim?.pid, code: null, signal: null, reason: 'exit' })
    expect(crash?.words).toBe('ended while no supervisor was there, so that nobody saw how')
    const [event] = await eventsOf(second, 'workerCrashed')
    expect(event).toMatchObject({ worker: victim?.id, pid: victim?.pid, data: { crash: crash?.id } })
    const metrics = (await second.cli('metrics')).stdout
    expect(metrics).toMatch(/^supervise_worker_crashes_total\{.*reason="exit".*\} 1$/m)
    await later.answers(200)
    mustHaveLostNothing(await later.stop())
    await second.stop()
    // What came before the death may have been read and not yet passed on. What nobody read is all there, or was too much at once
    // for a log file on a machine that is busy, and then it is counted.
    const lines = readFileSync(join(home.work, 'lines.log'), 'utf8').split('\n')
    const own = lines.filter((line) => line.includes(`"pid":${survivor?.pid}`))
    const numbers = own.flatMap((line) => Number(/line (\d+) x/.exec(line)?.[1]) || []).slice(-3_500)
    const [from = 0, to = 0] = [numbers[0], numbers.at(-1)]
    const dropped = lines.flatMap((line) => Number(/"droppedLines":(\d+)/.exec(line)?.[1]) || [])
    const missing = to - from + 1 - numbers.length
    expect(missing).toBeLessThanOrEqual(dropped.reduce((sum, count) => sum + count, 0))
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  })
})
