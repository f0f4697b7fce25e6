// What PM2 taught: values of the environment are nobody's but the app's, and no address is opened that nobody asked for.

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome, type Home } from '../support/home.ts'
import { crashesOf, untilEvent } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { makeRelease } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const SHELL_SECRET = 'hunter2-from-the-shell'
const APP_SECRET = 'hunter2-from-a-flag'

const API = ['status', 'apps/web', 'apps/web/history', 'events', 'crashes', 'crashes/c1', 'metrics', 'logs']
const FILES = ['web.log', 'events.ndjson', 'index.json', 'c1.json', 'releases.json', 'state.json']

/** Going back, and taking workers up again, needs all that the app was given: only the owner may read these. */
const KEEPS_THEM = ['releases.json', 'state.json']

const LISTENING = '0A'

/** `address:port` in the kernel's hexadecimal, of each socket of a process that takes connections or datagrams. */
function boundBy(pid: number): readonly string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const target = linkOrEmpty(`/proc/${pid}/fd/${fd}`)
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []
    }),
  )
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) => {
    const [, ...lines] = readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8').trim().split('\n')
    return lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [, local = '', , state] = fields
      const isOpen = protocol.startsWith('udp') || state === LISTENING
      return isOpen && inodes.has(fields[9] ?? '') ? [local] : []
    })
  })
}

/** A port as the kernel writes it. */
function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? ''
}

function linkOrEmpty(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/** Every file that the supervisor has left somewhere. */
function filesOf(home: Home): ReadonlyMap<string, string> {
  const files = ['run', 'state', 'tmp'].flatMap((part) => {
    const directory = join(home.directory, part)
    const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    return names.map((name) => join(directory, name)).filter((path) => statSync(path).isFile())
  })
  for (const path of files.filter((one) => KEEPS_THEM.includes(nameOf(one))))
    expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600])
  return new Map(files.map((path) => [path, readFileSync(path, 'latin1')]))
}

async function startWebhook() {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      bodies.push(body)
      response.end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

it('no value of the environment is in any answer, line, alert or file, and nothing is bound but what was asked for', async () => {
  const home = makeHome()
  const [first, second] = [join(home.work, 'r1'), join(home.work, 'r2')]
  makeRelease(first, { fixture: 'hello.js', version: '1' })
  makeRelease(second, { fixture: 'hello.js', version: '2' })
  const webhook = await startWebhook()
  const [port, admin] = [await freePort(), await freePort()]
  const flags = ['-n', 'web', '-i', '1', '--cwd', first, '--port', String(port), '--bake', '0', ...QUICK]
  const secrets = ['--env', `APP_SECRET=${APP_SECRET}`, '--notify', webhook.url]
  const places = ['--log-file', join(home.directory, 'state/web.log'), '--admin', `127.0.0.1:${admin}`]
  const args = [join(first, 'app.js'), ...flags, ...secrets, ...places]
  const supervise = await startSupervise(args, { home, env: { SHELL_SECRET } })
  const target = { host: '127.0.0.1', port }
  const { env } = JSON.parse((await get(target, '/env')).text) as { env: Record<string, string> }
  // It is there where it belongs.
  expect(env).toMatchObject({ SHELL_SECRET, APP_SECRET })

  const [worker = 0] = await supervise.pids()
  // The app's own address, whose sockets are the supervisor's too, is as the app has it; nothing else but the admin address.
  const isOfApp = (local: string) => local.endsWith(`:${hex(port)}`)
  expect(boundBy(worker).filter(isOfApp).length).toBeGreaterThan(0)
  expect(boundBy(worker).filter((local) => !isOfApp(local))).toEqual([])
  expect(boundBy(supervise.pid).filter((local) => !isOfApp(local))).toEqual([`0100007F:${hex(admin)}`])

  await get(target, '/crash').catch(() => 'cut')
  await until(async () => (await crashesOf(supervise)).length === 1, 15_000, 'the crash')
  await until(() => webhook.bodies.length > 0, 15_000, 'the alert')
  await untilEvent(supervise, 'alertSent')
  await supervise.online()
  mustExit(await supervise.cli('deploy', 'web', second), 0)

  const said = new Map<string, string>()
  for (const path of API) {
    // oxlint-disable-next-line no-await-in-loop -- so that the one that fails is known
    const { status, text } = await supervise.api('GET', `/v1/${path}`)
    expect([path, status]).toEqual([path, 200])
    said.set(path, text)
  }
  for (const command of ['describe web', 'crashes show c1', 'diff web']) {
    // oxlint-disable-next-line no-await-in-loop -- a command is a process
    const { stdout, stderr } = await supervise.cli(...command.split(' '))
    said.set(command, stdout + stderr)
  }
  said.set('the admin address', (await get({ host: '127.0.0.1', port: admin }, '/v1/apps/web')).text)
  said.set('alerts', webhook.bodies.join('\n'))
  const running = filesOf(home)
  await supervise.stop()
  said.set('its own lines', supervise.stdout + supervise.stderr)
  const files = new Map([...running, ...filesOf(home)])
  expect([...files.keys()].map(nameOf)).toEqual(expect.arrayContaining(FILES))
  const leaks = [...said, ...files].filter(([, text]) => text.includes('hunter2')).map(([where]) => where)
  expect(leaks.filter((where) => !KEEPS_THEM.includes(nameOf(where)))).toEqual([])
})
