// Under a real systemd: ready when the app serves, reloads that fail as they should, ports that stay open, and a supervisor
// whose death, restart or hang nobody notices.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
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

interface Unit {
  readonly name: string
  readonly service: string
  readonly directory: string
  readonly target: { readonly host: string; readonly port: number }
}

/** Installs a unit for two workers of a fixture, whose port systemd opens, and starts it. */
async function install(name: string, script: string, ...words: readonly string[]): Promise<Unit> {
  const port = await freePort()
  const directory = join(systemd.directory, name)
  makeRelease(directory, { fixture: script, version: '1' })
  const app = ['app.js', '-n', name, '-i', '2', '--port', String(port), '--env', 'HOST=127.0.0.1', ...QUICK]
  const sockets = ['--socket', `127.0.0.1:${port}`, '--socket-slots', '4']
  const installed = systemd.supervise(directory, 'systemd', 'install', ...app, ...sockets, ...words)
  expect(installed.stderr).toContain(`Started ${name}.service`)
  return { name, service: `${name}.service`, directory, target: { host: '127.0.0.1', port } }
}

async function underLoad({ target }: Unit): Promise<Load> {
  const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), ratePerSecond: 1_000, durationMs: 60_000 })
  await load.answers(200)
  return load
}

function statusOf(unit: Unit): { readonly pid: number; readonly pids: readonly number[] } {
  const { stdout } = systemd.supervise('/', 'status', '--json', '--instance', unit.name)
  const { pid, apps } = JSON.parse(stdout)
  return { pid, pids: apps[0].groups.blue.workers.map((worker: { pid: number }) => worker.pid) }
}

describe.skipIf(missing !== null)(`under systemd${missing === null ? '' : ` (${missing})`}`, () => {
  it('is active when the app serves, and found by whoever types a command (Y1, Y6, Y10)', async () => {
    const unit = await install('ready', 'hello.js')
    expect(systemd.property(unit.service, 'ActiveState')).toBe('active')
    expect(systemd.property(unit.service, 'StatusText')).toBe('ready: 2 of 2 workers serve r1')
    expect((await get(unit.target)).status).toBe(200)
    const { pid, pids } = statusOf(unit)
    expect(pid).toBe(Number(systemd.property(unit.service, 'MainPID')))

    // The sockets are systemd's, and their variables are not for the workers.
    const [worker = 0] = pids
    const variables = systemd.inside('cat', `/proc/${worker}/environ`).stdout
    expect(variables).not.toMatch(/LISTEN_|NOTIFY_SOCKET|WATCHDOG_/)
    const { stdout } = systemd.inside('cat', '/proc/net/tcp')
    const hexPort = unit.target.port.toString(16).toUpperCase().padStart(4, '0')
    expect(stdout.match(new RegExp(`0100007F:${hexPort} 00000000:0000 0A`, 'g'))).toHaveLength(4)

    // That systemd brings it back is known, and whether it does.
    const rehearse = () => systemd.supervise('/', 'chaos', '--instance', unit.name, '--only', 'supervisor')
    expect(rehearse().stderr).toMatch(/supervisor +SIGKILL[^]*Type `supervise chaos/)
    systemd.dropIn(unit.service, ['[Service]', 'Restart=no'])
    expect(rehearse().stderr).toContain('ready.service is not started again after a kill (Restart=no)')

    const removed = systemd.supervise('/', 'systemd', 'uninstall', unit.name)
    expect(removed.code).toBe(0)
    expect(systemd.pids(unit.service)).toEqual([])
    expect(systemd.inside('cat', `/proc/${worker}/environ`).code).not.toBe(0)
  })

  it('fails when the app does, and says why (Y1)', async () => {
    const directory = join(systemd.directory, 'broken')
    makeRelease(directory, { fixture: 'hello.js', version: '1' })
    writeFileSync(join(directory, 'app.js'), 'throw new Error("no database")\n')
    const words = ['systemd', 'install', 'app.js', '-n', 'broken', '-i', '1', '--no-start']
    expect(systemd.supervise(directory, ...words).code).toBe(0)
    systemd.dropIn('broken.service', ['[Service]', 'Restart=no'])
    const started = systemd.systemctl('start', 'broken.service')
    expect(started.code).not.toBe(0)
    expect(systemd.property('broken.service', 'ActiveState')).toBe('failed')
    expect(systemd.property('broken.service', 'StatusText')).toContain('broken: failed')
  })

  it('SIGKILL, restart and reload of the supervisor fail no request (Y2, Y6, Y8)', async () => {
    const unit = await install('served', 'hello.js')
    const load = await underLoad(unit)
    const before = statusOf(unit)
    systemd.inside('kill', '-9', String(before.pid))
    await until(() => systemd.property(unit.service, 'NRestarts') === '1', 10_000, 'systemd restarts it')
    await until(() => systemd.property(unit.service, 'ActiveState') === 'active', 10_000, 'it is active again')
    const adopted = statusOf(unit)
    expect(adopted.pid).not.toBe(before.pid)
    expect(new Set(adopted.pids)).toEqual(new Set(before.pids))
    await load.answers(200)

    const reloaded = await systemd.begin('systemctl', 'reload', unit.service)
    expect(reloaded).toMatchObject({ code: 0, stderr: '' })
    expect(statusOf(unit).pids.some((pid) => before.pids.includes(pid))).toBe(false)
    await load.answers(200)

    const restarted = await systemd.begin('systemctl', 'restart', unit.service)
    expect(restarted.code).toBe(0)
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    expect(systemd.systemctl('stop', unit.service, `${unit.name}.socket`).code).toBe(0)
  })

  it.each(['stop-post', 'start'])(
    'a stop leaves no worker when the killed supervisor is not back yet: in %s (Y4)',
    async (moment) => {
      const unit = await install(`stopped-in-${moment}`, 'hello.js')
      systemd.inside('kill', '-9', systemd.property(unit.service, 'MainPID'))
      await until(() => systemd.property(unit.service, 'SubState') === moment, 10_000, `the unit is in ${moment}`)
      expect(systemd.systemctl('stop', unit.service, `${unit.name}.socket`).code).toBe(0)
      expect(systemd.pids(unit.service)).toEqual([])
    },
  )

  it('a reload that fails is one of systemctl, too, and the old code serves (Y3)', async () => {
    const unit = await install('refusing', 'hello.js')
    const { pids } = statusOf(unit)
    writeFileSync(join(unit.directory, 'app.js'), 'throw new Error("a typo")\n')
    expect(systemd.systemctl('reload', unit.service).code).not.toBe(0)
    expect(systemd.property(unit.service, 'ActiveState')).toBe('active')
    expect(statusOf(unit).pids).toEqual(pids)
    expect((await get(unit.target)).headers['x-release']).toBe('1')
    systemd.systemctl('stop', unit.service, `${unit.name}.socket`)
  })

  it('an upgrade keeps the unit active and restarts nothing, and the new one is the unit’s in everything (Y5)', async () => {
    const unit = await install('upgraded', 'hello.js')
    systemd.dropIn(unit.service, ['[Service]', 'WatchdogSec=2s'])
    systemd.systemctl('restart', unit.service)
    const load = await underLoad(unit)
    const before = statusOf(unit)

    const upgraded = systemd.supervise('/', 'upgrade', '--json', '--instance', unit.name)
    expect([upgraded.code, upgraded.stderr]).toEqual([0, expect.any(String)])
    const { newPid } = JSON.parse(upgraded.stdout)
    expect(statusOf(unit)).toEqual({ pid: newPid, pids: before.pids })
    expect(systemd.property(unit.service, 'MainPID')).toBe(String(newPid))
    await until(() => systemd.inside('kill', '-0', String(before.pid)).code !== 0, 5_000, 'the one before has gone')
    // Longer than the watchdog waits for a word.
    await setTimeout(3_000)
    const told = ['ActiveState', 'NRestarts', 'StatusText'].map((name) => systemd.property(unit.service, name))
    expect(told).toEqual(['active', '0', 'upgraded: 2 of 2 workers serve r1'])

    expect((await systemd.begin('systemctl', 'reload', unit.service)).code).toBe(0)
    expect(statusOf(unit)).toMatchObject({ pid: newPid, pids: expect.not.arrayContaining([...before.pids]) })
    systemd.inside('kill', '-KILL', String(newPid))
    await until(() => systemd.property(unit.service, 'NRestarts') === '1', 10_000, 'systemd brings one back')
    await until(() => systemd.property(unit.service, 'ActiveState') === 'active', 10_000, 'it is active again')
    mustHaveLostNothing(await load.stop())
    expect((await systemd.begin('systemctl', 'stop', unit.service, `${unit.name}.socket`)).code).toBe(0)
    expect(systemd.property(unit.service, 'Result')).toBe('success')
    expect(systemd.pids(unit.service)).toEqual([])
  })

  it('a loop that hangs is ended by the watchdog, and a long drain gets its time (Y4, Y9)', async () => {
    const unit = await install('watched', 'hello.js', '--drain-timeout', '20s')
    systemd.dropIn(unit.service, ['[Service]', 'WatchdogSec=2s', 'TimeoutStopSec=1s'])
    systemd.systemctl('restart', unit.service)
    const before = statusOf(unit)
    systemd.inside('kill', '-STOP', String(before.pid))
    await until(() => systemd.property(unit.service, 'NRestarts') === '1', 15_000, 'the watchdog ends it')
    await until(() => systemd.property(unit.service, 'ActiveState') === 'active', 10_000, 'it is active again')
    expect(new Set(statusOf(unit).pids)).toEqual(new Set(before.pids))

    // Longer than TimeoutStopSec.
    const slow = get(unit.target, '/slow?ms=4000', 20_000)
    await until(async () => (await get(unit.target)).status === 200, 5_000, 'another request is answered')
    const stopped = await systemd.begin('systemctl', 'stop', unit.service, `${unit.name}.socket`)
    expect(stopped.code).toBe(0)
    expect((await slow).status).toBe(200)
    expect(systemd.property(unit.service, 'Result')).toBe('success')
  })
})
