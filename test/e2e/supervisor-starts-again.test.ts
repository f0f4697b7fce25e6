// A supervisor that was killed at a bad moment, or whose memory is lost, is followed by one that makes the instance whole
// again: one generation, every worker once, and no worker that serves is ended for it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { WorkerStatus } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get, type Answer } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHold, type Hold } from '../support/hold.ts'
import { makeHome } from '../support/home.ts'
import { crashesOf, statusOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK, startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

/** What a request that the test holds up may take in all. */
const HELD_MS = 45_000

async function kill(supervise: Supervise): Promise<void> {
  supervise.signal('SIGKILL')
  await supervise.ended()
}

/** Every worker has one process, they are of one generation, and all serve. */
async function wholeAgain(supervise: Supervise, wanted: number): Promise<readonly WorkerStatus[]> {
  return await until(
    async () => {
      const workers = await workersOf(supervise)
      const isWhole =
        workers.length === wanted &&
        workers.every(({ state }) => state === 'serving') &&
        new Set(workers.map(({ generation }) => generation)).size === 1 &&
        new Set(workers.map(({ id }) => id)).size === wanted
      return isWhole && workers
    },
    20_000,
    `${wanted} workers of one generation serve`,
  )
}

function pidsOf(workers: readonly WorkerStatus[]): readonly number[] {
  return workers.map(({ pid }) => pid ?? 0).toSorted((a, b) => a - b)
}

async function untilWorkers(supervise: Supervise, holds: (workers: readonly WorkerStatus[]) => boolean): Promise<void> {
  await until(async () => holds(await workersOf(supervise)), 15_000, 'the phase of the reload')
}

interface UnderWay {
  readonly answers: readonly Promise<Answer>[]
  readonly hold: Hold
}

/** Requests that the test holds up, so many that each of these workers has one. */
async function holdUp(supervise: Supervise, target: Target, pids: readonly number[]): Promise<UnderWay> {
  const hold = makeHold(supervise.home)
  const answers: Promise<Answer>[] = []
  await until(
    async () => {
      const answer = get(target, hold.path, HELD_MS)
      // Looked at in the end; a test that fails before that does not.
      answer.catch(() => {})
      answers.push(answer)
      const asked = await hold.asked(answers.length)
      return pids.every((pid) => asked.includes(pid))
    },
    20_000,
    'each worker has a request under way',
  )
  return { answers, hold }
}

/** Waits until this supervisor knows of workers. */
async function knowsWorkers(supervise: Supervise): Promise<void> {
  await until(async () => (await workersOf(supervise)).length > 0, 15_000, 'it has taken workers back')
}

function count(workers: readonly WorkerStatus[], state: WorkerStatus['state']): number {
  return workers.filter((worker) => worker.state === state).length
}

interface Phase {
  readonly name: string
  readonly args: readonly string[]
  readonly reached: (supervise: Supervise) => Promise<unknown>
  /** The old processes go on, not the new ones; when they were told to drain it is the other way round. */
  readonly keepsOld: boolean
}

/** Longer than anything that comes before the kill: the old processes are not told to drain. */
const NOT_YET = ['--min-ready', '20s']

/** Moments of a reload; requests that the test holds up keep the old processes draining. */
const PHASES: readonly Phase[] = [
  {
    name: 'before a fork',
    args: NOT_YET,
    reached: (supervise) => untilEvent(supervise, 'reloadStarted'),
    keepsOld: true,
  },
  {
    name: 'forked, but not ready',
    args: ['--env', 'LATE_MS=1000', ...NOT_YET],
    reached: (supervise) => untilWorkers(supervise, (workers) => count(workers, 'starting') > 0),
    keepsOld: true,
  },
  {
    name: 'attached, but the old ones not told to drain',
    args: NOT_YET,
    reached: (supervise) => untilWorkers(supervise, (workers) => count(workers, 'serving') === 4),
    keepsOld: true,
  },
  {
    name: 'in mid-drain',
    args: [],
    reached: (supervise) => untilWorkers(supervise, (workers) => count(workers, 'draining') === 2),
    keepsOld: false,
  },
]

describe('the supervisor killed during a reload', () => {
  it.each(PHASES)('$name: the next start makes one generation of it and loses nothing (S3)', async (phase) => {
    const args = ['-i', '2', '--env', 'LATE_MS=0', '--drain-timeout', '60s', ...phase.args]
    const { supervise: first, load, target } = await startUnderLoad(fixture('late-listen.js'), args)
    const old = pidsOf(await workersOf(first))
    const { answers, hold } = await holdUp(first, target, old)
    first.api('POST', '/v1/apps/late-listen/reload', {}).catch(() => {})
    await phase.reached(first)
    const fresh = pidsOf((await workersOf(first)).filter(({ pid }) => !old.includes(pid ?? 0)))
    await kill(first)
    await load.answers(200)

    const second = await startSupervise([fixture('late-listen.js')], { home: first.home, wait: 'none' })
    await knowsWorkers(second)
    hold.release()
    const after = await wholeAgain(second, 2)
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200, text: 'held\n' })
    expect(await crashesOf(second)).toEqual([])
    // The word to drain may still have been on its way: then the old ones go on, whole as well.
    expect(phase.keepsOld ? [old] : [old, fresh]).toContainEqual(pidsOf(after))
    await second.stop()
  })

  it('one of two moved, with a surge of one: the next start makes one generation of it (S3)', async () => {
    const args = ['-i', '2', '--max-surge', '1', '--drain-timeout', '60s']
    const { supervise: first, load, target } = await startUnderLoad(fixture('hello.js'), args)
    const { answers, hold } = await holdUp(first, target, pidsOf(await workersOf(first)))
    first.api('POST', '/v1/apps/hello/reload', {}).catch(() => {})
    await untilWorkers(first, (workers) => count(workers, 'draining') === 1)
    await kill(first)

    const second = await startSupervise([fixture('hello.js')], { home: first.home, wait: 'none' })
    await knowsWorkers(second)
    hold.release()
    await wholeAgain(second, 2)
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200, text: 'held\n' })
    await second.stop()
  })
})

describe('the supervisor killed during a start', () => {
  it('is followed by one that starts what is missing, and nothing twice (S3)', async () => {
    const args = ['-i', '3', '--env', 'LATE_MS=700', '--port', '0']
    const first = await startSupervise([fixture('late-listen.js'), ...args], { wait: 'none' })
    await until(async () => (await workersOf(first)).length > 0, 10_000, 'a worker is forked')
    await kill(first)

    const second = await startSupervise([fixture('late-listen.js'), ...args], { home: first.home, wait: 'none' })
    await wholeAgain(second, 3)
    expect(second.home.processes().filter((pid) => pid !== second.pid)).toHaveLength(3)
    await second.stop()
  })
})

describe('a supervisor killed again and again', () => {
  it('at any moment of taking the workers back: they serve on, and the last one has them all (S1, S2, S3)', async () => {
    const port = await freePort()
    const { supervise: first, load } = await startUnderLoad(fixture('hello.js'), ['-i', '3'], { port })
    const { home } = first
    const pids = pidsOf(await workersOf(first))
    await kill(first)
    const args = [fixture('hello.js'), '-i', '3', '--port', `${port}`, ...QUICK]
    // From before it has the lock to after it has lent its slots anew.
    for (const lifeMs of [150, 250, 300, 350, 400, 450, 500, 700]) {
      /* oxlint-disable no-await-in-loop -- one life after the other */
      const next = await startSupervise(args, { home, wait: 'none' })
      const born = performance.now()
      await until(() => performance.now() - born >= lifeMs, 2_000, 'its time is over')
      await kill(next)
      /* oxlint-enable no-await-in-loop */
    }
    const last = await startSupervise(args, { home })
    expect(pidsOf(await wholeAgain(last, 3))).toEqual(pids)
    await load.answers(300)
    mustHaveLostNothing(await load.stop())
    await last.stop()
  })

  it('while it stops: the next start has every worker once', async () => {
    const port = await freePort()
    const args = [fixture('hello.js'), '-i', '2', '--port', `${port}`, ...QUICK, '--drain-timeout', '60s']
    const first = await startSupervise(args)
    const { answers, hold } = await holdUp(first, { host: '127.0.0.1', port }, pidsOf(await workersOf(first)))
    first.signal('SIGTERM')
    await untilWorkers(first, (workers) => count(workers, 'draining') > 0)
    await kill(first)
    const second = await startSupervise(args, { home: first.home, wait: 'none' })
    await knowsWorkers(second)
    hold.release()
    await wholeAgain(second, 2)
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200, text: 'held\n' })
    // Whoever ended as it was asked to has not crashed, seen or not.
    expect(await crashesOf(second)).toEqual([])
    await second.stop()
  })
})

const DAMAGES: readonly (readonly [name: string, damage: (file: string) => void])[] = [
  ['truncated', (file) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 200))],
  ['of a newer version', (file) => writeFileSync(file, JSON.stringify({ schema: 99, everything: 'else' }))],
  [
    'of another instance',
    (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"instance":"', '"instance":"not-')),
  ],
  ['with a directory in its place', (file) => (rmSync(file), mkdirSync(join(file, 'full'), { recursive: true }))],
]

describe('a state file that cannot be used', () => {
  it.each(DAMAGES)(
    '%s: the workers serve on and are taken back, none is ended or started twice (S4)',
    async (_, damage) => {
      const port = await freePort()
      const { supervise: first, load } = await startUnderLoad(fixture('hello.js'), ['-i', '2'], { port })
      const pids = pidsOf(await workersOf(first))
      await kill(first)
      damage(join(first.home.instanceDirectory(), 'state.json'))

      const second = await startSupervise([fixture('hello.js'), '-i', '2', '--port', `${port}`, ...QUICK], {
        home: first.home,
      })
      expect(pidsOf(await workersOf(second))).toEqual(pids)
      await load.answers(500)
      const reload = await second.cli('reload')
      expect(reload).toMatchObject({ code: 0 })
      // What is known now is written all the same.
      expect(readFileSync(join(first.home.instanceDirectory(), 'state.json'), 'utf8')).toContain('"instance":"hello"')
      await load.answers(200)
      mustHaveLostNothing(await load.stop())
      expect(pids.some((pid) => isAlive(pid))).toBe(false)
      await second.stop()
    },
  )

  it('with another number of workers wanted: a missing one is started, one too many is drained (S4)', async () => {
    const port = await freePort()
    const { supervise: first, load } = await startUnderLoad(fixture('hello.js'), ['-i', '2'], { port })
    const pids = pidsOf(await workersOf(first))
    const args = [fixture('hello.js'), '--port', `${port}`, ...QUICK]
    const state = () => join(first.home.instanceDirectory(), 'state.json')
    await kill(first)
    rmSync(state())
    const more = await startSupervise([...args, '-i', '3'], { home: first.home })
    const three = pidsOf(await wholeAgain(more, 3))
    expect(three).toEqual(expect.arrayContaining([...pids]))

    await kill(more)
    rmSync(state())
    const fewer = await startSupervise([...args, '-i', '1'], { home: first.home, wait: 'none' })
    const [one] = pidsOf(await wholeAgain(fewer, 1))
    expect(three).toContain(one)
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    await fewer.stop()
  })

  it('in the background: workers are taken back when their app is started a moment later (S4)', async () => {
    const port = await freePort()
    const args = ['-i', '2', '--instance', 'web']
    const { supervise: first, load } = await startUnderLoad(fixture('hello.js'), args, { port })
    const { home } = first
    const pids = pidsOf(await workersOf(first))
    await kill(first)
    rmSync(join(home.instanceDirectory('web'), 'state.json'))

    // Another app comes first: theirs is not known yet, and they serve on.
    const other = await home.cli(['start', fixture('port-zero.js'), '-d', '--instance', 'web', '-n', 'other'])
    expect(other).toMatchObject({ code: 0 })
    const found = await untilEvent(home, 'orphanFound')
    expect(found.text).toContain('"hello" serves on without a supervisor; start "hello" to take it back')
    const again = await home.cli(['start', fixture('hello.js'), '-d', ...args, '--port', `${port}`])
    expect(again).toMatchObject({ code: 0 })
    // No time-out was waited for: the other start booted a supervisor as well.
    expect(again.tookMs).toBeLessThan(other.tookMs + 2_500)
    expect(pidsOf(await workersOf(home, 'hello'))).toEqual(pids)
    await load.answers(200)
    mustHaveLostNothing(await load.stop())

    const { pid } = await statusOf(home)
    expect(await home.cli(['stop', '--all', '--instance', 'web'])).toMatchObject({ code: 0 })
    await until(() => !isAlive(pid) && home.processes().length === 0, 15_000, 'the instance is gone')
  })
})

describe('workers that were found ready once', () => {
  it('are not asked again by the next supervisor: one that says no just now serves on (S2, S4)', async () => {
    const home = makeHome()
    const ready = join(home.work, 'ready')
    writeFileSync(ready, '')
    const port = await freePort()
    const env = ['--env', `READY_FILE=${ready}`, '--ready-timeout', '1500ms']
    const args = [fixture('hello.js'), '-i', '2', '--port', `${port}`, '--ready', '/readyz', ...env, ...QUICK]
    const first = await startSupervise(args, { home })
    const pids = pidsOf(await workersOf(first))
    rmSync(ready)
    await kill(first)
    const second = await startSupervise(args, { home })
    await until(async () => (await statusOf(second)).apps[0]?.state === 'online', 5_000, 'online')
    const began = performance.now()
    await until(() => performance.now() - began > 2_000, 4_000, 'longer than the ready time-out')
    expect(pidsOf(await workersOf(second))).toEqual(pids)
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    await second.stop()
  })
})

describe('two supervisors of one instance started at once', () => {
  it('exactly one wins, and the other says who did (S5)', async () => {
    const options = { wait: 'none' } as const
    const one = await startSupervise([fixture('hello.js'), '--port', '0'], options)
    const two = await startSupervise([fixture('hello.js'), '--port', '0'], { ...options, home: one.home })
    const loser = await until(() => [one, two].find(({ exit }) => exit !== null), 10_000, 'one of them gives up')
    const winner = loser === one ? two : one
    await winner.online()
    expect(loser.exit).toEqual({ code: 8, signal: null })
    expect(loser.stderr).toContain(`another supervisor (pid ${winner.pid}) runs it`)
    expect(await winner.pids()).toHaveLength((await winner.app()).instances)
    await winner.stop()
  })
})

describe('a supervisor that is stopped (SIGSTOP) for longer than hangTimeout', () => {
  it('kills no worker when it goes on, since it was not they who were silent (S17)', async () => {
    const { supervise, load } = await startUnderLoad(fixture('hello.js'), ['-i', '2', '--hang-timeout', '1s'])
    const pids = pidsOf(await workersOf(supervise))
    supervise.signal('SIGSTOP')
    const stopped = performance.now()
    await until(() => performance.now() - stopped > 3_000, 4_000, 'three times hangTimeout')
    supervise.signal('SIGCONT')
    const went = performance.now()
    await until(() => performance.now() - went > 1_500, 4_000, 'another hangTimeout')
    expect(pidsOf(await workersOf(supervise))).toEqual(pids)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('takes a start for what it is: the time-outs of workers that got ready meanwhile do not end them', async () => {
    const args = ['-i', '1', '--env', 'LATE_MS=500', '--ready-timeout', '1500ms', '--port', '0']
    const supervise = await startSupervise([fixture('late-listen.js'), ...args], { wait: 'none' })
    await until(async () => (await workersOf(supervise)).length > 0, 10_000, 'a worker is forked')
    const [pid] = pidsOf(await workersOf(supervise))
    supervise.signal('SIGSTOP')
    const stopped = performance.now()
    await until(() => performance.now() - stopped > 2_000, 4_000, 'longer than the ready time-out')
    supervise.signal('SIGCONT')
    await supervise.online()
    expect(pidsOf(await workersOf(supervise))).toEqual([pid])
    await supervise.stop()
  })
})

describe('workers that write to stdout while their supervisor is dead', () => {
  it('go on, and no line is lost: the next supervisor carries what waited (S1)', async () => {
    const args = [fixture('queue-worker.js'), '-i', '1', '--ready', 'message', '--env', 'JOB_MS=10']
    const first = await startSupervise(args)
    await first.waitForOutput(/job 20 /)
    const [pid] = await first.pids()
    await kill(first)
    const died = performance.now()
    await until(() => performance.now() - died > 500, 1_000, 'lines that nobody reads')

    const second = await startSupervise(args, { home: first.home })
    await second.waitForOutput(/job 150 /)
    await second.stop()
    const lines = [...`${first.stdout}${second.stdout}`.matchAll(/job (\d+) by (\d+)/g)]
    expect(new Set(lines.map((line) => Number(line[2])))).toEqual(new Set([pid]))
    const numbers = lines.map((line) => Number(line[1]))
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1))
  })
})
