// `supervise start` with a real supervisor, in the background and in the foreground. Needs the built project, since workers
// load the agent from it.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from './command.ts'
import { StandIns } from './stand-in.ts'

const BUILT = fileURLToPath(new URL('../../dist/agent/preload.js', import.meta.url))
const LAUNCHER = fileURLToPath(new URL('../../bin/supervise.js', import.meta.url))

let standIns: StandIns
let project: string
beforeEach(() => {
  standIns = new StandIns()
  project = join(standIns.root, 'shop')
  mkdirSync(project)
  writeFileSync(join(project, 'app.js'), "require('http').createServer((_, res) => res.end('hi')).listen(0)")
  writeFileSync(join(project, 'bad.js'), "throw new Error('no database')")
})

const supervise = (...args: string[]) => run(args, { environment: standIns.environment, cwd: project, main: LAUNCHER })

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
    expect(JSON.parse(status.stdout)).toMatchObject({ detached: true, apps: [{ name: 'app' }, { name: 'more' }] })

    expect((await supervise('stop', '--all')).code).toBe(0)
    await expect.poll(async () => (await supervise('status')).code, { timeout: 10_000 }).toBe(3)
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
