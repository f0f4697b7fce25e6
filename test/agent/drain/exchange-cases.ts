// What passes over a connection that leaves: slow bodies, streams, WebSockets, odd requests; the cases D8 to D18. They run
// like those of last-response-cases.ts.

import { expect } from 'vitest'

import { connect, connectIdle, get } from './client.ts'
import { expectCloseFrame, good, many, openWebSocket, type Case } from './exchanges.ts'
import { sleep, type WorkerUnderTest } from './worker.ts'

export const EXCHANGE_CASES: Readonly<Record<string, Case>> = {
  'D8 a slow reader gets all': {
    plainOnly: true,
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/stream?mb=8'))
      await worker.ran(1)
      await worker.drain()
      for (let i = 0; i < 16; i++) {
        client.socket.pause()
        // As slow as the case says.
        await sleep(100)
        client.socket.resume()
        await sleep(5)
      }
      expect((await good(client)).body.length).toBe(8 << 20)
      await client.finished()
    },
  },
  'D9 a slow upload is read to its end': {
    async run(worker) {
      const client = await connect(worker)
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n')
      await worker.ran(1)
      await worker.drain()
      for (let i = 0; i < 20; i++) {
        client.write('y'.repeat(100))
        // As slow as the case says.
        await sleep(100)
      }
      expect((await good(client, true)).body.toString()).toBe('len2000')
      await client.finished()
    },
  },
  'D10 an event stream gets a clean end at the deadline': {
    plainOnly: true,
    env: { CLOSE_BOUND: '700' },
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/sse'))
      await client.receive('data: hi')
      await worker.drain({ deadlineMs: 700 })
      expect((await good(client)).body.toString()).toBe('data: hi\n\n')
      expect((await client.finished()) - worker.orderedAt).toBeGreaterThan(600)
      if (worker.mode === 'drain') {
        expect(await worker.message('drained')).toMatchObject({ connectionsCut: 1, requestsCut: 0 })
        worker.signal('SIGTERM')
      }
      expect((await worker.exit()).code).toBe(0)
    },
  },
  'D10 an app that writes to an ended event stream is not hurt': {
    plainOnly: true,
    env: { CLOSE_BOUND: '500' },
    async run(worker) {
      const client = await connect(worker)
      client.write(get('/sse-ticking'))
      await client.receive('data: tick')
      await worker.drain({ deadlineMs: 500 })
      expect((await good(client)).body.toString()).toMatch(/data: tick\n\n$/)
      await client.finished()
      await worker.ended()
    },
  },
  'D11 a WebSocket is kept until the deadline, then closed with 1001 and a reason': {
    env: { UPGRADE: 'echo', CLOSE_BOUND: '2000' },
    async run(worker) {
      const client = await openWebSocket(worker)
      await worker.drain({ deadlineMs: 2000 })
      await worker.into(700)
      client.write('ping1')
      await client.receive('ping1', 1000)
      client.bytes = Buffer.alloc(0)
      expect((await client.finished()) - worker.orderedAt).toBeGreaterThan(1800)
      expectCloseFrame(client.bytes)
      await worker.ended()
    },
  },
  'D11 an app that writes to a closed WebSocket is not hurt': {
    plainOnly: true,
    env: { UPGRADE: 'ticking', CLOSE_BOUND: '500' },
    async run(worker) {
      const client = await openWebSocket(worker)
      await worker.drain({ deadlineMs: 500 })
      await client.finished()
      expectCloseFrame(client.bytes.subarray(client.bytes.indexOf(0x88)))
      await worker.ended()
    },
  },
  'D17 Expect: 100-continue': { run: expectContinue },
  'D17 Expect: 100-continue with a checkContinue listener': {
    plainOnly: true,
    env: { CHECK_CONTINUE: '1' },
    run: expectContinue,
  },
  'D18 requests over the deadline are cut and counted, no others': {
    plainOnly: true,
    drainOnly: true,
    async run(worker) {
      const hanging = await many(3, () => connect(worker))
      for (const client of hanging) client.write(get('/hang'))
      const client = await connect(worker)
      client.write(get('/?ms=700'))
      await worker.ran(4)
      await worker.drain({ deadlineMs: 1500 })
      await good(client, true)
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 3, connectionsCut: 0, served: 1 })
      worker.signal('SIGTERM')
      expect((await worker.exit()).code).toBe(0)
    },
  },
  'responses to HEAD and 304 have no body and say close': {
    plainOnly: true,
    async run(worker) {
      const head = await connectIdle(worker)
      const notModified = await connectIdle(worker)
      await worker.drain()
      await sleep(50)
      head.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
      notModified.write(get('/304'))
      expect(await head.response(true)).toMatchObject({ status: 200, isClose: true })
      expect(await notModified.response()).toMatchObject({ status: 304, isClose: true })
      await head.finished()
      await notModified.finished()
      expect(head.bytes.length + notModified.bytes.length).toBe(0)
    },
  },
  'an HTTP/1.0 client with keep-alive is served once more': {
    plainOnly: true,
    async run(worker) {
      const request = 'GET /stream?mb=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
      const client = await connect(worker)
      client.write(request)
      await good(client)
      await worker.drain()
      await worker.into(100)
      expect(client.isOver).toBe(false)
      client.write(request)
      await good(client, true)
      await client.finished()
    },
  },
  'an early reply to a long upload arrives without a reset': {
    async run(worker) {
      const client = await connectIdle(worker)
      await worker.drain()
      await sleep(50)
      client.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n')
      for (let i = 0; i < 40 && !client.isOver; i++) {
        client.write('y'.repeat(100_000))
        await sleep(2)
      }
      await good(client, true)
      // A reset would come after the answer.
      await sleep(100)
      expect(client.error).toBe(null)
    },
  },
  'an own `Connection: keep-alive` of the app gives way to close': {
    plainOnly: true,
    async run(worker) {
      const client = await connect(worker)
      const removing = await connect(worker)
      client.write(get('/keep?ms=700'))
      removing.write(get('/removed?ms=700'))
      await worker.ran(2)
      await worker.drain()
      const { headers } = await good(client, true)
      expect(headers['keep-alive']).toBe(undefined)
      await good(removing, true)
      await client.finished()
      await removing.finished()
    },
  },
  'keepAliveTimeout 0: idle connections are closed after the default grace': {
    plainOnly: true,
    env: { KEEP_ALIVE: '0' },
    async run(worker) {
      const client = await connectIdle(worker)
      const idle = await connectIdle(worker)
      await worker.drain({ deadlineMs: 12_000 })
      await worker.into(2000)
      client.write(get('/'))
      await good(client, true)
      await client.finished()
      const kept = (await idle.finished(9000)) - worker.orderedAt
      expect(kept).toBeGreaterThan(4500)
      expect(kept).toBeLessThan(8000)
      await worker.ended()
    },
  },
  'a client that aborts its request does not hold the drain': {
    plainOnly: true,
    async run(worker) {
      const aborting = await connect(worker)
      const late = await connectIdle(worker)
      aborting.write(get('/hang'))
      await worker.ran(2)
      await worker.drain()
      late.write(get('/hang'))
      await worker.ran(3)
      aborting.socket.resetAndDestroy()
      late.socket.destroy()
      if (worker.mode === 'drain') {
        expect(await worker.message('drained', 4000)).toMatchObject({ requestsCut: 0, served: 0 })
        worker.signal('SIGTERM')
      }
      expect((await worker.exit(4000)).code).toBe(0)
    },
  },
}

async function expectContinue(worker: WorkerUnderTest): Promise<void> {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n'
  const late = await connectIdle(worker)
  const early = await connect(worker)
  early.write(head)
  await early.receive(' 100 ')
  await worker.drain()
  await worker.into(100)
  late.write(head)
  await late.receive(' 100 ')
  early.write('y'.repeat(50))
  late.write('y'.repeat(50))
  for (const client of [early, late]) {
    // oxlint-disable-next-line no-await-in-loop -- both are sent already
    const { body } = await good(client, true)
    expect(body.toString()).toBe('len50')
    expect(client.informational).toBe(1)
  }
  await early.finished()
  await late.finished()
}
