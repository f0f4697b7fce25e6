// The commands that only look, run for real against a control socket.

import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { logRecord } from '../control/scripted-supervisor.ts'
import { until } from '../support/until.ts'
import { run, runOnTerminal, screenAfter } from './command.ts'
import { StandIns } from './stand-in.ts'
import { app, worker } from './statuses.ts'

let standIns: StandIns
beforeEach(() => (standIns = new StandIns()))
afterEach(() => standIns.end())

const supervise = (...args: string[]) => run(args, { environment: standIns.environment })
const parse = (text: string): unknown => JSON.parse(text)

describe('supervise status', () => {
  it('exits 3 and says what to type when nothing runs', async () => {
    const { code, stdout, stderr } = await supervise('status')
    expect(code).toBe(3)
    expect(stdout).toBe('')
    expect(stderr).toContain('Error [NOT_RUNNING] ')
    expect(stderr).toContain('Try: Start one with `supervise start app.js`')
  })

  it('exits 0 when all apps are well, with data on stdout and no escape in a pipe', async () => {
    await standIns.live('default', [app()])
    const { code, stdout, stderr } = await supervise('status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('● web  online  2 of 2 workers  r1 (1.4.0)  0.0.0.0:3000\n')
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toMatch(/[│─┌]/)
  })

  it('exits 1 when an app is degraded', async () => {
    await standIns.live('default', [app(), app({ name: 'jobs', state: 'degraded' })])
    expect((await supervise('ls')).code).toBe(1)
    expect((await supervise('ps', 'web')).code).toBe(0)
  })

  it('tells of a release that was taken back until there is another one, and what a start begins with', async () => {
    const lastRollout = {
      release: 'r2',
      version: '1.5.0',
      outcome: 'rolledBack',
      why: 'worker 1 crashed',
      endedAt: null,
    }
    const nextStart = { release: 'r1', version: '1.4.0' }
    await standIns.live('default', [app({ lastRollout }), app({ name: 'jobs', state: 'stopped', nextStart })])
    const { stdout } = await supervise('status')
    expect(stdout).toContain('\n    r2 (1.5.0) was taken back: worker 1 crashed; see `supervise history web r2`\n')
    expect(stdout).toContain('\n    `supervise start jobs` begins with r1 (1.4.0)\n')
    const rollout = await supervise('rollout', 'web')
    expect(rollout.stdout).toBe('web: no rollout is under way; r2 (1.5.0) was taken back: worker 1 crashed\n')
    expect((await supervise('rollout', 'jobs')).stdout).toBe('jobs: no rollout is under way\n')
    expect(parse((await supervise('rollout', 'web', '--json')).stdout)).toMatchObject({ rollout: null, lastRollout })
  })

  it('exits 4 with the name that was meant', async () => {
    await standIns.live('default', [app({ name: 'website' })])
    const { code, stderr } = await supervise('status', 'websiet')
    expect(code).toBe(4)
    expect(stderr).toContain('Try: Did you mean "website"?')
  })

  it('writes one document for one instance, and a list for several', async () => {
    await standIns.live('one', [app()])
    const one = await supervise('status', '--json')
    expect(parse(one.stdout)).toMatchObject({ schema: 1, instance: 'one', apps: [{ name: 'web' }] })
    await standIns.live('two', [])
    const two = await supervise('--json', 'status')
    expect(parse(two.stdout)).toMatchObject({ schema: 1, instances: [{ instance: 'one' }, { instance: 'two' }] })
    const named = await supervise('status', '--json', '--instance', 'two')
    expect(parse(named.stdout)).toMatchObject({ schema: 1, instance: 'two' })
  })

  it('says that a supervisor is dead while its workers still run', async () => {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    standIns.dead('web', stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '')
    const { code, stdout } = await supervise('status')
    expect(code).toBe(1)
    expect(stdout).toContain(`Instance web: its supervisor is dead, 1 worker still runs (pid ${process.pid})`)
    const json = await supervise('status', '--json')
    expect(parse(json.stdout)).toMatchObject({
      instances: [{ instance: 'web', state: 'dead', pidsLeft: [process.pid] }],
    })
  })

  it('is coloured on a terminal and cut at its edge', async () => {
    await standIns.live('default', [app({ state: 'failed', workers: [worker(1, { state: 'failed' })] })])
    const size = { columns: 30, rows: 20 }
    const { stdout } = await runOnTerminal(['status'], size, { environment: standIns.environment })
    expect(stdout).toContain('\u001b[31mfailed\u001b[39m')
    expect(screenAfter(stdout, size)).toContainEqual('APP RELEASE WORKER STATE  PID…')
    const plain = await runOnTerminal(['status'], size, { environment: { ...standIns.environment, NO_COLOR: '1' } })
    expect(plain.stdout).not.toContain('\u001b')
  })
})

describe('supervise logs', () => {
  it('asks for what was typed and prints the lines', async () => {
    const { asked, logFeed } = await standIns.live('default', [app()])
    logFeed.recent = [logRecord('hello'), logRecord('world')]
    const { code, stdout } = await supervise('logs', 'web/2', '-n', '7', '--err')
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'web/1 | hello\nweb/1 | world\n' })
    expect(asked.at(-1)?.values[0]).toMatchObject({ app: 'web', worker: 2, stream: 'stderr', lines: 7 })
  })

  it('writes one object a line with --json', async () => {
    const { logFeed } = await standIns.live('default', [app()])
    logFeed.recent = [logRecord('a'), logRecord('b')]
    const { stdout } = await supervise('logs', '--json')
    expect(stdout.trim().split('\n').map(parse)).toMatchObject([
      { schema: 1, line: 'a' },
      { schema: 1, line: 'b' },
    ])
  })

  it('follows until it is told to end', async () => {
    const { logFeed } = await standIns.live('default', [app()])
    logFeed.recent = [logRecord('before')]
    const { stdout, code } = await run(['logs', '--follow'], {
      environment: standIns.environment,
      onOutput: (text, child) => {
        if (text.includes('before'))
          void until(() => logFeed.followers > 0, 10_000, 'a follower').then(() => logFeed.emit(logRecord('after')))
        if (text.includes('after')) child.kill('SIGINT')
      },
    })
    expect(stdout).toContain('after')
    expect(code).toBeNull()
  })

  it('ends quietly when its reader has enough', async () => {
    const { logFeed } = await standIns.live('default', [app()])
    logFeed.recent = Array.from({ length: 20_000 }, (_, index) => logRecord(`line ${index}`))
    const { code, stderr } = await run(['logs', '-n', '20000'], {
      environment: standIns.environment,
      onOutput: (_text, child) => child.stdout?.destroy(),
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

describe('supervise events, crashes, describe, diff, ping', () => {
  it('refuses a time that is none, with what one looks like', async () => {
    const { asked } = await standIns.live('default', [app()])
    const before = asked.length
    const { code, stderr } = await supervise('events', '--since', 'yesterdayish')
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/UNKNOWN_TIME[^]*yesterdayish[^]*10m/),
    })
    expect(asked).toHaveLength(before)
  })

  it('follows the one instance that there is, and asks for a name when there are several', async () => {
    await standIns.live('one', [app()])
    expect((await supervise('events')).code).toBe(0)
    await standIns.live('two', [app({ name: 'jobs' })])
    const { code, stderr } = await supervise('events')
    expect(code).toBe(2)
    expect(stderr).toContain('Cannot choose an instance: 2 run\n  one\n  two\n')
    expect((await supervise('events', 'jobs')).code).toBe(0)
  })

  it('says that there was no crash, and that on stderr', async () => {
    await standIns.live('default', [app()])
    expect(await supervise('crashes')).toEqual({ code: 0, stdout: '', stderr: 'No crash is on record.\n' })
    expect(parse((await supervise('crashes', '--json')).stdout)).toEqual({ schema: 1, groups: [], crashes: [] })
  })

  it('refuses a type of event that there is not, and names what there is', async () => {
    await standIns.live('default', [app()])
    const { code, stdout, stderr } = await supervise('events', '--type', 'workerCrashed,workerCrash')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/Cannot show events of type "workerCrash": .*\nTry: Did you mean "workerCrashed"\?/)
    expect((await supervise('events', '--type', 'nonsense')).stderr).toContain('Try: There is adminOpened, adopted, ')
    expect((await supervise('events', '--type', 'workerCrashed')).code).toBe(0)
  })

  it('takes the id of a crash for one, where no app is called so', async () => {
    await standIns.live('default', [app({ name: 'c5' })])
    expect((await supervise('crashes', 'c17')).stderr).toContain('Cannot find crash "c17"')
    expect((await supervise('crashes', 'c5')).stderr).toBe('No crash is on record.\n')
    expect((await supervise('crashes', 'c17')).code).toBe(4)
  })

  it('gives the metrics of one app, and says which there are', async () => {
    await standIns.live('default', [app()])
    expect(await supervise('metrics', 'web')).toEqual({ code: 0, stdout: '# HELP a A of web.\n', stderr: '' })
    expect((await supervise('metrics')).stdout).toBe('# HELP a A.\n')
    const wrong = await supervise('metrics', 'wbe')
    expect([wrong.code, wrong.stderr]).toEqual([4, expect.stringContaining('Did you mean "web"?')])
  })

  it('describes the only app without its name', async () => {
    const { operations } = await standIns.live('default', [app()])
    const { stdout } = await supervise('describe', '--json')
    expect(parse(stdout)).toMatchObject({ schema: 1, ...operations.describe('web') })
    const described = (await supervise('describe')).stdout
    expect(described).toContain('Config\n')
    expect(described).toContain('brought back  by nobody, should it die')
  })

  it('exits 1 from diff when a reload would change something, 0 when not', async () => {
    const changes = [{ option: 'workers', kind: 'changed', from: '2', to: '4', applies: 'reload' } as const]
    let found: typeof changes = []
    await standIns.live('default', [app()], { diff: (name) => Promise.resolve({ app: name, changes: found }) })
    expect((await supervise('diff')).code).toBe(0)
    found = changes
    expect(await supervise('diff')).toEqual({ code: 1, stdout: '- workers: 2\n+ workers: 4\n', stderr: '' })
  })

  it('pings every instance, and exits 3 when none runs', async () => {
    expect((await supervise('ping')).code).toBe(3)
    await standIns.live('one', [])
    expect((await supervise('ping')).stdout).toMatch(/^Instance one {2}pid \d+ {2}up 1m 1s {2}answered in /)
    expect(parse((await supervise('ping', '--json')).stdout)).toMatchObject({ schema: 1, instance: 'one' })
    expect((await supervise('ping', '--instance', 'two')).code).toBe(3)
  })
})
