// A supervisor in the background takes apps one by one, and ends with the last.

import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { makeHome } from '../support/home.ts'
import { mustExit } from '../support/must-exit.ts'
import { canConnect } from '../support/plain-app.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const NOT_RUNNING = 3
const FAILED = 1

describe('supervise start -d', () => {
  it('twice puts two apps into one supervisor; stop and start leave it where it is; delete forgets it, and the last one ends the supervisor', async () => {
    const home = makeHome()
    const port = await freePort(2)
    const start = (name: string, at: number, ...more: readonly string[]) =>
      home.cli(['start', fixture('hello.js'), '-d', '-i', '1', '-n', name, '--port', String(at), ...more])
    mustExit(await start('web', port), 0)
    mustExit(await start('api', port + 1), 0)
    const { apps, detached, pid } = await home.status()
    expect(detached).toBe(true)
    expect(apps.map(({ name, state }) => [name, state])).toEqual([
      ['web', 'online'],
      ['api', 'online'],
    ])
    expect((await get({ host: '127.0.0.1', port: port + 1 })).status).toBe(200)

    const twice = await start('web', port)
    expect(twice.code).not.toBe(0)
    const broken = await home.cli(['start', fixture('throws-at-boot.js'), '-d', '-i', '1', '-n', 'broken'])
    mustExit(broken, FAILED)
    expect(broken.stderr).toContain('no database at boot')
    expect((await home.status()).pid).toBe(pid)

    const [before] = home.workers()
    mustExit(await home.cli(['stop', 'web']), 0)
    expect(await canConnect({ host: '127.0.0.1', port })).toBe(false)
    expect((await home.status()).apps[0]).toMatchObject({ name: 'web', state: 'stopped' })
    mustExit(await home.cli(['start', 'web']), 0)
    expect((await get({ host: '127.0.0.1', port })).pid).not.toBe(before)

    const deleted = await home.cli(['delete', 'broken'])
    mustExit(deleted, 0)
    expect(deleted.stderr).toBe('broken: no worker runs\n')
    expect((await home.cli(['metrics'])).stdout).toContain('app="web"')
    mustExit(await home.cli(['delete', 'web']), 0)
    expect((await home.cli(['metrics'])).stdout).not.toContain('app="web"')
    expect(await canConnect({ host: '127.0.0.1', port })).toBe(false)
    expect((await home.status()).apps.map(({ name }) => name)).toEqual(['api'])
    expect((await get({ host: '127.0.0.1', port: port + 1 })).status).toBe(200)

    mustExit(await home.cli(['delete', 'api']), 0)
    await until(() => home.processes().length === 0, 5_000, 'the supervisor ends with its last app')
    mustExit(await home.cli(['status']), NOT_RUNNING)
  })

  it('works with paths that begin where it is typed, and its log does not grow for ever', async () => {
    const home = makeHome()
    const port = await freePort()
    const options = { env: { SUPERVISE_RUNTIME_DIR: 'here', TMPDIR: 'tmp' } }
    const log = join(home.directory, 'state/supervise/default.log')
    mkdirSync(join(home.directory, 'state/supervise'))
    writeFileSync(log, 'long ago\n')
    truncateSync(log, 25 << 20)
    mustExit(await home.cli(['start', fixture('hello.js'), '-d', '-i', '1', '--port', String(port)], options), 0)
    expect(existsSync(join(home.work, 'here/default/control.sock'))).toBe(true)
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    await until(() => statSync(log).size < 1 << 20 && existsSync(`${log}.1`), 5_000, 'the log begins anew')
    mustExit(await home.cli(['stop', '--all'], options), 0)
    await until(() => home.processes().length === 0, 5_000, 'nothing is left')
  })

  it('says where it may write no log, and starts nothing', async () => {
    const home = makeHome()
    const options = { env: { XDG_STATE_HOME: '', HOME: '/proc/nobody' } }
    const { code, stderr } = await home.cli(['start', fixture('hello.js'), '-d'], options)
    expect(stderr).toMatch(
      /\[LOG_FILE_UNUSABLE\] Cannot start instance "default" in the background: its log ".*default.log" cannot be opened/,
    )
    expect(stderr).toMatch(/Try: Set XDG_STATE_HOME/)
    expect(code).toBe(77)
    expect(home.processes()).toEqual([])
  })

  it('goes on when the command’s terminal is gone, and stop --all ends it all', async () => {
    const home = makeHome()
    const port = await freePort()
    mustExit(await home.cli(['start', fixture('hello.js'), '-d', '-i', '2', '--port', String(port)]), 0)
    expect(home.workers()).toHaveLength(2)
    mustExit(await home.cli(['reload']), 0)
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    mustExit(await home.cli(['stop', '--all']), 0)
    await until(() => home.processes().length === 0, 5_000, 'nothing is left')
  })
})
