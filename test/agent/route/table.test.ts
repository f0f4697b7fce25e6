// The table as the supervisor and clients meet it: what is acknowledged, where clients go, what stays as it was.

import net from 'node:net'
import http2 from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'

import { get } from '../support/clients.ts'
import { sleep, until } from '../drain/worker.ts'
import { Groups, NAMES, type Member } from './groups.ts'
import { exchange } from './raw-exchange.ts'

let groups: Groups
afterEach(() => groups.close())

const GET = 'GET /name HTTP/1.1\r\nHost: a\r\n\r\n'
const blue = (): Member => groups.members.blue[0] ?? { pid: 0, endpoint: '' }
const green = (): Member => groups.members.green[0] ?? { pid: 0, endpoint: '' }
const named = (group: string) => GET.replace('\r\n\r\n', `\r\nx-supervise-group: ${group}\r\n\r\n`)
const drained = (member: Member) => groups.supervisor.said(member.pid, 'drained')
const nameAt = async (member: Member) => (await get({ socketPath: member.endpoint, path: '/name' })).body

/** A connection that stays open, and what came over it. */
class Raw {
  readonly socket: net.Socket
  heard = ''
  hasEnded = false

  constructor(target: net.NetConnectOpts) {
    this.socket = net.connect(target)
    this.socket.on('data', (data) => (this.heard += String(data)))
    this.socket.on('end', () => (this.hasEnded = true))
    this.socket.on('error', () => {})
  }

  async ask(
    text: string,
    isAnswered: (heard: string) => boolean = (heard) => /AAAA|BBBB/.test(heard),
  ): Promise<string> {
    this.heard = ''
    this.socket.write(text)
    await until(() => isAnswered(this.heard) || this.hasEnded, 3_000)
    return this.heard
  }
}

describe('a route table', () => {
  it('is acknowledged with the epoch in force: an older one changes nothing, none at all is 0', async () => {
    groups = await Groups.start()
    const older = groups.table('blue')
    const newer = groups.table('green')
    expect(await groups.tell(blue(), newer)).toBe(2)
    expect(await groups.tell(blue(), older)).toBe(2)
    expect((await get({ port: groups.port, path: '/name' })).body).toBe(NAMES.green)
    expect(await groups.tell(blue(), null)).toBe(0)
    expect((await get({ port: groups.port, path: '/name' })).body).toBe(NAMES.blue)
    expect(await groups.tell(blue(), older)).toBe(1)
  })

  it('is what the next supervisor hears of', async () => {
    groups = await Groups.start()
    const { supervisor } = groups
    expect((await supervisor.said(blue().pid, 'hello')).route).toBeNull()
    const table = groups.table('green')
    await groups.tell(blue(), table)
    const from = supervisor.events.length
    supervisor.do({ do: 'hangUp', pid: blue().pid })
    const hello = await supervisor.said(blue().pid, 'hello', () => true, from)
    expect(hello.route).toEqual({ epoch: table.epoch, active: 'green' })
  })

  it('does not concern what comes through a private endpoint: a probe asks this very worker', async () => {
    groups = await Groups.start()
    await groups.route('green')
    expect(await nameAt(blue())).toBe(NAMES.blue)
    expect(await nameAt(green())).toBe(NAMES.green)
  })

  it('never makes a loop: what was forwarded is answered, even where the tables differ', async () => {
    groups = await Groups.start()
    await groups.tell(blue(), groups.table('green'))
    await groups.tell(green(), groups.table('blue'))
    expect((await get({ port: groups.port, path: '/name' })).body).toBe(NAMES.green)
  })

  it('lets a client choose its group by a header with the secret, and stay', async () => {
    groups = await Groups.start()
    await groups.route('blue', { groupSecret: 's' })
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    expect(await client.ask(named('green s'))).toMatch(/keep-alive[^]*BBBB/)
    expect(await client.ask(named('green wrong'))).toMatch(/keep-alive[^]*AAAA/)
    expect(await client.ask(named('green s'))).toMatch(/keep-alive[^]*BBBB/)
    client.socket.destroy()
  })
})

describe('a client of the standby group', () => {
  it('is told to go with its first answer, which is already the other group’s', async () => {
    groups = await Groups.start()
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    expect(await client.ask(GET)).toMatch(/keep-alive[^]*AAAA/)
    await groups.route('green')
    const answer = await client.ask(GET)
    expect(answer).toMatch(/^Connection: close\r$/m)
    expect(answer).not.toMatch(/keep-alive/i)
    expect(answer).toContain(NAMES.green)
    expect(await until(() => client.hasEnded, 2_000)).toBe(true)
  })

  it('is told with the last of the requests that it has sent in one piece, and not before', async () => {
    groups = await Groups.start()
    await groups.route('green')
    const { text, hasEnded } = await exchange(groups.port, [GET + GET + GET.replace('/name', '/name?ms=50') + GET])
    expect(text.match(/BBBB/g)).toHaveLength(4)
    expect(text.match(/^Connection: .*$/gm)?.map((line) => line.trim())).toEqual([
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: close',
    ])
    expect(hasEnded).toBe(true)
  })
})

describe('a drain', () => {
  it('waits for what its worker has forwarded, and says close with its answer', async () => {
    groups = await Groups.start()
    await groups.route('blue', { groupSecret: 's' })
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    client.socket.write(named('green s').replace('/name', '/name?ms=400'))
    // In the midst of the 400 ms that the answer takes.
    await sleep(100)
    groups.supervisor.say(blue().pid, { type: 'drain', deadlineMs: 10_000, spreadMs: 0 })
    await until(() => client.hasEnded, 3_000)
    expect(client.heard).toMatch(/Connection: close\r\n[^]*BBBB/)
    expect(await drained(blue())).toMatchObject({ served: 1, requestsCut: 0, connectionsCut: 0 })
  })

  it('waits for what was forwarded to its worker; later requests go elsewhere', async () => {
    groups = await Groups.start()
    await groups.route('blue', { groupSecret: 's' })
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    const answer = client.ask(named('green s').replace('/name', '/name?ms=400'))
    // In the midst of the 400 ms that the answer takes.
    await sleep(100)
    groups.supervisor.say(green().pid, { type: 'drain', deadlineMs: 10_000, spreadMs: 0 })
    expect(await answer).toMatch(/BBBB/)
    expect(await drained(green())).toMatchObject({ served: 1, requestsCut: 0, connectionsCut: 0 })
  })

  it.each([
    ['forwards', blue],
    ['answers', green],
  ])('ends an upgraded connection at its deadline in the worker that %s it', async (_, member) => {
    groups = await Groups.start()
    await groups.route('blue', { groupSecret: 's' })
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    const upgrade = named('green s').replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    expect(await client.ask(upgrade)).toMatch(/^HTTP\/1\.1 101 [^]*X-Name: BBBB/)
    expect(await client.ask('ping', (heard) => heard === 'ping')).toBe('ping')
    groups.supervisor.say(member().pid, { type: 'drain', deadlineMs: 300, spreadMs: 0 })
    expect(await drained(member())).toMatchObject({ requestsCut: 0, connectionsCut: 1 })
    expect(await until(() => client.hasEnded, 2_000)).toBe(true)
    client.socket.destroy()
  })

  it('is not held up by idle connections of workers that have no route to it any more', async () => {
    groups = await Groups.start()
    await groups.route('blue', { groupSecret: 's' })
    const client = new Raw({ port: groups.port, host: '127.0.0.1' })
    await client.ask(named('green s'))
    await groups.route('blue', { peers: {} })
    groups.supervisor.say(green().pid, { type: 'drain', deadlineMs: 10_000, spreadMs: 0 })
    expect((await drained(green())).tookMs).toBeLessThan(2_000)
    client.socket.destroy()
  })
})

describe('the release header', () => {
  const settings = { releaseHeader: 'x-supervise-release' }

  it('names the release that answered, and the app may take it off', async () => {
    groups = await Groups.start({}, settings)
    const head = async (path: string) => (await exchange(groups.port, [GET.replace('/name', path)])).text
    expect(await head('/name')).toMatch(/^x-supervise-release: r1\r$/m)
    await groups.route('green')
    expect((await head('/name')).match(/x-supervise-release: .*/g)).toEqual(['x-supervise-release: r2'])
    expect(await head('/release')).not.toMatch(/x-supervise-release/)
    expect(await head('/duplicates')).toMatch(/a=1[^]*b=2/)
  })

  it.each([
    ['h2c', '/name', 'r1'],
    ['h2c', '/release', undefined],
    ['streams', '/name', 'r1'],
  ])('is said over HTTP/2 too: %s %s', async (kind, path, expected) => {
    groups = await Groups.start({ KIND: kind }, settings)
    const session = http2.connect(`http://127.0.0.1:${groups.port}`)
    const ask = () =>
      new Promise<unknown>((resolve) => {
        const stream = session.request({ ':path': path, 'x-supervise-group': 'green s' })
        stream.on('response', (headers) => resolve(headers['x-supervise-release']))
        stream.resume()
      })
    expect(await ask()).toBe(expected)
    await groups.route('blue', { groupSecret: 's' })
    expect(await ask()).toBe(expected && 'r2')
    session.destroy()
  })
})

describe('a private endpoint', () => {
  const preamble = '\0{"addresses":{"remoteAddress":"203.0.113.9"},"tls":null}\n'

  it('takes a preamble in any pieces', async () => {
    groups = await Groups.start()
    const client = new Raw({ path: green().endpoint })
    for (const piece of `${preamble}GET /see HTTP/1.1\r\n`.match(/[^]{1,7}/g) ?? []) {
      client.socket.write(piece)
      await sleep(2)
    }
    const answer = await client.ask('Host: a\r\nx-supervise-hop: 1\r\n\r\n')
    expect(answer).toContain('"remoteAddress":"203.0.113.9"')
    expect(answer).not.toContain('x-supervise-hop')
    client.socket.destroy()
  })

  it.each([
    ['garbage', '\0garbage\n'],
    ['more than 64 KiB', `\0${'x'.repeat(70_000)}`],
  ])('hangs up on %s, and serves others', async (_, text) => {
    groups = await Groups.start()
    const client = new Raw({ path: green().endpoint })
    expect(await client.ask(text)).toBe('')
    expect(await until(() => client.socket.destroyed, 2_000)).toBe(true)
    expect(await nameAt(green())).toBe(NAMES.green)
  })
})
