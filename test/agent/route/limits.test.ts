// What may go wrong between two workers, and how much of it a client sees.

import http from 'node:http'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { get } from '../support/clients.ts'
import { sleep, until } from '../drain/worker.ts'
import { Groups, NAMES } from './groups.ts'
import { exchange } from './raw-exchange.ts'

let groups: Groups
beforeEach(async () => {
  groups = await Groups.start({}, { heartbeatMs: 50 })
  await groups.route('blue', { groupSecret: 's' })
})
afterEach(() => groups.close())

const GREEN = 'x-supervise-group: green s\r\n'
const request = (method: string, path: string, headers = '', body = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\n${GREEN}${headers}\r\n${body}`

interface Figures {
  readonly name: string
  readonly sent: number
  readonly received: number
  readonly aborted: readonly string[]
  readonly rss: number
}

async function figures(group: 'blue' | 'green'): Promise<Figures> {
  const { body } = await get({ socketPath: groups.members[group][0]?.endpoint ?? '', path: '/figures' })
  return JSON.parse(body) as Figures
}

/** What blue's worker counts, once it has counted this. */
async function counted(expected: object) {
  const pid = groups.members.blue[0]?.pid ?? 0
  const vitals = await groups.supervisor.said(pid, 'vitals', (message) =>
    Object.entries(expected).every(([name, value]) => Reflect.get(message, name) === value),
  )
  expect(vitals).toMatchObject(expected)
}

function send(text: string): net.Socket {
  const socket = net.connect(groups.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  return socket
}

describe('back-pressure', () => {
  it('lets a slow reader of 200 MB have a few MB under way', async () => {
    const socket = send(request('GET', '/flood'))
    socket.pause()
    await sleep(1_000)
    const { sent } = await figures('green')
    expect(sent).toBeGreaterThan(0)
    expect(sent).toBeLessThan(20)
    expect((await figures('blue')).rss).toBeLessThan(200 << 20)
    socket.destroy()
    await expect.poll(async () => (await figures('green')).sent).toBeLessThan(20)
  })

  it('lets a fast sender have a few MB under way to an app that does not read', async () => {
    const socket = send(request('POST', '/sink', 'Content-Length: 200000000\r\n'))
    let written = 0
    const chunk = Buffer.alloc(1 << 16)
    const write = () => {
      while (socket.write(chunk)) written += chunk.length
      written += chunk.length
    }
    socket.on('drain', write)
    write()
    await sleep(1_000)
    expect(written).toBeGreaterThan(0)
    expect(written).toBeLessThan(20 << 20)
    socket.destroy()
  })
})

describe('a client that leaves', () => {
  it('is seen to leave by the app', async () => {
    const socket = send(request('GET', '/open'))
    await until(() => socket.bytesRead > 0, 3_000)
    socket.destroy()
    await expect.poll(async () => (await figures('green')).aborted, { timeout: 3_000 }).toEqual(['open'])
  })
})

describe('a worker of the other group that dies', () => {
  it('cuts the response that has begun', async () => {
    const { text, hasEnded } = await exchange(groups.port, [request('GET', '/die')])
    expect(text).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\npart$/)
    expect(hasEnded).toBe(true)
  })

  it('makes a 502 of a request that it may have run, which is counted', async () => {
    const { text } = await exchange(groups.port, [request('POST', '/die-silent', 'Content-Length: 1\r\n', 'x')])
    expect(text).toMatch(/^HTTP\/1\.1 502 /)
    await counted({ forwarded: 1, forwardFailures: 1 })
  })

  it('leaves the connection usable: the next request is answered here when no peer can be reached', async () => {
    const dying = request('POST', '/die-silent', 'Content-Length: 1\r\n', 'x')
    const { text } = await exchange(groups.port, [dying, 100, request('POST', '/echo', 'Content-Length: 3\r\n', 'abc')])
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 502', 'HTTP/1.1 200'])
    expect(text).toMatch(/\r\nabc\r\n0\r\n\r\n$/)
    await counted({ forwarded: 2, forwardRetries: 1, forwardFailures: 1 })
  })

  it('between two requests costs a GET nothing: the next peer has it', async () => {
    const socket = send(request('GET', '/name'))
    let heard = ''
    socket.on('data', (data) => (heard += String(data)))
    await until(() => heard.includes(NAMES.green), 3_000)
    await groups.kill('green')
    await groups.fork('green')
    const { pid } = groups.members.blue[0] ?? { pid: 0 }
    expect(pid).toBeGreaterThan(0)
    await groups.route('blue', { groupSecret: 's' })
    heard = ''
    socket.write(request('GET', '/name'))
    await until(() => heard.includes(NAMES.green), 3_000)
    expect(heard).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  })
})

describe('a peer that is not there', () => {
  it('is passed over for the next one', async () => {
    const table = groups.table('blue', { groupSecret: 's' })
    const green = [`${groups.bench.directory}/gone.sock`, ...(table.peers[groups.key]?.green ?? [])]
    const peers = { [groups.key]: { blue: [], green } }
    await Promise.all(groups.members.blue.map((member) => groups.tell(member, { ...table, peers })))
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        get({ port: groups.port, path: '/name', headers: { 'x-supervise-group': 'green s' } }),
      ),
    )
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 4 }, () => NAMES.green))
  })

  it('leaves the request to this worker when there is no other, body and all; upgrades too', async () => {
    await groups.kill('green')
    const gone = `${groups.bench.directory}/gone.sock`
    const peers = { [groups.key]: { blue: [], green: [gone, `${gone}2`] } }
    await groups.route('blue', { groupSecret: 's', peers })
    const body = 'x'.repeat(100_000)
    const { text } = await exchange(groups.port, [request('POST', '/echo', `Content-Length: ${body.length}\r\n`, body)])
    expect(text.match(/x{100,}/g)?.join('')).toBe(body)
    const upgraded = await exchange(groups.port, [
      request('GET', '/ws', 'Connection: Upgrade\r\nUpgrade: echo\r\n') + 'early',
      50,
      'ping',
    ])
    expect(upgraded.text).toContain(`X-Name: ${NAMES.blue}`)
    expect(upgraded.text).toMatch(/earlyping$/)
  })
})

describe('pipelined requests of both groups', () => {
  it('are answered in their order, each by its group', async () => {
    const here = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nhere'
    const there = (n: number) => request('GET', `/name?ms=${50 - n * 10}&${n}`)
    const big = request('POST', '/echo', 'Content-Length: 300000\r\n', 'y'.repeat(300_000))
    const { text } = await exchange(groups.port, [there(1) + here + there(2) + big + here + there(3)])
    const bodies = text.match(new RegExp(`${NAMES.green}|here|y{100,}`, 'g'))?.map((body) => body.slice(0, 4))
    expect(bodies?.filter((body, at) => body !== 'yyyy' || bodies[at - 1] !== 'yyyy')).toEqual([
      NAMES.green,
      'here',
      NAMES.green,
      'yyyy',
      'here',
      NAMES.green,
    ])
  })
})

describe('a head that is nearly too long', () => {
  it('is as long when forwarded as when it is not', async () => {
    const length = http.maxHeaderSize
    const statuses = async (group: string) => {
      const found: string[] = []
      for (const size of [length - 150, length - 20, length + 300]) {
        const head = `GET /name HTTP/1.1\r\nHost: a\r\nx-supervise-group: ${group}\r\nx: `
        const { text } = await exchange(groups.port, [`${head}${'b'.repeat(size - head.length - 4)}\r\n\r\n`])
        found.push(text.slice(0, 12))
      }
      return found
    }
    expect(await statuses('green s')).toEqual(await statuses('bluex s'))
  })
})
