// `supervise start` with a real supervisor, in the background and in the foreground. Needs the built project, since workers
// load the agent from it.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, onTestFailed } from 'vitest'
import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import { noteOwner } from '../../src/control/state-owner.ts'
import { run } from './command.ts'
import { StandIns } from './stand-in.ts'

const BUILT = fileURLToPath(new URL('../../dist/agent/preload.js', import.meta.url))
const LAUNCHER = fileURLToPath(new URL('../../bin/supervise.js', import.meta.url))

let standIns: StandIns
let project: string
beforeEach(() => {
  standIns = new StandIns()
  project = standIns.project({
    'app.js': "require('http').createServer((_, res) => res.end('hi')).listen(0)",
    'bad.js': "throw new Error('no database')",
  })
})

const supervise = (...args: string[]) => run(args, { environment: standIns.environment, cwd: project, main: LAUNCHER })

function pidsIn(status: {
  readonly apps: readonly {
    readonly groups: { readonly blue: { readonly workers: readonly { readonly pid: number }[] } }
  }[]
}) {
  return status.apps.flatMap(({ groups }) => groups.blue.workers.map(({ pid }) => pid))
}

describe('supervise start --detach, when the supervisor itself cannot start', () => {
  afterEach(() => standIns.end())

  it('shows its last lines and leaves nothing behind', async () => {
    const inTheWay = join(standIns.environment['SUPERVISE_RUNTIME_DIR'] ?? '', 'default', 'control.sock.new')
    mkdirSync(inTheWay, { recursive: true, mode: 0o700 })
    const { code, stdout, stderr } = await run(['start', 'app.js', '-d'], {
      environment: standIns.environment,
      cwd: project,
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^Error \[DETACHED_START_FAILED\] Cannot start instance "default" in the background: it exited/,
    )
    expect(stderr).toContain('control.sock.new')
    expect(stderr).toContain(`Try: Read ${join(standIns.root, 'state', 'supervise', 'default.log')}`)
  })
})

describe.runIf(existsSync(BUILT))('supervise start', { timeout: 60_000 }, () => {
  afterEach(async () => {
    await supervise('stop', '--all', '--now')
    await standIns.end()
  })

  it('leaves the app running with --detach, in a supervisor that the next start finds', async () => {
    const first = await supervise('start', 'app.js', '-d', '-i', '1')
    expect(first.code, first.stderr).toBe(0)
    expect(first.stdout).toMatch(/^✓ app: .* \(\d[^)]*\)\n$/)
    expect(first.stderr).toMatch(/^Started supervisor default \(pid \d+\), log in /)
    const log = join(standIns.root, 'state', 'supervise', 'default.log')
    expect(statSync(log).mode & 0o777).toBe(0o600)

    const second = await supervise('start', 'app.js', '-d', '-i', '1', '-n', 'more')
    expect(second.stderr).not.toContain('Started supervisor')
    const status = await supervise('status', '--json')
    expect(status.code).toBe(0)
    const before = JSON.parse(status.stdout)
    expect(before).toMatchObject({ detached: true, apps: [{ name: 'app' }, { name: 'more' }] })

    // Nobody is left to bring it back: what is said then is what works.
    onTestFailed(async () => void (await supervise('stop', '--orphans', '--now')))
    for (const pid of [before.keptBy.pid, before.pid]) process.kill(pid, 'SIGKILL')
    await expect
      .poll(async () => (await supervise('status')).stdout)
      .toContain('with `supervise start app`, and it takes')
    const beside = await supervise('start', 'app.js')
    expect(beside).toMatchObject({ code: 8, stderr: expect.stringContaining('Take them over: `supervise start app`.') })
    const again = await supervise('start', 'app')
    expect(again, again.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/app: 1 worker of an earlier/) })
    const after = JSON.parse((await supervise('status', '--json')).stdout)
    expect(after.pid).not.toBe(before.pid)
    expect(pidsIn(after)).toEqual(pidsIn(before))

    expect((await supervise('stop', '--all')).code).toBe(0)
    await expect.poll(async () => (await supervise('status')).code, { timeout: 10_000 }).toBe(3)
  })

  it('finds every mistake in what was typed before one is started', async () => {
    writeFileSync(join(project, 'supervise.config.json'), '{ "script": "app.js", "wrokers": 2 }')
    writeFileSync(join(project, 'moved.json'), '{ "script": "gone.js" }')
    const all: readonly (readonly [readonly string[], number, string])[] = [
      [['app.js', '-i', 'many'], 2, '--workers: "many" is not allowed'],
      [['--', 'no-such-program'], 2, '--command: "no-such-program" is not in PATH'],
      [['--slots', '3', '--', 'true'], 2, '--slots: does nothing with a command'],
      [['app.js', '--timeout', 'soon'], 2, 'Cannot wait for "soon"'],
      [[], 78, 'wrokers: is not an option'],
      [['moved.json'], 78, 'gone.js" does not exist'],
    ]
    for (const [words, exitCode, message] of all) {
      const dashes = words.indexOf('--')
      const at = dashes === -1 ? words.length : dashes
      const { code, stderr } = await supervise('start', ...words.slice(0, at), '-d', ...words.slice(at))
      expect({ code, stderr }).toEqual({ code: exitCode, stderr: expect.stringContaining(message) })
      expect(stderr).not.toContain('supervisor default')
    }
    expect(existsSync(join(standIns.root, 'state'))).toBe(false)
  })

  it('refuses one that another keeps the state of, for another runtime directory', async () => {
    const environment = { ...standIns.environment, SUPERVISE_RUNTIME_DIR: join(standIns.root, 'other') }
    noteOwner(openInstanceDirectory('default', environment), environment)
    const { code, stderr } = await supervise('start', 'app.js', '-d')
    expect({ code, stderr }).toEqual({ code: 8, stderr: expect.stringMatching(/^Error \[STATE_IS_SHARED\]/) })
  })

  it('starts every app of commands that run at once, in one supervisor', async () => {
    const names = ['one', 'two', 'three']
    const all = await Promise.all(names.map((name) => supervise('start', 'app.js', '-d', '-i', '1', '-n', name)))
    expect(all.map(({ code, stderr }) => (code === 0 ? '' : stderr))).toEqual(['', '', ''])
    expect(all.filter(({ stderr }) => stderr.startsWith('Started supervisor'))).toHaveLength(1)
    const { apps } = JSON.parse((await supervise('status', '--json')).stdout)
    expect(apps.map(({ name }: { name: string }) => name).toSorted()).toEqual(names.toSorted())
  })

  it('ends the supervisor again that was started for an app that does not start', async () => {
    const { code, stdout, stderr } = await supervise('start', 'bad.js', '-d', '-i', '1')
    expect(code).toBeGreaterThan(0)
    expect(stdout).toBe('')
    expect(stderr).toContain('Error: no database')
    expect(stderr).toContain('Again: supervise start bad.js -d -i 1 ')
    expect(stderr).toContain('Ended supervisor default again: it had no other app.\n')
    await expect.poll(async () => (await supervise('status')).code, { timeout: 10_000 }).toBe(3)
  })

  it('is the supervisor itself in the foreground, named after the app, until Ctrl-C', async () => {
    const { code, stdout } = await run(['start', 'app.js', '-i', '1', '--log-format', 'json'], {
      environment: standIns.environment,
      cwd: project,
      main: LAUNCHER,
      onOutput: (text, child) => void (text.includes('workerReady') && child.kill('SIGINT')),
    })
    expect(code).toBe(0)
    expect(stdout).toContain('"type":"stopped"')
    expect(readdirSync(standIns.environment['SUPERVISE_RUNTIME_DIR'] ?? '')).toEqual([])
  })
})
