// What a reload takes anew: the target of a symlink, the environment, the arguments.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture, makeRelease, switchLink } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'

interface Seen {
  readonly env: Readonly<Record<string, string>>
  readonly argv: readonly string[]
  readonly execArgv: readonly string[]
}

describe('supervise reload', () => {
  it('follows a symlink that was switched; until then a crashed worker comes back from the old target (R13)', async () => {
    const home = makeHome()
    for (const version of ['1', '2'])
      makeRelease(join(home.work, 'releases', version), { fixture: 'hello.js', version })
    const current = join(home.work, 'current')
    switchLink(current, join(home.work, 'releases/1'))
    const { supervise, load, target } = await startUnderLoad(join(current, 'app.js'), ['-i', '2'], { home })

    switchLink(current, join(home.work, 'releases/2'))
    const [victim = 0] = await supervise.pids()
    const reportBefore = await load.stop()
    mustHaveLostNothing(reportBefore)
    sendIfAlive(victim, 'SIGKILL')
    await supervise.online()
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(target)))
    expect(new Set(answers.map(({ headers }) => headers['x-release']))).toEqual(new Set(['1']))

    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    const after = await Promise.all(Array.from({ length: 20 }, () => get(target)))
    expect(new Set(after.map(({ headers }) => headers['x-release']))).toEqual(new Set(['2']))
    await supervise.stop()
  })

  it('keeps the old release for those that have it: nobody gets a mixture (R13)', async () => {
    const home = makeHome()
    for (const version of ['1', '2'])
      makeRelease(join(home.work, 'releases', version), { fixture: 'hello.js', version })
    const current = join(home.work, 'current')
    switchLink(current, join(home.work, 'releases/1'))
    const { supervise, load } = await startUnderLoad(join(current, 'app.js'), ['-i', '2'], { home })
    switchLink(current, join(home.work, 'releases/2'))
    await load.answers(300)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    const reloadedAt = Date.now()
    await load.answers(300)
    const report = await load.stop()
    mustHaveLostNothing(report)
    const [one, two] = report.releases
    expect([one?.value, two?.value]).toEqual(['1', '2'])
    expect(one?.lastSeen).toBeLessThanOrEqual(reloadedAt)
    await supervise.stop()
  })

  it('takes new, changed and removed variables and arguments; the supervisor’s own do not leak (R15)', async () => {
    const home = makeHome()
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    const config = join(home.work, 'supervise.config.json')
    const write = (env: object, args: readonly string[], nodeArgs: readonly string[]) =>
      writeFileSync(
        config,
        JSON.stringify({ script: fixture('hello.js'), port, workers: 1, minReady: '0s', env, args, nodeArgs }),
      )
    const seen = async (): Promise<Seen> => JSON.parse((await get(target, '/env')).text)

    write({ SAME: 'same', CHANGED: 'old', REMOVED: 'there' }, ['--one'], [])
    const supervise = await startSupervise([config], { home })
    const before = await seen()
    expect(before.env).toMatchObject({ SAME: 'same', CHANGED: 'old', REMOVED: 'there', PORT: String(port) })
    expect(before.argv.slice(2)).toEqual(['--one'])

    write({ SAME: 'same', CHANGED: 'new', ADDED: 'there' }, ['--two', '3'], ['--max-old-space-size=200'])
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    const after = await seen()
    expect(after.env).toMatchObject({ SAME: 'same', CHANGED: 'new', ADDED: 'there' })
    expect(after.env).not.toHaveProperty('REMOVED')
    expect(after.argv.slice(2)).toEqual(['--two', '3'])
    expect(after.execArgv).toContain('--max-old-space-size=200')

    const own = [
      'SUPERVISE_RUNTIME_DIR',
      'SUPERVISE_AGENT_LINK',
      'SUPERVISE_AGENT_SETTINGS',
      'NODE_UNIQUE_ID',
      'NODE_CHANNEL_FD',
    ]
    for (const name of own) expect(after.env).not.toHaveProperty(name)
    await supervise.stop()
  })

  it('is refused when the config has an error, and changes nothing (R6)', async () => {
    const home = makeHome()
    const config = join(home.work, 'supervise.config.json')
    const port = await freePort()
    const write = (more: object) =>
      writeFileSync(config, JSON.stringify({ script: fixture('hello.js'), port, workers: 1, ...more }))
    mkdirSync(home.work, { recursive: true })
    write({})
    const supervise = await startSupervise([config], { home })
    const before = await supervise.pids()
    write({ workerz: 4 })
    const result = await supervise.cli('reload')
    expect(result.code).toBe(78)
    expect(result.stderr).toContain('workerz')
    expect(await supervise.pids()).toEqual(before)
    await supervise.stop()
  })
})
