// What a worker says of its app's answers: each request once, by the worker whose app has answered it.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

import type { GroupName, Responses } from '../../../src/protocol/messages.ts'
import { Groups } from './groups.ts'

let groups: Groups
afterEach(() => groups.close())

const NONE: Responses = { aborted: 0, '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 }

/** Waits until the worker says exactly this; fails with what it said last. */
async function says(group: GroupName, expected: Partial<Responses>): Promise<void> {
  const pid = groups.members[group][0]?.pid ?? 0
  let last: Responses | undefined
  const wanted = { ...NONE, ...expected }
  const isSaid = ({ responses }: { readonly responses?: Responses }) => {
    last = responses
    return JSON.stringify(responses) === JSON.stringify(wanted)
  }
  await groups.supervisor.said(pid, 'vitals', isSaid).catch(() => expect(last).toEqual(wanted))
}

/** Asks for each path, one after the other on one connection; what is cut is passed over. */
async function ask(kind: string, paths: readonly string[], more: Readonly<Record<string, string>> = {}) {
  if (kind === 'h2c' || kind === 'streams') return ask2(paths, more)
  const isSecure = kind === 'https'
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  for (const path of paths) {
    const options = { host: '127.0.0.1', port: groups.port, path, headers: more }
    const { get } = isSecure ? await import('node:https') : http
    const request = get({ ...options, ...(isSecure ? { rejectUnauthorized: false } : { agent }) })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.on('error', () => {}).resume()
    await new Promise((resolve) => response.once('close', resolve))
  }
  agent.destroy()
}

async function ask2(paths: readonly string[], more: Readonly<Record<string, string>>): Promise<void> {
  for (const path of paths) {
    // One each, since a client whose requests belong to the other group is asked to leave.
    const session = http2.connect(`http://127.0.0.1:${groups.port}`)
    const stream = session.request({ ':path': path, ...more })
    stream.on('error', () => {}).resume()
    await new Promise((resolve) => stream.once('close', resolve))
    session.close()
  }
}

const codes = (...list: readonly number[]) => list.map((code) => `/status?code=${code}`)
const beat = { heartbeatMs: 50 }

describe.each(['http', 'https', 'h2c', 'streams'])('an app of %s', (KIND) => {
  it('has each answer counted once, by class, by the worker that has answered it', async () => {
    groups = await Groups.start({ KIND }, beat)
    await ask(KIND, codes(200, 201, 302, 404, 500, 503))
    const all = { '2xx': 2, '3xx': 1, '4xx': 1, '5xx': 2 }
    await says('blue', all)
    await says('green', {})
    await groups.route('green')
    await ask(KIND, codes(200, 302, 404, 500))
    const forwarded = { '2xx': 1, '3xx': 1, '4xx': 1, '5xx': 1 }
    await says('green', forwarded)
    await says('blue', all)
    // Who names the group tries a release; a wrong secret names none.
    await groups.route('blue', { groupSecret: 's' })
    await ask(KIND, codes(500, 500), { 'x-supervise-group': 'green s' })
    await ask(KIND, codes(500), { 'x-supervise-group': 'blue s' })
    await ask(KIND, codes(503), { 'x-supervise-group': 'blue wrong' })
    await says('blue', { ...all, '5xx': 3 })
    await says('green', forwarded)
    // What nobody over there takes is answered here.
    const peers = { [groups.key]: { blue: [], green: ['/nowhere.sock'] } }
    await groups.route('green', { peers })
    await ask(KIND, codes(200))
    await says('blue', { ...all, '2xx': 3, '5xx': 3 })
  })
})

describe('a request that gets no whole answer', () => {
  it.each(['http', 'h2c'])('over %s is counted as aborted, where its app was', async (KIND) => {
    groups = await Groups.start({ KIND }, beat)
    await ask(KIND, ['/reset', '/status?code=200'])
    await says('blue', { aborted: 1, '2xx': 1 })
    await groups.route('green')
    await ask(KIND, ['/reset', '/status?code=200'])
    await says('green', { aborted: 1, '2xx': 1 })
    await groups.route('blue')
    await ask(KIND, codes(200))
    await says('blue', { aborted: 1, '2xx': 2 })
  })

  it('is aborted as well when its client leaves', async () => {
    groups = await Groups.start({}, beat)
    const socket = net.connect(groups.port, '127.0.0.1')
    socket.write('GET /open HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
    socket.destroy()
    await says('blue', { aborted: 1 })
  })
})

it('does not count probes and previews, which come through the private endpoint without a client', async () => {
  groups = await Groups.start({}, beat)
  const socketPath = groups.members.blue[0]?.endpoint ?? ''
  const [response] = (await once(http.get({ socketPath, path: '/status?code=503', agent: false }), 'response')) as [
    http.IncomingMessage,
  ]
  response.resume()
  await ask('http', codes(200))
  await says('blue', { '2xx': 1 })
})

it('does not count a 502 of the router as an answer of the app', async () => {
  groups = await Groups.start({}, beat)
  await groups.route('green')
  await ask('http', ['/die-silent'])
  await groups.supervisor.exit(groups.members.green.splice(0)[0]?.pid ?? 0)
  await groups.route('blue')
  await ask('http', codes(200))
  await says('blue', { '2xx': 1 })
})

it('tells its last figures when it ends', async () => {
  groups = await Groups.start({}, { heartbeatMs: 60_000 })
  await ask('http', codes(200, 500))
  const pid = groups.members.blue[0]?.pid ?? 0
  groups.supervisor.say(pid, { type: 'drain', deadlineMs: 2000, spreadMs: 0 })
  await groups.supervisor.said(pid, 'drained')
  await says('blue', { '2xx': 1, '5xx': 1 })
})
