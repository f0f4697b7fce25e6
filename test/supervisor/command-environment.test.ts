// What a command is told of its sockets, and where it is asked.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { commandEnvironment } from '../../src/supervisor/command-environment.ts'
import { placesOfCommand } from '../../src/supervisor/command-place.ts'
import { isCommandIncarnation } from '../../src/supervisor/worker-proof.ts'
import { isProblem, placeOfRelease, relocate } from '../../src/supervisor/release-path.ts'

const identity = {
  settings: { app: 'web', group: 'blue' as const, release: 'r1', worker: 2, incarnation: 'abc' },
  version: null,
  instanceId: 'x',
}

describe('commandEnvironment()', () => {
  it('tells of every socket in order, by names without a colon, and of the first port in PORT and HOST', () => {
    const listen = [{ path: '/run/we:b é.sock' }, { host: '::1', port: 3000 }, { host: '0.0.0.0', port: 80 }]
    expect(commandEnvironment({ PORT: '1', A: 'b' }, identity, listen)).toMatchObject({
      A: 'b',
      LISTEN_FDS: '3',
      LISTEN_FDNAMES: 'we_b__.sock:3000:80',
      PORT: '3000',
      HOST: '::1',
      SUPERVISE_WORKER: '2',
      SUPERVISE_INCARNATION: 'abc',
    })
  })

  it('leaves PORT alone where there is no socket', () => {
    const env = commandEnvironment({ PORT: '1' }, identity, [])
    expect(env).toMatchObject({ PORT: '1' })
    expect(Object.keys(env).filter((name) => /^LISTEN_|^HOST$|AGENT/.test(name))).toEqual([])
  })
})

function at(...listen: Parameters<typeof placesOfCommand>[0]['listen']) {
  return placesOfCommand({ listen, env: { PORT: '9' } }).map(({ to }) => to)
}

describe('placesOfCommand()', () => {
  it('reaches every address from here, or else the port that the program is told', () => {
    expect(
      at({ host: '0.0.0.0', port: 1 }, { host: '::', port: 2 }, { path: '/s' }, { host: '10.0.0.1', port: 3 }),
    ).toEqual([
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: 2 },
      { path: '/s' },
      { host: '10.0.0.1', port: 3 },
    ])
    expect(at()).toEqual([{ host: '127.0.0.1', port: 9 }])
    expect(placesOfCommand({ listen: [], env: {} })).toEqual([])
  })
})

describe('a release of a command', () => {
  it('leaves an interpreter where it is', () => {
    const config = { script: '/usr/bin/python3', cwd: '/srv/app', isCommand: true }
    const moved = relocate(config, '/')
    expect(isProblem(moved) || moved).toEqual({ ...config, cwd: '/' })
    const next = { ...config, script: '/usr/bin/python4', cwd: '/srv/other' }
    expect(placeOfRelease(config, next)).toEqual({ script: '/usr/bin/python4', cwd: '/srv/app' })
  })

  it('is where it was when the program is its own, and nowhere when the app has become another kind', () => {
    const config = { script: '/srv/1/server', cwd: '/srv/1', isCommand: true }
    expect(placeOfRelease(config, { ...config, script: '/srv/2/server', cwd: '/srv/2' })).toEqual({
      script: '/srv/1/server',
      cwd: '/srv/1',
    })
    const script = { script: '/srv/app.js', cwd: '/srv', isCommand: false }
    expect(placeOfRelease(config, script)).toEqual({ script: '/srv/app.js', cwd: '/srv' })
  })
})

async function start(env: Record<string, string>): Promise<number> {
  const child = spawn('sleep', ['60'], { env: { PATH: '/usr/bin:/bin', ...env } })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child.pid ?? 0
}

describe('isCommandIncarnation()', () => {
  it('knows a process by its environment, and says nothing of one that has none to show', async () => {
    const pid = await start({ SUPERVISE_INCARNATION: 'abc' })
    expect([isCommandIncarnation(pid, 'abc'), isCommandIncarnation(pid, 'abd')]).toEqual([true, false])
    expect(isCommandIncarnation(await start({}), 'abc')).toBe(null)
  })
})
