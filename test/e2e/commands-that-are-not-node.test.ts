// Any program that takes its sockets as systemd hands them over is restarted, reloaded and deployed without a refused
// connection; one that does not is restarted, and told honestly about.

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { crashesOf, eventsOf, workersOf } from '../support/instance-facts.ts'
import { mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { queueRequests } from '../support/queued-requests.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const QUICK = ['--min-ready', '200ms', '--backoff-first', '100ms', '--kill-timeout', '3s']

const canCompile = runs('cc', '--version')
const hasPython = runs('python3', '--version')
/** Debian's package is one for its own Python. */
const gunicornPython = ['python3', '/usr/bin/python3'].find((python) => runs(python, '-c', 'import gunicorn'))

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** A release of the server in C, which answers with its version. */
function compile(home: Home, version: string): string {
  const directory = join(home.work, version)
  mkdirSync(directory)
  const flags = ['-O1', '-Wall', '-Werror', `-DVERSION="${version}"`]
  execFileSync('cc', [...flags, '-o', join(directory, 'server'), fixture('command/listens.c')])
  return directory
}

/** Slow ones among them, so that there is always one under way where it could be cut. */
function loadOn(target: Target): Load {
  const lane = { kind: 'once' as const, expect: { text: 'hello\n' } }
  const lanes = [
    { ...lane, connections: 12 },
    { ...lane, connections: 4, path: '/slow' },
  ]
  return startLoad({ target, lanes, ratePerSecond: 400, durationMs: 120_000 })
}

describe.skipIf(!canCompile)('a server in C (without `cc` this is skipped)', () => {
  it('is crashed, reloaded and deployed under load, and only a crash costs its own request (A1, C1)', async () => {
    const home = makeHome()
    const [first, second] = [compile(home, 'v1'), compile(home, 'v2')]
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    const path = join(home.work, 'web.sock')
    const sockets = ['--listen', `127.0.0.1:${port}`, '--listen', path]
    const args = ['-n', 'web', '-i', '2', ...sockets, ...QUICK, '--', './server', '--verbose']
    const supervise = await startSupervise(args, { home, cwd: first })

    const pids = await supervise.pids()
    const { headers } = await get(target)
    expect(pids.map(String)).toContain(headers['x-pid'])
    expect(headers).toMatchObject({
      'x-listen-pid': headers['x-pid'],
      'x-port': `${port}`,
      'x-fdnames': `${port}:web.sock`,
    })
    expect((await get({ path })).status).toBe(200)
    expect((await supervise.app()).listeners).toMatchObject([
      { port, slots: 1 },
      { path, slots: 1 },
    ])

    const load = loadOn(target)
    await load.answers(100)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    const deployed = await supervise.cli('deploy', 'web', second)
    expect(deployed).toMatchObject({ code: 0 })
    expect((await get(target)).headers['x-version']).toBe('v2')
    expect(await supervise.cli('rollback', 'web')).toMatchObject({ code: 0 })
    expect((await get(target)).headers['x-version']).toBe('v1')
    expect((await supervise.pids()).some((pid) => pids.includes(pid))).toBe(false)
    await load.answers(100)
    mustHaveLostNothing(await load.stop())

    const again = loadOn(target)
    await again.answers(100)
    await get(target, '/crash').catch(() => {})
    const [victim = 0] = await supervise.pids()
    sendIfAlive(victim, 'SIGKILL')
    await until(async () => (await crashesOf(supervise)).length >= 2, 10_000, 'both crashes are on record')
    await supervise.online()
    await again.answers(200)
    const { failed, failures } = await again.stop()
    // Each of the two had one request under way at most.
    expect(failed).toBeLessThanOrEqual(2)
    expect(failures.refused).toBe(0)
    const exit = (await crashesOf(supervise)).find(({ code }) => code === 3)
    expect(exit).toMatchObject({ reason: 'exit', stderr: ['crashes as asked'] })

    const refused = await supervise.cli('deploy', 'web', second, '--strategy', 'blue-green')
    expect(refused.stderr).toMatch(/Cannot deploy "web" with strategy "blue-green": it is a command/)
    expect(refused.stderr).toMatch(/supervise reload web/)
    expect(refused.code).toBe(2)
    const described = await supervise.cli('describe', 'web')
    expect(described.stdout).toMatch(/agent +none: its requests, drain and event loop are not seen/)
    const { stdout: metrics } = await supervise.cli('metrics')
    expect(metrics).toMatch(/supervise_worker_uptime_seconds\{app="web"/)
    expect(metrics).not.toMatch(/^supervise_(?:http|worker_event_loop|worker_open|slot)\w*\{[^}]*app="web"/m)
    await supervise.stop()
  })
})

describe.skipIf(!hasPython)('a server in Python (without `python3` this is skipped)', () => {
  it('keeps its queue when all its processes die, and outlives its supervisor (A3, S1)', async () => {
    const home = makeHome()
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    const program = ['python3', fixture('command/listens.py')]
    const args = ['-n', 'web', '-i', '2', '--listen', `127.0.0.1:${port}`, ...QUICK, '--', ...program]
    const first = await startSupervise(args, { home })
    // As systemd gives it, although the supervisor's own sockets are otherwise; the first process changes it for both.
    await first.waitForOutput(/blocking: True/)

    const dead = await first.pids()
    for (const pid of dead) sendIfAlive(pid, 'SIGKILL')
    await until(() => !dead.some((pid) => isAlive(pid)), 2_000, 'all are dead')
    expect(await (await queueRequests(target, 40)).answered()).toBe(40)
    await first.online()

    const load = loadOn(target)
    await load.answers(100)
    const pids = await first.pids()
    first.signal('SIGKILL')
    await first.ended()
    await load.answers(100)
    const second = await startSupervise(args, { home })
    expect(new Set(await second.pids())).toEqual(new Set(pids))
    expect((await second.workers()).every(({ adopted }) => adopted)).toBe(true)
    await load.answers(100)
    mustHaveLostNothing(await load.stop())

    // Its socket cannot be had back: the next process gets one beside it.
    const [victim = 0] = pids
    sendIfAlive(victim, 'SIGKILL')
    await until(
      async () => !(await second.pids()).includes(victim) && (await second.app()).state === 'online',
      10_000,
      'the dead one is replaced',
    )
    expect((await eventsOf(second, 'listenNotice'))[0]?.text).toMatch(/another one is open beside it/)
    expect(await second.cli('reload')).toMatchObject({ code: 0 })
    expect(await (await queueRequests(target, 40)).answered()).toBe(40)
    await second.stop()
  })
})

describe.skipIf(gunicornPython === undefined)('gunicorn (without it this is skipped)', () => {
  it('takes the socket, and a reload under load loses nothing', async () => {
    const home = makeHome()
    const port = await freePort()
    const app = 'def app(environ, start):\n    start("200 OK", [("content-length", "6")])\n    return [b"hello\\n"]\n'
    writeFileSync(join(home.work, 'hello.py'), app)
    const program = [gunicornPython ?? '', '-m', 'gunicorn', '--workers', '2', 'hello:app']
    const ready = ['--ready', '/']
    const args = [
      '-n',
      'web',
      '--listen',
      `127.0.0.1:${port}`,
      ...ready,
      ...QUICK,
      '--min-ready',
      '1s',
      '--',
      ...program,
    ]
    const supervise = await startSupervise(args, { home })
    const load = loadOn({ host: '127.0.0.1', port })
    await load.answers(100)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(100)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})

describe('a program that opens its port by itself', () => {
  it('is restarted, a reload says that it ends the old process first, and no second one is started beside it', async () => {
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    const program = [fixture('command/own-port.js'), String(port)]
    const supervise = await startSupervise([
      '-n',
      'web',
      ...QUICK,
      '--port',
      `${port}`,
      '--ready',
      '/',
      '--',
      ...program,
    ])
    const [pid = 0] = await supervise.pids()
    expect((await get(target)).pid).toBe(pid)
    expect(await workersOf(supervise)).toHaveLength(1)
    const scaled = await supervise.cli('scale', '2')
    expect(scaled).toMatchObject({ code: 1, stderr: expect.stringContaining(`it opens port ${port} by itself`) })
    expect(await eventsOf(supervise, 'workerCrashed')).toEqual([])

    const { code, stderr } = await supervise.cli('reload')
    expect(stderr).toMatch(/the old process ends first, as it is given no sockets \(listen\)/)
    expect(code).toBe(0)
    expect(isAlive(pid)).toBe(false)
    const next = (await get(target)).pid
    sendIfAlive(next, 'SIGKILL')
    await until(async () => (await get(target)).pid !== next, 10_000, 'another one answers')
    expect((await eventsOf(supervise, 'workerCrashed')).length).toBe(1)
    await supervise.stop()
  })
})

describe('a program that does not end when it is asked to', () => {
  it('is killed when the time of its drain is over, and what it left behind with it', async () => {
    const script = 'trap "" TERM; sleep 300 & echo "child $!"; while :; do sleep 0.2; done'
    const args = ['-n', 'stubborn', ...QUICK, '--drain-timeout', '500ms', '--', 'sh', '-c', script]
    const supervise = await startSupervise(args)
    const [, child] = await supervise.waitForOutput(/child (\d+)/)
    expect(await supervise.cli('restart')).toMatchObject({ code: 0 })
    const [killed] = await eventsOf(supervise, 'workerKilled')
    expect(killed?.text).toMatch(/SIGKILL: it has not ended within the drain's time after SIGTERM/)
    expect(isAlive(Number(child))).toBe(false)
    await supervise.stop()
  })
})

describe('supervise start of a command refuses', () => {
  it('programs that are not there, addresses that cannot be, options of Node, and a port in use', async () => {
    const home = makeHome()
    const start = (...args: readonly string[]) => home.cli(['start', ...args])
    const closed = join(home.work, 'closed')
    writeFileSync(closed, '#!/bin/sh\n')
    chmodSync(closed, 0o644)
    const port = await freePort()
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['--', './nope'], 2, /"[^"]*\/nope" does not exist/],
      [['--', 'surely-not-installed'], 2, /"surely-not-installed" is not in PATH/],
      [['--', './closed'], 2, /may not be run by this user \(EACCES\); `chmod \+x`/],
      [['--', '.'], 2, /is a directory; name the program in it|not in PATH/],
      [['--listen', 'banana', '--', 'true'], 2, /--listen: "banana" is not allowed; write a port/],
      [['--listen', '99999', '--', 'true'], 2, /has no port that can be/],
      [['--listen', 'example.org:80', '--', 'true'], 2, /has a name in it; write an IP address/],
      [['--slots', '3', '--', 'true'], 2, /--slots: does nothing with a command, which has no agent/],
      [['--ready', 'listen', '--', 'true'], 2, /cannot be seen of a command/],
      [['--ready', '/', '--', 'true'], 2, /no address to ask it at; write listen or port/],
      [[fixture('hello.js'), '--listen', '3000'], 2, /--listen: does nothing without a command/],
    ]
    const results = await Promise.all(cases.map(([args], at) => start('--name', `case${at}`, ...args)))
    for (const [at, { code, stderr }] of results.entries()) {
      expect([at, stderr]).toEqual([at, expect.stringMatching(cases[at]?.[2] ?? /^$/)])
      expect([at, code]).toEqual([at, cases[at]?.[1]])
    }
    const other = await startSupervise([fixture('hello.js'), '-i', '1', '--port', `${port}`])
    const inUse = await start('--listen', `127.0.0.1:${port}`, '--', 'sleep', '60')
    expect(inUse.stderr).toMatch(new RegExp(`annot listen on "127.0.0.1:${port}": it is in use`))
    expect(inUse.code).not.toBe(0)
    await other.stop()
  })
})
