import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { connections } from '../../src/agent/connections.ts'
import { watchServer } from '../../src/agent/drain.ts'
import { lastWords } from '../../src/agent/last-words.ts'
import { until } from '../support/until.ts'

/** Listens as an app's server in a worker does. */
async function listen(server: Server): Promise<number> {
  watchServer(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

it('lastWords() names the requests under way, of HTTP/1 and HTTP/2, without their queries', async () => {
  let asked = 0
  const hold: http.RequestListener &
    ((request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void) = (
    request: { url?: string | undefined },
    response: { end(): unknown },
  ) => {
    if (request.url === '/done') response.end()
    else asked += 1
  }
  const older = await listen(http.createServer(hold))
  const newer = await listen(http2.createServer(hold))
  const slow = http.get(`http://127.0.0.1:${older}/slow?token=1`).on('error', () => {})
  const session = http2.connect(`http://127.0.0.1:${newer}`)
  onTestFinished(() => {
    slow.destroy()
    session.destroy()
  })
  const done = session.request({ ':path': '/done' }).resume()
  await once(done, 'close')
  for (const path of ['/orders/7?token=2', '/carts#x'])
    session.request({ ':path': path, ':method': 'POST' }).on('error', () => {})
  await until(() => asked === 3, 10_000, 'three requests are under way')

  const { requests = [] } = lastWords('Error: x', 'uncaughtException')
  expect(requests.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual([
    { method: 'POST', path: '/carts' },
    { method: 'POST', path: '/orders/7' },
    { method: 'GET', path: '/slow' },
  ])
})

it('lastWords() names twenty at most, of one session too', async () => {
  await until(() => connections.size === 0, 10_000, 'the connections of the other test are gone')
  let asked = 0
  const port = await listen(http2.createServer(() => (asked += 1)))
  const session = http2.connect(`http://127.0.0.1:${port}`)
  onTestFinished(() => session.destroy())
  for (let request = 0; request < 30; request += 1)
    session.request({ ':path': `/${'long'.repeat(100)}` }).on('error', () => {})
  await until(() => asked === 30, 10_000, 'thirty requests are under way')
  const requests = lastWords('Error: x', 'uncaughtException').requests ?? []
  expect(requests.length).toBe(20)
  expect(requests.every(({ path }) => path.length === 200)).toBe(true)
})
