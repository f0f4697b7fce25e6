// Under a real systemd: a start that hangs or dies again and again, a stop that hangs, sockets that are not ours, and what the doctor says of units.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { makeRelease } from '../support/releases.ts'
import { Systemd, whyNoSystemd } from '../support/systemd.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const missing = whyNoSystemd()
const systemd = new Systemd()

beforeAll(async () => {
  if (missing === null) await systemd.boot()
})

afterAll(() => systemd.end())

/** Loaded into the supervisor before anything else: it hangs while there is a file that says so. */
const HANGS = `
const { existsSync } = require('node:fs')
const hang = () => { for (;;); }
const is = (what) => existsSync(__dirname + '/' + what)
if (process.argv.includes('start') && is('hangs-at-start')) hang()
if (process.argv.includes('start') && is('dies-at-start')) process.kill(process.pid, 'SIGKILL')
if (process.argv.includes('start')) process.on('SIGTERM', () => { if (is('hangs-at-stop')) hang() })
`

function statusOf(name: string): { readonly pid: number; readonly pids: readonly number[] } {
  const { stdout } = systemd.supervise('/', 'status', '--json', '--instance', name)
  const { pid, apps } = JSON.parse(stdout)
  return { pid, pids: apps[0].groups.blue.workers.map((worker: { pid: number }) => worker.pid) }
}

function eventsOf(name: string): string {
  return systemd.supervise('/', 'events', '--instance', name, '-n', '100').stdout
}

describe.skipIf(missing !== null)(`units that go wrong${missing === null ? '' : ` (${missing})`}`, () => {
  it('a start that hangs ends no worker, a stop that hangs all of them, and doctor knows the unit (Y8)', async () => {
    const port = await freePort()
    const directory = join(systemd.directory, 'web')
    makeRelease(directory, { fixture: 'hello.js', version: '1' })
    writeFileSync(join(directory, 'hangs.cjs'), HANGS)
    const app = ['app.js', '-n', 'web', '-i', '2', '--port', String(port), '--env', 'HOST=127.0.0.1', ...QUICK]
    const sockets = ['--socket', `127.0.0.1:${port}`, '--socket-slots', '2']
    expect(systemd.supervise(directory, 'systemd', 'install', ...app, ...sockets).stderr).toContain(
      'Started web.service',
    )
    const doctor = systemd.supervise('/', 'doctor', '--instance', 'web')
    expect(doctor.code).toBe(0)
    expect(doctor.stdout).not.toContain('it is not what this version writes')
    expect(doctor.stdout).toContain('unit web.service')
    expect(doctor.stdout).toMatch(/✓ instance web +supervisor \d+, under systemd/)

    // The socket unit passes sockets that are none of ours as well.
    mkdirSync(join(systemd.units, 'web.socket.d'))
    const strange = ['[Socket]', 'ListenDatagram=127.0.0.1:9', 'ListenFIFO=/run/web.fifo', 'ListenStream=127.0.0.1:1']
    writeFileSync(join(systemd.units, 'web.socket.d', 'test.conf'), `${strange.join('\n')}\n`)
    const preload = `Environment=NODE_OPTIONS=--require=${join(directory, 'hangs.cjs')}`
    const impatient = ['[Service]', preload, 'TimeoutStartSec=2s', 'TimeoutStopSec=2s', 'NotifyAccess=all']
    systemd.dropIn('web.service', impatient)
    systemd.systemctl('stop', 'web.service')
    expect(systemd.systemctl('restart', 'web.socket').stderr).toBe('')
    expect(systemd.systemctl('start', 'web.service').stderr).toBe('')
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    const told = eventsOf('web')
    expect(told).toContain('is no stream socket to listen on')
    expect(told).toContain('no app listens on 127.0.0.1:1 ')

    const before = statusOf('web')
    writeFileSync(join(directory, 'hangs-at-start'), '')
    systemd.inside('kill', '-9', String(before.pid))
    await until(() => Number(systemd.property('web.service', 'NRestarts')) > 1, 30_000, 'a start has taken too long')
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    rmSync(join(directory, 'hangs-at-start'))
    await until(() => systemd.property('web.service', 'ActiveState') === 'active', 30_000, 'it is active again')
    expect(new Set(statusOf('web').pids)).toEqual(new Set(before.pids))

    // systemd gives up one that dies at each start, and closes the socket; workers serve on until somebody starts it.
    systemd.dropIn('web.service', ['[Unit]', 'StartLimitBurst=3', ...impatient])
    writeFileSync(join(directory, 'dies-at-start'), '')
    systemd.inside('kill', '-9', systemd.property('web.service', 'MainPID'))
    await until(() => systemd.property('web.service', 'ActiveState') === 'failed', 30_000, 'systemd gives it up')
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    rmSync(join(directory, 'dies-at-start'))
    systemd.systemctl('reset-failed', 'web.service', 'web.socket')
    expect(systemd.systemctl('start', 'web.service').stderr).toBe('')
    expect(new Set(statusOf('web').pids)).toEqual(new Set(before.pids))
    const answers = await Promise.all(Array.from({ length: 20 }, () => get({ host: '127.0.0.1', port })))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))

    writeFileSync(join(directory, 'hangs-at-stop'), '')
    systemd.systemctl('stop', 'web.service', 'web.socket')
    expect(systemd.property('web.service', 'Result')).toBe('timeout')
    expect(before.pids.filter((pid) => systemd.inside('kill', '-0', String(pid)).code === 0)).toEqual([])

    systemd.dropIn('web.service', ['[Service]', 'KillMode=mixed', 'NotifyAccess=main', 'RemoveIPC=yes'])
    const sick = systemd.supervise('/', 'doctor', '--instance', 'web')
    expect(sick.code).toBe(1)
    for (const word of ['KillMode=mixed', 'NotifyAccess=main', 'RemoveIPC=yes', 'it failed (timeout)'])
      expect(sick.stdout).toMatch(new RegExp(`✗ unit web.service +${word.replaceAll(/[()]/g, '.')}`))
  })
})
