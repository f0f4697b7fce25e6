import { expect } from 'vitest'

import { connect, type Client } from './client.ts'
import { expectCloseFrame, type Case } from './exchanges.ts'
import { Http2Client } from './http2-client.ts'
import { runCases } from './run-cases.ts'
import { sleep, until, type WorkerUnderTest } from './worker.ts'

interface Peer {
  readonly client: Client
  readonly http2: Http2Client
}

async function open(worker: WorkerUnderTest): Promise<Peer> {
  const client = await connect(worker, ['h2'])
  return { client, http2: new Http2Client(client) }
}

async function has(isSo: () => unknown, ms = 8000): Promise<void> {
  expect(await until(isSo, ms)).toBe(true)
}

/** A session that has had a response and is idle now. */
async function openIdle(worker: WorkerUnderTest): Promise<Peer> {
  const peer = await open(worker)
  peer.http2.get(1, '/')
  await has(() => peer.http2.done.has(1))
  return peer
}

const CASES: Readonly<Record<string, Case>> = {
  'D12 streams under way finish, idle sessions go, GOAWAY names the last stream': {
    async run(worker) {
      const busy = await open(worker)
      const idle = await openIdle(worker)
      busy.http2.get(1, '/?ms=600')
      await worker.ran(2)
      await worker.drain()
      await has(() => busy.http2.goaways.length > 0 && idle.http2.goaways.length > 0)
      await has(() => busy.http2.done.has(1))
      expect(busy.http2.goaways.at(-1)).toBe(1)
      await busy.client.finished()
      await idle.client.finished()
      await worker.ended()
    },
  },
  'D12 a stream that comes after GOAWAY is refused so that it can be sent again': {
    async run(worker) {
      const racing = await open(worker)
      racing.http2.get(1, '/?ms=500')
      await worker.ran(1)
      racing.http2.onGoaway = () => racing.http2.get(3, '/sync')
      await worker.drain()
      await has(() => racing.http2.done.has(1))
      expect(racing.http2.goaways.at(-1)).toBe(1)
      expect(racing.http2.done.has(3)).toBe(false)
      expect(worker.runs).toEqual(['/?ms=500'])
      await racing.client.finished()
    },
  },
  'D12 32 MB on eight streams to a client that pauses': {
    async run(worker) {
      const { client, http2 } = await open(worker)
      http2.widenWindows()
      for (let i = 0; i < 8; i++) http2.get(1 + 2 * i, `/stream?mb=4&ms=${i * 20}`)
      await worker.ran(8)
      client.socket.pause()
      await worker.drain()
      await worker.into(200)
      client.socket.resume()
      await has(() => http2.done.size === 8, 10_000)
      expect(http2.dataBytes).toBe(32 << 20)
      await client.finished()
      await worker.ended()
    },
  },
  'D18 streams over the deadline are cut and counted, event streams end': {
    plainOnly: true,
    drainOnly: true,
    async run(worker) {
      const { client, http2 } = await open(worker)
      http2.get(1, '/hang')
      http2.get(3, '/hang')
      http2.get(5, '/sse')
      http2.get(7, '/?ms=700')
      await has(() => http2.data.has(5))
      await worker.ran(4)
      await worker.drain({ deadlineMs: 1500 })
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 2, connectionsCut: 1, served: 1 })
      await client.finished()
      expect(http2.done).toEqual(new Set([5, 7]))
      expect(http2.reset.toSorted((a, b) => a - b)).toEqual([1, 3])
    },
  },
  'D11 a WebSocket over HTTP/2 gets its close frame at the deadline': {
    plainOnly: true,
    env: { UPGRADE: 'echo', CLOSE_BOUND: '600' },
    async run(worker) {
      const { client, http2 } = await open(worker)
      await sleep(30)
      http2.openWebSocket(1)
      await has(() => http2.data.get(1)?.includes('hello'))
      await worker.drain({ deadlineMs: 600 })
      await has(() => http2.done.has(1))
      expect(performance.now() - worker.orderedAt).toBeGreaterThan(500)
      expectCloseFrame(http2.data.get(1)?.subarray('hello'.length) ?? Buffer.alloc(0))
      http2.endStream(1)
      await client.finished()
      await worker.ended()
    },
  },
  'L3 a session is told to go after its number of requests': {
    env: { MAX_REQUESTS: '2' },
    plainOnly: true,
    drainOnly: true,
    async run(worker) {
      const { client, http2 } = await openIdle(worker)
      expect(http2.goaways).toHaveLength(0)
      http2.get(3, '/?ms=50')
      await has(() => http2.done.has(3) && http2.goaways.length > 0)
      await client.finished()
    },
  },
}

for (const mode of ['drain', 'close'] as const) runCases(mode, ['h2c', 'h2'], CASES)
