// What signals to the supervisor do, also while it boots, and that those meant for it alone reach no worker.

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AppDescription, AppSamples } from '../../src/control/messages.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHold } from '../support/hold.ts'
import { LAUNCHER, makeHome, TEST_NODE, type Home } from '../support/home.ts'
import { crashesOf, eventsOf, statusOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

/** What a request that the test holds up may take in all. */
const HELD_MS = 30_000

interface Started {
  readonly supervise: Supervise
  readonly target: { readonly host: string; readonly port: number }
  readonly pids: readonly number[]
}

async function start(script: string, ...args: readonly string[]): Promise<Started> {
  const port = await freePort()
  const supervise = await startSupervise([fixture(script), '-i', '2', '--port', `${port}`, ...QUICK, ...args])
  return { supervise, target: { host: '127.0.0.1', port }, pids: await supervise.pids() }
}

async function untilServing(supervise: Supervise, count: number, butNot: readonly number[] = []): Promise<void> {
  await until(
    async () => {
      const workers = await workersOf(supervise)
      const isFresh = workers.every(({ pid, state }) => state === 'serving' && pid !== null && !butNot.includes(pid))
      return workers.length === count && isFresh
    },
    20_000,
    `${count} workers serve`,
  )
}

describe('a running supervisor', () => {
  it('reloads on SIGHUP, has one worker more or less on SIGTTIN and SIGTTOU, and goes on after SIGUSR2', async () => {
    const { supervise, pids } = await start('hello.js')
    supervise.signal('SIGHUP')
    await untilEvent(supervise, 'reloaded')
    await untilServing(supervise, 2, pids)
    expect((await eventsOf(supervise, 'reloadStarted'))[0]?.cause).toBe('signal SIGHUP')

    supervise.signal('SIGTTIN')
    await untilServing(supervise, 3)
    supervise.signal('SIGTTOU')
    await untilServing(supervise, 2)

    const before = await supervise.pids()
    supervise.signal('SIGUSR2')
    expect((await untilEvent(supervise, 'flipRefused')).text).toContain('no release is warm')
    expect(await supervise.pids()).toEqual(before)
    expect(await crashesOf(supervise)).toEqual([])
    expect(await supervise.stop()).toEqual({ code: 0, signal: null })
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s: a slow request is answered, then it ends', async (signal) => {
    const { supervise, target } = await start('hello.js', '--drain-timeout', '20s')
    const hold = makeHold(supervise.home)
    const slow = get(target, hold.path, HELD_MS)
    await hold.asked()
    supervise.signal(signal)
    await until(async () => (await workersOf(supervise)).every(({ state }) => state !== 'serving'), 5_000, 'it drains')
    hold.release()
    expect(await slow).toMatchObject({ status: 200, text: 'held\n' })
    expect(await supervise.ended()).toEqual({ code: 0, signal: null })
    await supervise.mustHaveNoOrphan()
  })

  it('ends now at the second SIGTERM, and leaves nobody behind', async () => {
    const { supervise, target } = await start('hello.js', '--drain-timeout', '60s')
    const hold = makeHold(supervise.home)
    const hanging = get(target, hold.path, HELD_MS).catch((error: unknown) => error)
    await hold.asked()
    supervise.signal('SIGTERM')
    await until(async () => (await workersOf(supervise)).some(({ state }) => state === 'draining'), 5_000, 'it drains')
    supervise.signal('SIGTERM')
    expect(await supervise.ended(10_000)).toEqual({ code: 0, signal: null })
    expect(await hanging).toBeInstanceOf(Error)
    await supervise.mustHaveNoOrphan()
  })

  it('ends now on SIGQUIT; a worker that ignores SIGTERM is ended after killTimeout', async () => {
    const { supervise, target } = await start('ignores-sigterm.js', '--kill-timeout', '1s', '--drain-timeout', '60s')
    const hold = makeHold(supervise.home)
    const hanging = get(target, hold.path, HELD_MS).catch((error: unknown) => error)
    await hold.asked()
    supervise.signal('SIGQUIT')
    expect(await supervise.ended(8_000)).toEqual({ code: 0, signal: null })
    expect(await hanging).toBeInstanceOf(Error)
    await supervise.mustHaveNoOrphan()
  })
})

describe('signals during a boot', () => {
  it('a HUP to a supervisor that boots does not end it, nor one to a supervisor whose workers boot (S15)', async () => {
    const args = ['-i', '2', '--port', `${await freePort()}`, '--env', 'LATE_MS=500', ...QUICK]
    const supervise = await startSupervise([fixture('late-listen.js'), ...args], { wait: 'none' })
    // As soon as it can hear: from the first line of the launcher on, again and again, until it is online.
    await until(() => listensTo(supervise.pid, 'SIGHUP'), 10_000, 'it has its handlers')
    await until(
      async () => {
        supervise.signal('SIGHUP')
        const { apps } = await statusOf(supervise)
        return apps.length > 0 && apps.every(({ state }) => state === 'online' || state === 'reloading')
      },
      20_000,
      'it is online',
    )
    await supervise.online(20_000)
    expect(await crashesOf(supervise)).toEqual([])
    expect(supervise.exit).toBeNull()
    await supervise.stop()
  })

  it('is never passed on to a worker that boots: `supervise signal` overlooks it (S15)', async () => {
    const home = makeHome()
    const listens = join(home.work, 'listens')
    const args = ['-i', '1', '--port', `${await freePort()}`, '--env', `LATE_UNTIL=${listens}`, ...QUICK]
    const supervise = await startSupervise([fixture('late-listen.js'), ...args], { home, wait: 'none' })
    const booting = await until(
      async () => (await workersOf(supervise)).find(({ pid }) => pid !== null)?.pid,
      10_000,
      'it boots',
    )
    const sent = await supervise.cli('signal', 'late-listen', 'SIGUSR2')
    expect(sent).toMatchObject({ code: 0 })
    expect(`${sent.stdout}${sent.stderr}`).toContain('0 workers')
    writeFileSync(listens, '')
    await supervise.online()
    expect(await supervise.pids()).toEqual([booting])
    await supervise.stop()
  })

  it('a SIGTERM ends it while its workers boot, and no orphan is left', async () => {
    const args = ['-i', '3', '--port', `${await freePort()}`, '--env', 'LATE_MS=2000', ...QUICK]
    const supervise = await startSupervise([fixture('late-listen.js'), ...args], { wait: 'none' })
    await until(async () => (await workersOf(supervise)).some(({ pid }) => pid !== null), 10_000, 'one boots')
    await supervise.stop('SIGTERM', 10_000)
  })
})

/** Whether a process has a handler for a signal, as the kernel tells it. */
function listensTo(pid: number, signal: 'SIGHUP'): boolean {
  const caught = /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals[signal] - 1))) !== 0n
}

/** A supervisor in a terminal of its own; what is written to its stdin is typed there. */
async function startInTerminal(home: Home, args: readonly string[]) {
  const command = [TEST_NODE, LAUNCHER, 'start', ...args].map((word) => `'${word}'`).join(' ')
  const terminal = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    cwd: home.work,
    env: home.env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  onTestFinished(() => void terminal.kill('SIGKILL'))
  let text = ''
  terminal.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => terminal.once('exit', (code) => resolve(code)))
  await until(async () => (await statusOf(home)).apps.every(({ state }) => state === 'online'), 15_000, 'online')
  const { pid } = await statusOf(home)
  return { terminal, ended, pid, shown: () => text }
}

describe('a supervisor in a terminal', () => {
  it('Ctrl-C reaches the whole group, and no worker dies of it: a slow request is answered (S16)', async () => {
    const home = makeHome()
    const port = await freePort()
    const { terminal, ended, pid } = await startInTerminal(home, [fixture('hello.js'), '-i', '2', '--port', `${port}`])
    const hold = makeHold(home)
    const slow = get({ host: '127.0.0.1', port }, hold.path, HELD_MS)
    await hold.asked()
    terminal.stdin.write('\x03')
    await until(async () => (await workersOf(home)).every(({ state }) => state !== 'serving'), 5_000, 'it drains')
    hold.release()
    expect(await slow).toMatchObject({ status: 200, text: 'held\n' })
    expect(await ended).toBe(0)
    expect(isAlive(pid)).toBe(false)
    await home.mustBeEmpty()
  })

  it('closed: drains, answers what is under way, and leaves no orphan (S16)', async () => {
    const home = makeHome()
    const port = await freePort()
    const { terminal, pid } = await startInTerminal(home, [fixture('hello.js'), '-i', '2', '--port', `${port}`])
    const hold = makeHold(home)
    const slow = get({ host: '127.0.0.1', port }, hold.path, HELD_MS)
    await hold.asked()
    sendIfAlive(terminal.pid ?? 0, 'SIGKILL')
    await until(async () => (await workersOf(home)).every(({ state }) => state !== 'serving'), 5_000, 'it drains')
    hold.release()
    expect(await slow).toMatchObject({ status: 200, text: 'held\n' })
    await until(() => !isAlive(pid), 10_000, 'the supervisor ends')
    await home.mustBeEmpty()
  })
})

async function childPids(supervise: Supervise, pattern: RegExp): Promise<readonly number[]> {
  await supervise.waitForOutput(pattern)
  return [...supervise.stdout.matchAll(new RegExp(pattern, 'g'))].map((match) => Number(match[1]))
}

/** Two a worker, in its figures and apart. */
async function mustCountChildren(supervise: Supervise): Promise<void> {
  const seen = await until(
    async () => {
      const { body } = await supervise.api('GET', '/v1/apps/forks-children')
      const { groups, resources } = body as AppDescription
      const workers = groups.blue?.workers ?? []
      return workers.every(({ children }) => children?.count === 2) && resources.length === 2 && { workers, resources }
    },
    15_000,
    'the children are counted',
  )
  for (const { rssBytes, children } of seen.workers) expect(rssBytes).toBeGreaterThan(children?.rssBytes ?? Infinity)
  const lines = parseMetrics((await supervise.cli('metrics')).stdout)
  expect(sumOf(lines, 'supervise_worker_children')).toBe(4)
  const { body } = await supervise.api('GET', '/v1/apps/forks-children/samples')
  expect((body as AppSamples).workers.map(({ id, rssBytes }) => [id, rssBytes.length > 0])).toEqual([
    [1, true],
    [2, true],
  ])
  const { stdout } = await supervise.cli('describe')
  expect(stdout).toContain('with 2 children: ')
  expect(stdout).toContain('OF IT CHILDREN')
}

describe("a worker's own children", () => {
  it('end with it when it is killed, and with a stop, though they ignore SIGTERM (treeKill)', async () => {
    const { supervise, pids } = await start('forks-children.js')
    await until(async () => (await childPids(supervise, /child (\d+)/)).length === 4, 5_000, 'four children')
    const first = await childPids(supervise, /child (\d+)/)
    await mustCountChildren(supervise)
    const [victim = 0] = pids
    sendIfAlive(victim, 'SIGKILL')
    await until(() => first.filter((pid) => isAlive(pid)).length === 2, 10_000, 'its two children are gone')
    await untilServing(supervise, 2, [victim])
    await supervise.stop()
    expect((await childPids(supervise, /child (\d+)/)).filter((pid) => isAlive(pid))).toEqual([])
  })

  it('in a session of their own are left alone, and leave nothing behind in the supervisor', async () => {
    const { supervise } = await start('ignores-children.js')
    await until(async () => (await childPids(supervise, /detached child (\d+)/)).length === 2, 5_000, 'two children')
    const children = await childPids(supervise, /detached child (\d+)/)
    supervise.signal('SIGTERM')
    expect(await supervise.ended()).toEqual({ code: 0, signal: null })
    expect(children.every((pid) => isAlive(pid))).toBe(true)
    for (const pid of children) sendIfAlive(pid, 'SIGKILL')
  })
})
