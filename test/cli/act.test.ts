// The commands that act, run for real against a control socket.

import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OperationResult, ProgressLine } from '../../src/control/messages.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import type { OperationContext } from '../../src/supervisor/operations.ts'
import { scriptSupervisor } from '../control/scripted-supervisor.ts'
import { run, runOnTerminal, screenAfter } from './command.ts'
import { result, StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

let standIns: StandIns
beforeEach(() => (standIns = new StandIns()))
afterEach(() => standIns.end())

const supervise = (...args: string[]) => run(args, { environment: standIns.environment })

const STEPS: readonly ProgressLine[] = [
  { type: 'begin', app: 'web', kind: 'reload', text: 'reload, 2 workers, 1 at a time', workers: 2 },
  { type: 'step', app: 'web', worker: 1, state: 'starting' },
  { type: 'step', app: 'web', worker: 1, state: 'ready', readyMs: 812 },
  { type: 'step', app: 'web', worker: 1, state: 'drained', drainMs: 2_100, served: 14, requestsCut: 0 },
]

/** Tells the steps, then ends so. */
const reloading =
  (ending: Partial<OperationResult> = {}, pauseMs = 0) =>
  async (_app: string, _request: object, { progress }: OperationContext): Promise<OperationResult> => {
    for (const line of STEPS) {
      progress(line)
      // oxlint-disable-next-line no-await-in-loop
      await setTimeout(pauseMs)
    }
    return result(ending)
  }

const refused = {
  ok: false,
  text: 'Still serving: 2 of 2 workers',
  error: {
    code: 'WORKER_NOT_READY',
    message: 'Cannot reload "web": worker 1 exited with code 1 after 0.2s',
    fix: 'Repair it, then reload again.',
    exitCode: EXIT.rolloutFailed,
    lines: ["Error: Cannot find module './db.js'"],
  },
}

describe('supervise reload', () => {
  it('tells one event a line in a pipe, on stderr, and the result on stdout', async () => {
    await standIns.live('default', [app()], { reload: reloading() })
    const { code, stdout, stderr } = await supervise('reload')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '✓ web: 2 of 2 workers serve (1.2s)\n' })
    expect(stderr).toBe(
      'web: reload, 2 workers, 1 at a time\nweb: worker 1 starting\nweb: worker 1 ready after 812ms\n' +
        'web: worker 1 drained in 2.1s (14 requests, 0 cut)\n',
    )
  })

  it('exits 5 when it was refused, and says why, what serves and what to type', async () => {
    await standIns.live('default', [app()], { reload: reloading(refused) })
    const { code, stdout, stderr } = await supervise('reload', 'web')
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
    expect(stderr).toContain('✗ Cannot reload "web": worker 1 exited with code 1 after 0.2s')
    expect(stderr).toContain("    Error: Cannot find module './db.js'\n  Still serving: 2 of 2 workers\n")
    expect(stderr).toContain('Again: supervise reload web      (exit 5)')
  })

  it('writes one document with --json, whether it went well or not', async () => {
    await standIns.live('default', [app()], { reload: reloading(refused) })
    const { code, stdout, stderr } = await supervise('reload', '--json')
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({ schema: 1, results: [result(refused)] })
  })

  it('is redrawn in place on a terminal, and what stays is the last state', async () => {
    await standIns.live('default', [app()], { reload: reloading({}, 130) })
    const size = { columns: 70, rows: 12 }
    const { code, stdout } = await runOnTerminal(['reload'], size, {
      environment: { ...standIns.environment, NO_COLOR: '1' },
    })
    expect(code).toBe(0)
    expect(stdout.split('\u001b[J').length).toBeGreaterThan(3)
    expect(screenAfter(stdout, size)).toEqual([
      'web  reload, 2 workers, 1 at a time',
      '  1  ● ready 812ms         old drained 2.1s  (14 requests, 0 cut)',
      '✓ web: 2 of 2 workers serve (1.2s)',
      '',
    ])
    expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'))
  })

  it('is not redrawn on a dumb terminal', async () => {
    await standIns.live('default', [app()], { reload: reloading() })
    const environment = { ...standIns.environment, TERM: 'dumb' }
    const { stdout } = await runOnTerminal(['reload'], { columns: 80, rows: 20 }, { environment })
    expect(stdout).not.toContain('\u001b')
    expect(stdout).toContain('web: worker 1 starting')
  })

  it('goes on in the supervisor when Ctrl-C lets go of it, and says so', async () => {
    let ended = false
    const reload: typeof standInReload = async (...values) => {
      const answer = await standInReload(...values)
      ended = true
      return answer
    }
    const standInReload = reloading({}, 250)
    await standIns.live('default', [app()], { reload })
    const { code, stderr } = await run(['reload'], {
      environment: standIns.environment,
      onOutput: (text, child) => void (text.includes('starting') && child.kill('SIGINT')),
    })
    expect(code).toBe(130)
    expect(ended).toBe(false)
    expect(stderr).toContain('reload of "web" goes on in the supervisor; see `supervise status`\n')
    await expect.poll(() => ended).toBe(true)
  })

  it('says of a deploy how to go along with it again', async () => {
    const { releases } = scriptSupervisor().operations
    await standIns.live('default', [app()], { releases: { ...releases, deploy: reloading({}, 250) } })
    const { code, stderr } = await run(['deploy', 'web'], {
      environment: standIns.environment,
      onOutput: (text, child) => void (text.includes('starting') && child.kill('SIGINT')),
    })
    expect(code).toBe(130)
    expect(stderr).toContain('deploy of "web" goes on in the supervisor; see `supervise rollout web --watch`\n')
  })

  it('lets go of it, exit 7, when --timeout is over', async () => {
    await standIns.live('default', [app()], { reload: reloading({}, 400) })
    const { code, stderr } = await supervise('reload', '--timeout', '100ms')
    expect(code).toBe(7)
    expect(stderr).toContain('goes on in the supervisor')
  })

  it('reloads every app with --all, and exits with the first failure', async () => {
    const seen: string[] = []
    const reload = async (name: string): Promise<OperationResult> => {
      seen.push(name)
      return name === 'web' ? result(refused) : result({ app: name })
    }
    await standIns.live('default', [app(), app({ name: 'jobs' })], { reload })
    const { code, stdout } = await supervise('reload', '--all')
    expect({ code, seen, stdout }).toEqual({
      code: 5,
      seen: ['web', 'jobs'],
      stdout: '✓ jobs: 2 of 2 workers serve (1.2s)\n',
    })
  })

  it('carries the exit code of an error of the supervisor', async () => {
    const busy = new SuperviseError('BUSY', 'Cannot reload "web": a stop holds it', 'Wait for it.', EXIT.busy)
    await standIns.live('default', [app()], { reload: () => Promise.reject(busy) })
    const { code, stderr } = await supervise('reload')
    expect(code).toBe(8)
    expect(stderr).toBe('Error [BUSY] Cannot reload "web": a stop holds it\nTry: Wait for it.\n')
    const json = await supervise('reload', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, error: { code: 'BUSY', exitCode: 8 } })
  })
})

describe('choosing an app', () => {
  it('lists what there is when it cannot choose', async () => {
    await standIns.live('one', [app(), app({ name: 'jobs' })])
    const { code, stderr } = await supervise('restart')
    expect(code).toBe(2)
    expect(stderr).toBe(
      'Error [AMBIGUOUS_APP] Cannot choose an app: 2 run\n  web  (instance one)\n  jobs  (instance one)\n\n' +
        'Try: Name one, such as `supervise restart web`.\n',
    )
  })

  it('finds the instance that has the app', async () => {
    await standIns.live('one', [app()])
    const { asked } = await standIns.live('two', [app({ name: 'jobs' })], {
      restart: async (name) => result({ app: name }),
    })
    expect((await supervise('restart', 'jobs')).code).toBe(0)
    expect(asked).toEqual([])
  })

  it('asks for --instance when several have it', async () => {
    await standIns.live('one', [app()])
    const { asked } = await standIns.live('two', [app()])
    expect((await supervise('stop', 'web')).code).toBe(2)
    expect((await supervise('stop', 'web', '--instance', 'two')).code).toBe(0)
    expect(asked.map(({ operation }) => operation)).toEqual(['stop'])
  })

  it('exits 4 for an app or a worker that is not there', async () => {
    await standIns.live('default', [app()])
    const unknown = await supervise('reload', 'wbe')
    expect({ code: unknown.code, meant: unknown.stderr.includes('Did you mean "web"?') }).toEqual({
      code: 4,
      meant: true,
    })
    expect((await supervise('restart', 'web/7')).stderr).toContain('Cannot find worker 7 of "web": it has 1, 2')
  })
})

describe('what the supervisor is asked', () => {
  it.each<[readonly string[], string, readonly unknown[]]>([
    [['restart', 'web'], 'restart', ['web', {}]],
    [['restart', 'web/2'], 'restart', ['web', { workers: [2] }]],
    [['restart', 'web', '2'], 'restart', ['web', { workers: [2] }]],
    [['stop', 'web', '--now'], 'stop', ['web', { now: true }]],
    [['stop', '--all'], 'stop', [{}]],
    [['delete'], 'delete', ['web']],
    [['scale', 'web', '4'], 'scale', ['web', { workers: '4' }]],
    [['scale', '+1'], 'scale', ['web', { workers: '+1' }]],
    [['scale', '-2'], 'scale', ['web', { workers: '-2' }]],
    [['scale', 'web', '-2'], 'scale', ['web', { workers: '-2' }]],
    [['scale', 'web', 'max'], 'scale', ['web', { workers: 'max' }]],
    [
      ['deploy', 'web', './r2', '--node', 'bin/node', '--env', 'A=1', '--env', 'B=', '--wait'],
      'deploy',
      ['web', { path: resolve('r2'), version: null, node: resolve('bin/node'), env: { A: '1', B: '' }, wait: true }],
    ],
    [['rollout', 'web', '--watch'], 'rollout', ['web']],
    [['signal', 'web/1', 'usr2'], 'signal', ['web', { signal: 'SIGUSR2', workers: [1] }]],
    [['signal', 'HUP'], 'signal', ['web', { signal: 'SIGHUP' }]],
  ])('supervise %j asks for %s', async (args, operation, values) => {
    const { asked } = await standIns.live('default', [app()])
    expect((await supervise(...args)).code).toBe(0)
    expect(asked.at(-1)).toMatchObject({ operation, values })
    expect(asked.at(-1)?.cause).toMatch(/^command by /)
  })

  it.each([
    [['scale', 'web']],
    [['scale', 'web', 'many']],
    [['signal', 'web', 'NOPE']],
    [['deploy', 'web', '--env', 'A']],
    [['stop', 'web', '--all']],
    [['reload', '--timeout', 'soon']],
  ])('supervise %j is wrong usage and asks for nothing', async (args) => {
    const { asked } = await standIns.live('default', [app()])
    expect((await supervise(...args)).code).toBe(2)
    expect(asked).toEqual([])
  })
  it.each([
    [
      ['signal', 'web'],
      'Cannot send a signal to "web": none is named\nTry: Name one, such as `supervise signal web USR2`',
    ],
    [['signal', 'web/1'], 'Cannot send a signal to "web/1": none is named'],
    [['signal'], 'Cannot send a signal: none is named'],
    [['signal', 'USR3'], 'Cannot send "USR3": there is no such signal\nTry: Did you mean SIGUSR1?'],
  ])('supervise %j says what is missing', async (args, words) => {
    await standIns.live('default', [app()])
    const { code, stderr } = await supervise(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})
