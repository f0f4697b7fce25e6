// What is typed, written or set up wrongly gets one clear message with what to do and the right exit code, leaves nothing
// behind, and no running app notices.

import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome, type CliResult, type Home } from '../support/home.ts'
import { crashesOf, eventsOf, statusOf, untilEvent, workersOf } from '../support/instance-facts.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture, makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const isRoot = process.getuid?.() === 0
const hello = fixture('hello.js')

/** One message, in this form: what is so, and what to do. */
function mustSay(result: CliResult, code: number, message: RegExp, fix: RegExp): void {
  expect(result.stderr).toMatch(message)
  expect(result.stderr).toMatch(fix)
  expect(result.stderr.match(/Cannot /g)).toHaveLength(1)
  expect(result.stderr).toMatch(/Try: /)
  expect(result.stderr).not.toMatch(/at .*\/(src|dist)\//)
  expect(result.code).toBe(code)
}

async function mustLeaveNothing(home: Home): Promise<void> {
  await home.mustBeEmpty()
  expect(readdirSync(home.runtime)).toEqual([])
}

describe('supervise start refuses', () => {
  it('what is not there, what is empty, and numbers of workers that cannot be', async () => {
    const home = makeHome()
    mustSay(await home.cli(['start', 'nope.js']), 2, /Cannot start "nope.js": there is no such file/, /Name a script/)
    mustSay(await home.cli(['start', '.']), 2, /Cannot find anything to start in ".*work"/, /Name the script/)
    for (const workers of ['0', '-1', '10000', 'many']) {
      // oxlint-disable-next-line no-await-in-loop -- one supervisor at a time
      const result = await home.cli(['start', hello, '-i', workers])
      mustSay(result, 2, new RegExp(`--workers: "${workers}" is not allowed; write a whole number`), /--help/)
    }
    mustSay(await home.cli(['start', hello, '-n', 'a/b']), 2, /--name: "a\/b" has a "\/"/, /Correct the command/)
    mustSay(await home.cli(['start', hello, '--wrokers', '2']), 2, /--wrokers/, /--workers/)
    await mustLeaveNothing(home)
  })

  it.each([
    [
      'exits-zero at boot',
      'exits-at-boot.js',
      ['--env', 'EXIT_CODE=0'],
      /ended by itself|exited with code 0/,
      /must keep listening/,
    ],
    [
      'a syntax error',
      'syntax-error.broken.js',
      [],
      /SyntaxError: missing \) after argument list/,
      /Correct the cause/,
    ],
    ['an exception at boot', 'throws-at-boot.js', [], /Error: no database at boot/, /Correct the cause/],
    [
      'a script that never listens',
      'never-ready.js',
      ['--ready-timeout', '1s'],
      /not ready after 1 s/,
      /--ready message/,
    ],
  ] as const)('%s: exit code 1, the last lines of the worker, and no orphan', async (_, script, args, message, fix) => {
    const home = makeHome()
    mustSay(await home.cli(['start', fixture(script), '-i', '2', ...args]), 1, message, fix)
    await mustLeaveNothing(home)
  })

  it('a port that is taken, and says by whom', async () => {
    const home = makeHome()
    const taken = net.createServer().listen(0, '0.0.0.0')
    onTestFinished(() => void taken.close())
    await until(() => taken.listening, 2_000, 'the port is taken')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const result = await home.cli(['start', hello, '-i', '2', '--port', `${port}`])
    mustSay(
      result,
      1,
      new RegExp(`:${port}.* in use by process ${process.pid} `),
      new RegExp(`Try: Give the app another port, or stop that process: \`kill ${process.pid}\``),
    )
    await mustLeaveNothing(home)
  })

  it.runIf(isRoot)('a port that this user may not have', async () => {
    const home = makeHome()
    const result = await asNobody(home, ['start', join(home.work, 'app.js'), '-i', '1', '--port', '81'])
    mustSay(result, 1, /may not bind port 81/, /1024|setcap/)
  })

  it('a config with a mistake in every field, all of them at once', async () => {
    const home = makeHome()
    const broken = {
      name: 'a b',
      script: 'nope.js',
      workers: 0,
      ready: 7,
      readyTimeout: 'soon',
      minReady: -1,
      hangTimeout: [],
      liveness: 'yes',
      drainTimeout: '3 parsecs',
      stopSignal: 'SIGNOPE',
      restart: 'sometimes',
      maxMemory: 'lots',
      maxSurge: '-5%',
      env: 5,
      wrokers: 2,
    }
    writeFileSync(join(home.work, 'supervise.config.json'), JSON.stringify(broken, null, 2))
    const result = await home.cli(['start'])
    mustSay(result, 78, /Cannot use config/, /supervise check/)
    for (const name of Object.keys(broken)) expect(result.stderr).toMatch(new RegExp(`config.json:\\d+: ${name}: `))
    expect(result.stderr).toMatch(/wrokers.*workers/)
    await mustLeaveNothing(home)
  })

  it('two apps of one name, in a config and in an instance', async () => {
    const home = makeHome()
    const apps = [
      { name: 'web', script: hello },
      { name: 'web', script: hello },
    ]
    writeFileSync(join(home.work, 'supervise.config.json'), JSON.stringify({ apps }))
    mustSay(await home.cli(['start']), 78, /"web" is the name of apps\[0\], too/, /Correct/)
    rmSync(join(home.work, 'supervise.config.json'))
    await mustLeaveNothing(home)

    const args = ['-n', 'web', '--port', `${await freePort()}`, '-i', '1', ...QUICK]
    const running = await startSupervise([hello, ...args], { home })
    const pids = await running.pids()
    mustSay(await home.cli(['start', hello, ...args]), 8, /runs it|runs already/, /supervise status|reload/)
    const second = await home.cli(['start', hello, '-d', '--instance', 'web', ...args])
    mustSay(second, 8, /Cannot start "web": an app of this name runs already/, /supervise reload web/)
    expect(await running.pids()).toEqual(pids)
    await running.stop()
  })
})

describe('a runtime directory', () => {
  it.runIf(isRoot)('of another user is refused', async () => {
    const home = makeHome()
    const theirs = join(home.runtime, 'hello')
    mkdirSync(theirs, { mode: 0o700 })
    chownSync(theirs, 65_534, 65_534)
    const message = /Cannot use runtime directory ".*run\/hello": it belongs to uid 65534, and this is uid 0/
    mustSay(await home.cli(['start', hello]), 77, message, /SUPERVISE_RUNTIME_DIR/)
    expect(readdirSync(theirs)).toEqual([])
  })

  it.runIf(isRoot)('that cannot be written is refused', async () => {
    const home = makeHome()
    chownSync(home.directory, 65_534, 65_534)
    const directory = join(home.directory, 'locked')
    mkdirSync(directory)
    chownSync(directory, 65_534, 65_534)
    chmodSync(directory, 0o500)
    const env = { SUPERVISE_RUNTIME_DIR: join(directory, 'run') }
    const result = await asNobody(home, ['start', join(home.work, 'app.js')], env)
    mustSay(result, 77, /Cannot use runtime directory ".*locked.*": /, /SUPERVISE_RUNTIME_DIR|chmod|write/)
    chmodSync(directory, 0o700)
  })

  it('whose sockets would have paths too long is refused, with how long they may be', async () => {
    const home = makeHome()
    const long = join(home.directory, 'x'.repeat(100))
    const result = await home.cli(['start', hello], { env: { SUPERVISE_RUNTIME_DIR: long } })
    mustSay(result, 2, /would have a path of \d+ bytes, and the system allows 107/, /at most \d+ bytes/)
    expect(readdirSync(home.directory)).not.toContain('x'.repeat(100))
  })

  it.runIf(isRoot)(
    'on a disk that was full before: apps start, a reload works, it is said once, and what was not written is later (S4)',
    async () => {
      const home = makeHome()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k,mode=700', 'tmpfs', home.runtime])
      onTestFinished(() => void execFileSync('umount', ['-l', home.runtime]))
      const filler = join(home.runtime, 'zeros')
      const fill = () => expect(() => writeFileSync(filler, Buffer.alloc(64 << 10))).toThrow(/ENOSPC/)
      fill()
      const port = await freePort()
      const supervise = await startSupervise([hello, '-i', '2', '--port', `${port}`, ...QUICK], { home })
      const pids = await supervise.pids()
      expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
      expect(await supervise.pids()).not.toEqual(pids)
      expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
      const [said, ...more] = await eventsOf(supervise, 'stateNotWritten')
      expect([said?.text, more]).toEqual([
        expect.stringMatching(/state\.json cannot be written, since the disk is full/),
        [],
      ])
      expect(await eventsOf(supervise, 'lockNotice')).toHaveLength(1)
      expect(await eventsOf(supervise, 'internalError')).toEqual([])

      rmSync(filler)
      await untilEvent(supervise, 'stateWritten')
      const directory = home.instanceDirectory('hello')
      const files = readdirSync(directory).toSorted()
      expect(files).toEqual(['control.sock', 'endpoints', 'link.sock', 'output', 'state.json', 'supervisor.json'])

      // Full again, and the supervisor dies: the next one starts all the same, and takes them back.
      const now = await supervise.pids()
      fill()
      supervise.signal('SIGKILL')
      await supervise.ended()
      const second = await startSupervise([hello, '-i', '2', '--port', `${port}`, ...QUICK], { home })
      expect(await second.pids()).toEqual(now)
      await second.stop()
    },
  )
})

describe('a command for what is not there', () => {
  it('names what there is, and touches nothing: app, worker, signal, number', async () => {
    const port = ['--port', `${await freePort()}`]
    const supervise = await startSupervise([hello, '-n', 'web', '-i', '1', ...port, ...QUICK])
    const pids = await supervise.pids()
    mustSay(await supervise.cli('reload', 'wbe'), 4, /Cannot find app "wbe": there is "web"/, /Did you mean "web"/)
    mustSay(await supervise.cli('restart', 'web', '7'), 4, /worker "?7"? of "web"/, /supervise (status|describe)/)
    mustSay(await supervise.cli('signal', 'web', 'SIGNOPE'), 2, /Cannot send "SIGNOPE"/, /Did you mean SIG/)
    mustSay(await supervise.cli('scale', 'web', '0'), 2, /0 workers|"0"/, /supervise stop|number from 1/)
    mustSay(await supervise.cli('relaod', 'web'), 2, /relaod/, /reload/)
    expect(await supervise.pids()).toEqual(pids)
    await supervise.stop()
    mustSay(await supervise.home.cli(['reload', 'web']), 3, /Cannot find a supervisor/, /supervise start/)
  })
})

describe('a worker that misuses its channel', () => {
  it.each([
    ['closes it', 'closes-ipc.js'],
    ['sends 10 MB over it', 'big-message.js'],
  ])('%s: serves on, and is reloaded as any other', async (_, script) => {
    const port = await freePort()
    const supervise = await startSupervise([fixture(script), '-i', '2', '--port', `${port}`, ...QUICK])
    const pids = await supervise.pids()
    const serves = async () => (await get({ host: '127.0.0.1', port })).status === 200
    await until(() => uptime(supervise, 1), 5_000, 'a second has passed')
    expect(await serves()).toBe(true)
    expect(await supervise.pids()).toEqual(pids)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    expect(await serves()).toBe(true)
    expect(await crashesOf(supervise)).toEqual([])
    await supervise.stop()
  })
})

describe('the directory of a running app', () => {
  it('vanished: the others serve, why is said, and a reload heals it when it is back (R14)', async () => {
    const home = makeHome()
    const directory = join(home.work, 'app')
    const script = makeRelease(directory, { fixture: 'hello.js', version: '1' })
    const port = await freePort()
    const supervise = await startSupervise([script, '-i', '2', '--port', `${port}`, ...QUICK], { home })
    renameSync(directory, `${directory}.gone`)
    const [victim = 0] = await supervise.pids()
    sendIfAlive(victim, 'SIGKILL')
    const failed = await until(
      async () => (await crashesOf(supervise)).length >= 2 || (await eventsOf(supervise, 'launchFailed')).length > 0,
      10_000,
      'the start fails',
    )
    expect(failed).toBe(true)
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    const words = [...(await crashesOf(supervise)), ...(await eventsOf(supervise, 'launchFailed'))]
    expect(JSON.stringify(words)).toMatch(/no longer|does not exist|Cannot find module|ENOENT/)
    const refused = await supervise.cli('reload')
    expect(refused.code).toBe(5)
    expect(refused.stderr).toMatch(/does not exist|no such/)

    renameSync(`${directory}.gone`, directory)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    expect((await statusOf(supervise)).apps[0]).toMatchObject({ state: 'online' })
    expect(await workersOf(supervise)).toHaveLength(2)
    await supervise.stop()
  })
})

async function uptime(supervise: Supervise, seconds: number): Promise<boolean> {
  return (await workersOf(supervise)).every(({ uptimeSeconds }) => (uptimeSeconds ?? 0) >= seconds)
}

/** Runs the command as a user without rights, which has this home for its own. */
async function asNobody(home: Home, args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  makeRelease(home.work, { fixture: 'hello.js', version: '1' })
  execFileSync('chown', ['-R', '65534:65534', home.directory])
  const result = await home.cli(args, { env, uid: 65_534 })
  return result
}
