// Which response says close, and when an idle connection ends: the cases D1 to D7. They run over http, https and HTTP/2's
// fallback, ordered by the supervisor and begun by the app.

import { expect } from 'vitest'

import { connect, connectIdle, get, post } from './client.ts'
import { BODY_LENGTH, good, goodInOrder, lengthEchoed, many, type Case } from './exchanges.ts'
import { sleep, until } from './worker.ts'

export const LAST_RESPONSE_CASES: Readonly<Record<string, Case>> = {
  'D1 a streamed response under way arrives whole, with close': {
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/stream?ms=700&mb=4'))
      await worker.ran(1)
      await worker.drain()
      const { body } = await good(client, true)
      expect(body.length).toBe(4 << 20)
      expect(body.every((byte) => byte === 120)).toBe(true)
      await client.finished()
      await worker.ended()
    },
  },
  'D1 a response whose head was sent before goes on, and the next one says close': {
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/chunked'))
      await client.receive('chunk0')
      await worker.drain()
      const response = await good(client)
      expect(response.body.toString()).toMatch(/chunk5;done$/)
      // A close would come after the answer.
      await sleep(200)
      expect(response.isClose).toBe(false)
      client.write(post('/', 100))
      await good(client, true)
      await client.finished()
    },
  },
  'D2 requests in the kernel of idle connections are answered': {
    async run(worker) {
      const clients = await many(8, () => connectIdle(worker))
      worker.signal('SIGSTOP')
      await sleep(60)
      for (const client of clients) client.write(post('/', BODY_LENGTH))
      await sleep(40)
      await worker.drain({ isStopped: true })
      await sleep(60)
      worker.signal('SIGCONT')
      // What the worker happens to read before the order says keep-alive.
      await Promise.all(clients.map((client) => lengthEchoed(client)))
    },
  },
  'D2 requests that come while the loop is blocked are answered': {
    env: { BLOCK: '300' },
    async run(worker) {
      const clients = await many(8, () => connectIdle(worker))
      clients.push(await connect(worker))
      await sleep(40)
      await worker.drain({ isStopped: true })
      await worker.into(100)
      for (const client of clients) client.write(post('/', BODY_LENGTH))
      await Promise.all(clients.map((client) => lengthEchoed(client, true)))
    },
  },
  'D3 an idle connection is served once more, and closed only after the grace': {
    async run(worker) {
      const client = await connectIdle(worker)
      const idle = await connectIdle(worker)
      await worker.drain()
      await worker.into(500)
      expect(client.isOver).toBe(false)
      client.write(get('/?n=2'))
      await good(client, true)
      await client.finished()
      expect((await idle.finished()) - worker.orderedAt).toBeGreaterThan(2200)
      await worker.ended()
    },
  },
  'D3 a request that comes while the loop is blocked at the end of the grace is answered': {
    env: { KEEP_ALIVE: '1500' },
    async run(worker) {
      const client = await connectIdle(worker)
      const blocking = await connectIdle(worker)
      await worker.drain()
      await worker.into(300)
      blocking.write(get('/block?block=1800'))
      await worker.ran(3)
      // The loop is blocked, and can tell nothing; this comes in the midst of it.
      await sleep(200)
      client.write(post('/', BODY_LENGTH))
      await good(blocking, true)
      await lengthEchoed(client, true)
    },
  },
  'D4 a client that never stops moves within one response': {
    plainOnly: true,
    async run(worker) {
      const client = await connectIdle(worker)
      let isDraining = false
      let after = 0
      const traffic = (async () => {
        for (;;) {
          client.write(get('/?ms=5'))
          // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
          const { isClose } = await good(client)
          if (isDraining) after++
          if (isClose || after > 40) return
        }
      })()
      await worker.ran(6)
      await worker.drain()
      isDraining = true
      await traffic
      expect(after).toBeLessThanOrEqual(2)
      await client.finished()
    },
  },
  'D5 pipelined requests: the last response says close, all are run once': {
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/?ms=900&a=1') + get('/?ms=850&a=2') + get('/?ms=880&a=3'))
      await worker.ran(3)
      await worker.drain()
      await goodInOrder(client, 3)
      await client.finished()
      expect(worker.runs).toHaveLength(3)
    },
  },
  'D5 pipelined responses that are ready behind a slow one arrive': {
    plainOnly: true,
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/?ms=600&a=1') + get('/sync?a=2') + get('/sync?a=3'))
      await worker.ran(3)
      await worker.drain()
      for (let i = 0; i < 3; i++) await good(client)
      await client.finished()
      expect(worker.runs).toHaveLength(3)
    },
  },
  'D5 pipelined requests during the drain: close on the last': {
    async run(worker) {
      const client = await connectIdle(worker)
      await worker.drain()
      await worker.into(100)
      client.write(get('/sync?n=1') + get('/sync?n=2') + get('/sync?n=3'))
      const last = await goodInOrder(client, 3)
      expect(last.headers['x-runs']).toBe('4')
      await client.finished()
    },
  },
  'D5 more pipelined requests than one read: all are answered': {
    async run(worker) {
      const client = await connectIdle(worker)
      worker.signal('SIGSTOP')
      await sleep(60)
      client.write(Array.from({ length: 12 }, () => post('/sync', BODY_LENGTH)).join(''))
      await sleep(50)
      await worker.drain({ isStopped: true })
      await sleep(60)
      worker.signal('SIGCONT')
      // The worker may read all of them before the order; then the connection goes the idle way.
      // oxlint-disable-next-line no-await-in-loop -- in their order
      for (let i = 1; i < 12; i++) await good(client, false)
      expect((await good(client)).headers['x-runs']).toBe('13')
      await client.finished()
    },
  },
  'D5 a request that comes before the head of the one ahead moves the close to itself': {
    plainOnly: true,
    async run(worker) {
      const client = await connect(worker)
      await sleep(80)
      await worker.drain()
      client.write(get('/?ms=600&a=1'))
      await sleep(60)
      client.write(get('/?ms=600&a=2'))
      await goodInOrder(client, 2)
      await client.finished()
    },
  },
  'D5 a request that comes after the close was announced is not run': {
    plainOnly: true,
    async run(worker) {
      const client = await connectIdle(worker)
      await worker.drain()
      client.write(get('/chunked'))
      await client.receive('chunk0')
      client.write(get('/sync?late'))
      expect((await good(client, true)).body.toString()).toMatch(/chunk5;done$/)
      await client.finished()
      expect(worker.runs).toEqual(['/', '/chunked'])
    },
  },
  'D5 the beginning of a further pipelined head moves the close to it': {
    plainOnly: true,
    async run(worker) {
      const client = await connectIdle(worker)
      await worker.drain()
      client.write(`${get('/?ms=50')}${get('/?ms=50')}GET /sync HTTP/1.1\r\nHos`)
      await good(client, false)
      await good(client, false)
      client.write('t: a\r\n\r\n')
      await good(client, true)
      await client.finished()
    },
  },
  'D6 half a head, then silence: closed at headersTimeout': {
    env: { HEADERS_TIMEOUT: '800' },
    async run(worker) {
      const fresh = await connect(worker)
      const used = await connectIdle(worker)
      fresh.write('GET / HTTP/1.1\r\nHos')
      used.write('GET / HTTP/1.1\r\nHos')
      await sleep(50)
      await worker.drain()
      const begin = performance.now()
      expect(await until(() => fresh.isOver && used.isOver, 5000)).toBe(true)
      expect((fresh.endedAt ?? fresh.closedAt ?? 0) - begin).toBeGreaterThan(400)
    },
  },
  'D6 a slow head is waited for, past the idle time-out': {
    plainOnly: true,
    env: { KEEP_ALIVE: '1500' },
    async run(worker) {
      const client = await connectIdle(worker)
      client.write('GET / HTTP/1.1\r\nHos')
      await sleep(50)
      await worker.drain()
      await worker.into(2700)
      client.write('t: a\r\n\r\n')
      await good(client, true)
      await client.finished()
    },
  },
  'D7 a silent client gets its first request served, or a clean end': {
    async run(worker) {
      const client = await connect(worker)
      const silent = await connect(worker)
      await sleep(60)
      await worker.drain()
      await worker.into(400)
      client.write(get('/'))
      await good(client, true)
      await client.finished()
      await silent.finished()
    },
  },
}
