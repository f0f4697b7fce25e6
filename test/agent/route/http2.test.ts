// HTTP/2 streams with a forwarding worker, compared with those that the app answers directly.

import { readFileSync } from 'node:fs'
import http2, { type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { until } from '../drain/worker.ts'
import { Groups, NAMES } from './groups.ts'

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url))
const keys = { key: fixture('localhost-key.pem'), cert: fixture('localhost-cert.pem'), rejectUnauthorized: false }

interface Answered {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly information: readonly unknown[]
  readonly body: string
  readonly trailers: unknown
  readonly code: number
}

function connect(port: number, isSecure: boolean): ClientHttp2Session {
  const session = http2.connect(`${isSecure ? 'https' : 'http'}://localhost:${port}`, keys)
  session.on('error', () => {})
  return session
}

function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string, trailers?: OutgoingHttpHeaders) {
  return new Promise<Answered>((resolve) => {
    const stream = session.request(headers, { waitForTrailers: trailers !== undefined })
    const answered = { status: undefined as number | undefined, headers: {}, information: [] as unknown[], body: '' }
    let received: unknown
    stream.setEncoding('utf8')
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    stream.on('headers', (information) => answered.information.push(information[':status']))
    stream.on('continue', () => answered.information.push('continue'))
    stream.on('response', ({ ':status': status, ...rest }) =>
      Object.assign(answered, { status, headers: { ...rest, date: 'D' } }),
    )
    stream.on('trailers', (given) => (received = { ...given }))
    stream.on('data', (data: string) => (answered.body += data))
    stream.on('error', () => {})
    stream.on('close', () => resolve({ ...answered, trailers: received, code: stream.rstCode }))
    stream.end(body)
  })
}

const CASES: Readonly<Record<string, readonly [OutgoingHttpHeaders, string?, OutgoingHttpHeaders?]>> = {
  'all that an app sees': [{ ':path': '/see', cookie: ['a=1', 'b=2'], 'x-a': ['1', '2'] }],
  'a body of 200 kB': [{ ':path': '/see', ':method': 'POST' }, 'x'.repeat(200_000)],
  'an echo': [{ ':path': '/echo', ':method': 'POST' }, 'x'.repeat(100_000)],
  'request trailers': [{ ':path': '/see', ':method': 'POST' }, 'x', { 'x-t': '9' }],
  'response trailers': [{ ':path': '/trailers' }],
  'early hints': [{ ':path': '/hints' }],
  HEAD: [{ ':path': '/plain', ':method': 'HEAD' }],
  '204': [{ ':path': '/204' }],
  '304': [{ ':path': '/304' }],
  'an event stream': [{ ':path': '/pieces' }],
  'an answer ahead of the body': [{ ':path': '/early', ':method': 'POST' }, 'abc'],
  'an expectation': [{ ':path': '/see', ':method': 'POST', expect: '100-continue' }, 'abc'],
}

describe.each([
  ['h2c', false],
  ['h2', true],
])('over %s, forwarded as answered directly', (kind, isSecure) => {
  let direct: Groups
  let forwarding: Groups
  let here: ClientHttp2Session
  let there: ClientHttp2Session
  beforeAll(async () => {
    direct = await Groups.start({ KIND: kind })
    forwarding = await Groups.start({ KIND: kind })
    await direct.route('blue', { groupSecret: 'ss' })
    await forwarding.route('blue', { groupSecret: 's' })
    here = connect(direct.port, isSecure)
    there = connect(forwarding.port, isSecure)
  })
  afterAll(async () => {
    here.destroy()
    there.destroy()
    await Promise.all([direct.close(), forwarding.close()])
  })

  it.each(Object.entries(CASES))('%s', async (_, [headers, body, trailers]) => {
    const [own, forwarded] = await Promise.all([
      ask(here, { ...headers, 'x-supervise-group': 'blue ss' }, body, trailers),
      ask(there, { ...headers, 'x-supervise-group': 'green s' }, body, trailers),
    ])
    const text = JSON.stringify(forwarded)
      .replaceAll(NAMES.green, NAMES.blue)
      .replaceAll('green s', 'blue ss')
      .replaceAll(String(forwarding.port), String(direct.port))
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(own)))
    if (own.body.includes(NAMES.blue)) expect(forwarded.body).toContain(NAMES.green)
  })

  it('many streams of one session at a time', async () => {
    const asked = Array.from({ length: 50 }, (_, n) =>
      ask(
        there,
        { ':path': `/echo?${n}`, ':method': 'POST', 'x-supervise-group': 'green s' },
        `body ${n} `.repeat(5_000),
      ),
    )
    const bodies = (await Promise.all(asked)).map((answered) => answered.body)
    expect(bodies).toEqual(asked.map((_, n) => `body ${n} `.repeat(5_000)))
  })
})

describe('an HTTP/2 session with a standby worker', () => {
  let groups: Groups
  afterEach(() => groups.close())

  it('is told to go once its streams have been answered by the other group', async () => {
    groups = await Groups.start({ KIND: 'h2c' })
    await groups.route('green')
    const session = connect(groups.port, false)
    expect((await ask(session, { ':path': '/name' })).body).toBe(NAMES.green)
    expect(await until(() => session.closed, 2_000)).toBe(true)
  })

  it('is answered by its own worker when no peer is there, and gets 502 for what a dead one may have run', async () => {
    groups = await Groups.start({ KIND: 'h2c' })
    const table = { groupSecret: 's' }
    await groups.route('blue', table)
    const session = connect(groups.port, false)
    const header = { 'x-supervise-group': 'green s' }
    const dying = ask(session, { ':path': '/die-silent', ':method': 'POST', ...header }, 'x')
    expect(await dying).toMatchObject({ status: 502 })
    expect(await ask(session, { ':path': '/name', ...header })).toMatchObject({ status: 200, body: NAMES.blue })
    expect(await ask(session, { ':path': '/echo', ':method': 'POST', ...header }, 'abc')).toMatchObject({ body: 'abc' })
    session.destroy()
  })

  it('is cut where the app breaks off, with an error where nghttp2 sees that a part is missing', async () => {
    groups = await Groups.start({ KIND: 'h2c' })
    await groups.route('blue', { groupSecret: 's' })
    const session = connect(groups.port, false)
    const answered = await ask(session, { ':path': '/reset', 'x-supervise-group': 'green s' })
    expect(answered).toMatchObject({ status: 200, body: 'part' })
    expect(answered.code).not.toBe(0)
    session.destroy()
  })

  it('is cut where the other group’s worker dies in the middle', async () => {
    groups = await Groups.start({ KIND: 'h2c' })
    await groups.route('blue', { groupSecret: 's' })
    const session = connect(groups.port, false)
    const answered = await ask(session, { ':path': '/die', 'x-supervise-group': 'green s' })
    expect(answered).toMatchObject({ status: 200, body: 'part' })
    expect(answered.code).not.toBe(0)
    session.destroy()
  })
})
