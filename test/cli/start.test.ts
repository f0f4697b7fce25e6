// `supervise start` and `check`: what is asked of a running supervisor, and what is refused before anything starts.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nameInstance } from '../../src/cli/start.ts'
import { logFileOf } from '../../src/control/log-file.ts'
import type { ConfigSource } from '../../src/config/app-config.ts'
import type { StartRequest } from '../../src/control/messages.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import { run } from './command.ts'
import { result, StandIns } from './stand-in.ts'
import { app } from './statuses.ts'

let standIns: StandIns
let project: string
beforeEach(() => {
  standIns = new StandIns()
  project = standIns.project({ 'app.js': '' })
})
afterEach(() => standIns.end())

const supervise = (...args: string[]) => run(args, { environment: standIns.environment, cwd: project })

describe('supervise start --detach', () => {
  it('hands what was typed to the supervisor that runs', async () => {
    const asked: StartRequest[] = []
    await standIns.live('default', [], {
      start: async (request) => {
        asked.push(request)
        return [result({ kind: 'start', text: '2 workers serve' })]
      },
    })
    const words = [
      '-n',
      'web',
      '-i',
      '2',
      '--env',
      'A=1',
      '--env',
      'B=2',
      '--no-tree-kill',
      '--backoff-max',
      '9s',
      '-w',
    ]
    const { code, stdout, stderr } = await supervise('start', 'app.js', '-d', ...words, '--', '--port', '8080')
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '✓ web: 2 workers serve (1.2s)\n', stderr: '' })
    const [source] = asked[0]?.sources ?? []
    expect(source).toMatchObject({ file: null, app: null, directory: project })
    expect(source?.flags).toEqual({
      script: join(project, 'app.js'),
      name: 'web',
      workers: '2',
      env: ['A=1', 'B=2'],
      treeKill: false,
      'backoff.max': '9s',
      watch: true,
      args: ['--port', '8080'],
    })
    expect(source?.environment).toMatchObject(standIns.environment)
  })

  it('hands nothing over that is only a default', async () => {
    const asked: StartRequest[] = []
    const start = async (request: StartRequest) => {
      asked.push(request)
      return [result({ kind: 'start' })]
    }
    await standIns.live('default', [], { start })
    await supervise('start', '--detach', 'app.js')
    expect(Object.keys(asked[0]?.sources[0]?.flags ?? {})).toEqual(['script'])
  })

  it('leaves a supervisor that ran before as it is when the app does not start', async () => {
    const refusal = new SuperviseError('X', 'Cannot start', 'Mend it.', EXIT.invalidConfig)
    const { asked } = await standIns.live('default', [], { start: () => Promise.reject(refusal) })
    expect((await supervise('start', 'app.js', '-d')).code).toBe(78)
    expect(asked).toEqual([])
  })
})

describe('supervise start <app>', () => {
  it('starts a stopped app again', async () => {
    const { asked } = await standIns.live('default', [app({ state: 'stopped' })])
    expect((await supervise('start', 'web')).code).toBe(0)
    expect(asked).toMatchObject([{ operation: 'start', values: ['web'] }])
  })

  it('refuses an app that runs, and says how new code is loaded', async () => {
    const { asked } = await standIns.live('default', [app()])
    const { code, stderr } = await supervise('start', 'web')
    expect(code).toBe(8)
    expect(stderr).toContain('Cannot start "web": it is online already in instance "default"')
    expect(stderr).toContain('supervise reload web')
    expect(asked).toEqual([])
  })
})

describe('supervise start', () => {
  it('refuses a second supervisor of the same name', async () => {
    await standIns.live('app', [app({ name: 'app' })])
    const { code, stderr } = await supervise('start', 'app.js')
    expect(code).toBe(8)
    expect(stderr).toContain(`Cannot start instance "app": another supervisor (pid ${process.pid}) runs it`)
  })

  it('says what may have been meant by a target that is not there', async () => {
    const { code, stderr } = await supervise('start', 'ap.js')
    expect(code).toBe(2)
    expect(stderr).toContain('app.js')
  })
})

describe('supervise check', () => {
  it('shows what would be started, and no value of the environment', async () => {
    const text = await supervise('check', 'app.js', '-i', '3', '--env', 'KEY=secret')
    expect({ code: text.code, stdout: text.stdout }).toEqual({
      code: 0,
      stdout: `✓ app  3 workers  ${join(project, 'app.js')}\n`,
    })
    const json = await supervise('check', 'app.js', '--env', 'KEY=secret', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: 1, ok: true, apps: [{ name: 'app' }] })
    expect(json.stdout).toContain('"KEY"')
    expect(json.stdout).not.toContain('secret')
  })

  it('exits 78 for a wrong config, with every mistake', async () => {
    writeFileSync(join(project, 'supervise.config.json'), '{ "script": "app.js", "worker": 2, "port": "x" }')
    const { code, stderr } = await supervise('check')
    expect(code).toBe(78)
    expect(stderr).toContain('workers')
    expect(stderr).toContain('port')
  })
})

describe('nameInstance()', () => {
  it.each<[string, readonly ConfigSource[], string]>([
    ['the name typed', [sourceOf({ app: 'a', flags: { name: 'web' } })], 'web'],
    ['the name in the environment', [sourceOf({ app: 'a', environment: { SUPERVISE_NAME: 'web' } })], 'web'],
    ['the name in the file', [sourceOf({ app: 'a' })], 'a'],
    ['the script', [sourceOf({ flags: { script: '/srv/shop/server.js' } })], 'server'],
    ['the directory when there are several', [sourceOf({ app: 'a' }), sourceOf({ app: 'b' })], 'my-shop'],
  ])('is %s', async (_what, sources, name) => expect(await nameInstance(sources, '/srv/my shop')).toBe(name))

  it('is default where the directory has nothing to make a name of', async () => {
    expect(await nameInstance([], '/')).toBe('default')
  })
})

describe('logFileOf()', () => {
  it('is in the state directory, or in the home', () => {
    expect(logFileOf('web', { XDG_STATE_HOME: '/state' })).toBe('/state/supervise/web.log')
    expect(logFileOf('web', { XDG_STATE_HOME: 'state', HOME: '/home/a' })).toBe(
      '/home/a/.local/state/supervise/web.log',
    )
  })
})

function sourceOf(change: Partial<ConfigSource>): ConfigSource {
  return { file: null, app: null, flags: {}, directory: '/srv/shop', environment: {}, ...change }
}
