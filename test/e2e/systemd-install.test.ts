// Under a real systemd: a unit that is installed again and again, with sockets, with others and without, beside units of
// others and of a user's own systemd; and what stops an instance for good.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { LAUNCHER, TEST_NODE } from '../support/home.ts'
import { Systemd, whyNoSystemd, type Ran } from '../support/systemd.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const missing = whyNoSystemd()
const systemd = new Systemd()

beforeAll(async () => {
  if (missing === null) await systemd.boot()
})

afterAll(() => systemd.end())

/** Writes to /tmp with each request and looks for what it wrote there first; and counts its boots. */
const APP = `
const { appendFileSync, mkdtempSync, statSync } = require('node:fs')
appendFileSync(__dirname + '/boots', '.')
const mine = mkdtempSync('/tmp/mine-')
require('node:http').createServer((request, response) => {
  try { statSync(mine); response.end(mkdtempSync('/tmp/more-')) }
  catch (error) { response.writeHead(500).end(String(error)) }
}).listen(Number(process.env.PORT), '127.0.0.1')
`

/** Where no release of the other tests is: in a place that the unit would see also with a /tmp of its own. */
function makeApp(name: string): string {
  const directory = `/var/lib/${name}`
  mkdirSync(systemd.seenFromOutside(directory))
  writeFileSync(systemd.seenFromOutside(join(directory, 'app.js')), APP)
  return directory
}

/** Types the command in a directory that only the inside has. */
function supervise(directory: string, ...words: readonly string[]): Ran {
  return systemd.inside('env', '-C', directory, TEST_NODE, LAUNCHER, ...words)
}

const states = (...names: string[]) => names.map((name) => systemd.property(name, 'ActiveState'))
const bootsIn = (directory: string) => readFileSync(systemd.seenFromOutside(join(directory, 'boots'))).length
const openedAt = (socket: string) => systemd.property(socket, 'ActiveEnterTimestampMonotonic')

describe.skipIf(missing !== null)(`units that are installed${missing === null ? '' : ` (${missing})`}`, () => {
  it('keeps /tmp, port and unit as they should be, through deaths, installs and a stop (Y6)', async () => {
    const port = await freePort()
    const target = { host: '127.0.0.1', port }
    // The name that the notification socket once had.
    const directory = makeApp('notify')
    const install = (...words: readonly string[]): Ran =>
      supervise(
        directory,
        'systemd',
        'install',
        'app.js',
        '-n',
        'notify',
        '-i',
        '2',
        '--port',
        `${port}`,
        ...QUICK,
        ...words,
      )
    const sockets = ['--socket', `127.0.0.1:${port}`, '--socket-slots', '2']
    expect(install(...sockets).stderr).toContain('Started notify.service')
    expect((await get(target)).status).toBe(200)

    systemd.inside('kill', '-9', systemd.property('notify.service', 'MainPID'))
    await until(() => systemd.property('notify.service', 'NRestarts') === '1', 10_000, 'systemd restarts it')
    await until(() => states('notify.service')[0] === 'active', 10_000, 'it is active again')
    for (const _ of [1, 2, 3, 4]) expect((await get(target)).text).toMatch(/^\/tmp\/more-/)

    const [boots, opened] = [bootsIn(directory), openedAt('notify.socket')]
    expect(install(...sockets, '--memory-max', '1G').code).toBe(0)
    expect([bootsIn(directory), openedAt('notify.socket')]).toEqual([boots + 2, opened])
    expect(install(...sockets, '--socket', '/run/notify.sock').code).toBe(0)
    expect(bootsIn(directory)).toBe(boots + 4)
    expect(openedAt('notify.socket')).not.toBe(opened)
    expect((await get(target)).status).toBe(200)

    expect(install().stderr).toContain(`Removed ${join(systemd.units, 'notify.socket')}`)
    expect(states('notify.service', 'notify.socket')).toEqual(['active', 'inactive'])
    expect((await get(target)).status).toBe(200)

    expect(systemd.supervise('/', 'stop', '--all', '--instance', 'notify').code).toBe(0)
    await until(() => states('notify.service')[0] === 'inactive', 10_000, 'the unit is inactive')
    expect([systemd.property('notify.service', 'Result'), systemd.pids('notify.service')]).toEqual(['success', []])
    expect(systemd.systemctl('start', 'notify.service').code).toBe(0)
    expect((await get(target)).status).toBe(200)
    expect(systemd.systemctl('stop', 'notify.service').code).toBe(0)
  })

  it('hides no unit of others unasked', () => {
    const directory = makeApp('taken')
    systemd.inside('systemd-run', '--unit=taken.service', 'sleep', '1000')
    const install = (...words: readonly string[]) =>
      supervise(directory, 'systemd', 'install', 'app.js', '-n', 'taken', ...words)
    const refused = install()
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/Cannot write .*: it would hide .*transient\/taken\.service/)
    expect(existsSync(join(systemd.units, 'taken.service'))).toBe(false)
    expect(states('taken.service')).toEqual(['active'])
    expect(install('--force', '--no-start').stderr).toMatch(/taken\.service hides .*transient\/taken\.service/)
  })

  it('a unit of a user is installed again, and an instance that runs by hand is left to whoever started it', async () => {
    const [port, units] = [await freePort(), join(systemd.directory, 'user')]
    const directory = makeApp('mine')
    mkdirSync(units)
    for (const name of ['main', 'default', 'basic']) writeFileSync(join(units, `${name}.target`), '[Unit]\n')
    const variables = ['XDG_RUNTIME_DIR=/run/user/0', `SYSTEMD_UNIT_PATH=${units}`, `PORT=${port}`]
    const manager = ['Type=notify', 'Delegate=yes', 'RuntimeDirectory=user/0', 'RuntimeDirectoryMode=0700']
    const start = [
      `Environment=${variables.join(' ')} HOME=/root`,
      'ExecStart=/lib/systemd/systemd --user --unit=main.target',
    ]
    writeFileSync(join(systemd.units, 'users.service'), ['[Service]', ...manager, ...start, ''].join('\n'))
    systemd.systemctl('daemon-reload')
    expect(systemd.systemctl('start', 'users.service').stderr).toBe('')
    const typed = (...words: readonly string[]) =>
      systemd.inside('env', '-C', directory, ...variables, TEST_NODE, LAUNCHER, ...words)
    const install = (name: string) =>
      typed('systemd', 'install', '--user', 'app.js', '-n', name, '-i', '1', '--port', `${port}`, ...QUICK)

    for (const _ of ['first', 'again']) expect(install('mine').stderr).toContain('Started mine.service')
    expect((await get({ host: '127.0.0.1', port })).status).toBe(200)
    expect(typed('systemd', 'uninstall', '--user', 'mine').code).toBe(0)

    expect(typed('start', '-d', 'app.js', '-n', 'byhand', '-i', '1', '--instance', 'byhand').code).toBe(0)
    expect(install('byhand').stderr).toContain('its supervisor runs already')
    expect(typed('stop', '--all', '--instance', 'byhand').code).toBe(0)
  })
})
