// Asking real servers that answer well, badly, late or not at all.

import { readFileSync } from 'node:fs'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Speech } from '../../src/protocol/messages.ts'
import { askPlace, type Question } from '../../src/supervisor/probe-question.ts'
import { freePort } from '../support/free-port.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const key = readFileSync(fixture('localhost-key.pem'))
const cert = readFileSync(fixture('localhost-cert.pem'))

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function question(port: number, changes: Partial<Question> = {}, speaks: Speech = 'http'): Question {
  const place = { speaks, to: { host: '127.0.0.1', port }, name: null }
  return {
    place,
    path: '/x?y=1',
    headers: { 'x-first': '1', host: 'h' },
    withinMs: 5000,
    status: null,
    body: null,
    ...changes,
  }
}

async function outcomeOf(listener: RequestListener, changes: Partial<Question> = {}) {
  const { outcome, problem } = await askPlace(question(await listen(http.createServer(listener)), changes))
  return [outcome, problem]
}

function answering(status: number, headers = {}): RequestListener {
  return (_, response) => void response.writeHead(status, headers).end('x')
}

const endless: RequestListener = (_, response) => {
  const more = (): void => {
    while (response.write('x'.repeat(65_536)));
  }
  response.on('drain', more)
  more()
}

describe('askPlace()', () => {
  it('asks for the path, its headers first and as given', async () => {
    let seen: IncomingMessage | null = null
    const [outcome] = await outcomeOf((request, response) => {
      seen = request
      response.end('well')
    })
    expect(outcome).toBe('ok')
    expect(seen).toMatchObject({ url: '/x?y=1', method: 'GET', httpVersion: '1.1' })
    expect((seen as IncomingMessage | null)?.rawHeaders.slice(0, 4)).toEqual(['x-first', '1', 'host', 'h'])
  })

  it.each([
    ['http', () => http.createServer((_, response) => response.end('well'))],
    ['https', () => https.createServer({ key, cert }, (_, response) => response.end('well'))],
    ['h2c', () => http2.createServer((_, response) => void response.end('well'))],
    ['h2', () => http2.createSecureServer({ key, cert }, (_, response) => void response.end('well'))],
  ] as const)('speaks %s', async (speaks, make) => {
    const port = await listen(make())
    const good = await askPlace(question(port, { body: 'wel' }, speaks))
    expect(good).toMatchObject({ outcome: 'ok', problem: null })
    expect(await askPlace(question(port, { status: 418 }, speaks))).toMatchObject({ outcome: 'status' })
    expect(await askPlace(question(port, { body: 'ill' }, speaks))).toMatchObject({ outcome: 'body' })
    expect(await askPlace(question(await freePort(), {}, speaks))).toMatchObject({ outcome: 'refused' })
  })

  it('says what was wrong with an answer', async () => {
    expect(await outcomeOf(answering(500))).toEqual(['status', 'answered 500'])
    expect(await outcomeOf(answering(200), { status: 204 })).toEqual(['status', 'answered 200, and 204 was expected'])
    expect(await outcomeOf(answering(302, { location: '/' }))).toEqual([
      'status',
      'answered 302, and redirects are not followed',
    ])
    expect(await outcomeOf(answering(302, { location: '/' }), { status: 302 })).toEqual(['ok', null])
    expect(await outcomeOf(answering(200), { body: 'y' })).toEqual(['body', 'answered without "y"'])
    expect(await outcomeOf((request) => request.socket.destroy())).toEqual([
      'cut',
      'was cut off before it was answered (ECONNRESET)',
    ])
  })

  it.each([
    ['no answer', (): void => undefined],
    ['half an answer', (_: IncomingMessage, response: http.ServerResponse) => void response.write('x')],
    [
      'an answer without end',
      (_: IncomingMessage, response: http.ServerResponse) => void setInterval(() => response.write('x'), 20).unref(),
    ],
    // Node's client drops such a connection and tells of no error.
    [
      'an upgrade',
      (request: IncomingMessage) =>
        void request.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
  ])('ends at its time with %s', { timeout: 10_000 }, async (_, listener) => {
    expect(await outcomeOf(listener, { withinMs: 300, body: 'never' })).toEqual([
      'timeout',
      'was not answered within 300ms',
    ])
  })

  it('ends at its time with a place that says nothing, in HTTP/2 too', { timeout: 10_000 }, async () => {
    const open = new Set<Socket>()
    const server = net.createServer((socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket)).on('error', () => undefined)
      socket.resume()
    })
    const port = await listen(server)
    for (const speaks of ['http', 'https', 'h2c', 'h2'] as const)
      // oxlint-disable-next-line no-await-in-loop -- the name of the failing one shall be seen
      expect([speaks, (await askPlace(question(port, { withinMs: 200 }, speaks))).outcome]).toEqual([speaks, 'timeout'])
    await until(() => open.size === 0, 5000, 'no connection is left')
  })

  it.each([
    ['at once', (socket: Socket) => void socket.destroy()],
    ['after its first words', (socket: Socket) => void socket.once('data', () => socket.destroy())],
    ['with a reset', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
  ])('calls a connection that ends %s cut, in HTTP/2 too', { timeout: 30_000 }, async (_, end) => {
    const server = net.createServer((socket) => end(socket.on('error', () => undefined)))
    const port = await listen(server)
    for (const speaks of ['http', 'https', 'h2c', 'h2'] as const)
      // oxlint-disable-next-line no-await-in-loop -- the name of the failing one shall be seen
      expect([speaks, (await askPlace(question(port, {}, speaks))).outcome]).toEqual([speaks, 'cut'])
  })

  it('calls an HTTP/2 connection cut that ends when its session has begun', { timeout: 10_000 }, async () => {
    const server = http2.createSecureServer({ key, cert })
    server.on('session', (session) =>
      session.on('error', () => undefined).once('remoteSettings', () => session.socket.destroy()),
    )
    const answer = await askPlace(question(await listen(server), {}, 'h2'))
    expect(answer.outcome).toBe('cut')
  })

  it('reads no more than it needs of a page without end', async () => {
    expect(await outcomeOf(endless)).toEqual(['ok', null])
    expect(await outcomeOf(endless, { body: 'y' })).toEqual(['body', 'answered without "y"'])
  })

  it('takes a certificate for a name only when it is good for it', async () => {
    const port = await listen(https.createServer({ key, cert }, (_, response) => response.end('well')))
    const asked = question(port, {}, 'https')
    const named = { ...asked, place: { ...asked.place, name: '127.0.0.1' } }
    expect(await askPlace(named)).toMatchObject({ outcome: 'tls', problem: expect.stringContaining('TLS handshake') })
  })

  it('cannot reach a name that nobody knows', async () => {
    const place = {
      speaks: 'http',
      to: { host: 'no-such-host.invalid', port: 80 },
      name: 'no-such-host.invalid',
    } as const
    expect((await askPlace({ ...question(1), place })).outcome).toMatch(/unreachable|timeout/)
  })
})
