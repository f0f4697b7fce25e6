// What belongs to a trace passes a forwarding worker untouched: W3C's headers are the app's and its client's affair.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { afterEach, expect, it } from 'vitest'

import { Groups, NAMES } from './groups.ts'

const TRACE = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  baggage: 'userId=alice,isProduction=false;p=1',
}

let groups: Groups
afterEach(() => groups.close())

/** A connection that blue has accepted, and a table by which its requests are green's. */
async function forwardAll(kind: string): Promise<void> {
  groups = await Groups.start({ KIND: kind })
  await groups.route('green')
}

it('over HTTP/1.1, and when the connection is upgraded', async () => {
  await forwardAll('http')
  const to = { host: '127.0.0.1', port: groups.port, agent: false, headers: TRACE } as const
  const plain = http.get({ ...to, path: '/see' })
  const [answer] = (await once(plain, 'response')) as [http.IncomingMessage]
  expect(await seenIn(answer)).toMatchObject({ name: NAMES.green, headers: TRACE })

  const upgrade = http.get({ ...to, path: '/ws', headers: { ...TRACE, connection: 'Upgrade', upgrade: 'echo' } })
  const [switched, socket] = (await once(upgrade, 'upgrade')) as [http.IncomingMessage, NodeJS.ReadableStream]
  socket.resume()
  expect(switched.headers['x-name']).toBe(NAMES.green)
  expect(JSON.parse(String(switched.headers['x-trace']))).toEqual(TRACE)
  upgrade.destroy()
})

it('over HTTP/2', async () => {
  await forwardAll('h2c')
  const session = http2.connect(`http://127.0.0.1:${groups.port}`)
  const stream = session.request({ ':path': '/see', ...TRACE })
  expect(await seenIn(stream)).toMatchObject({ name: NAMES.green, headers: TRACE })
  session.destroy()
})

async function seenIn(body: AsyncIterable<unknown>): Promise<unknown> {
  let text = ''
  for await (const part of body) text += String(part)
  return JSON.parse(text)
}
