import { describe, expect, it } from 'vitest'

import { connect, connectIdle, get, post } from './client.ts'
import { good, many, openWebSocket } from './exchanges.ts'
import { withWorker } from './run-cases.ts'

describe.concurrent("the app's own server.close()", () => {
  it(
    'D16 closeIdleConnections() before it, as Fastify does, cuts nobody',
    withWorker(
      'http',
      { ON_SIGTERM: 'closeIdle' },
      async (worker) => {
        const clients = await many(8, () => connectIdle(worker))
        await worker.drain()
        await worker.into(300)
        for (const client of clients) client.write(post('/', 16_384))
        await Promise.all(clients.map((client) => good(client, true)))
        await worker.ended()
      },
      'close',
    ),
  )

  it(
    'D16 a signal in the middle of an ordered drain changes nothing',
    withWorker('http', { UPGRADE: 'echo' }, async (worker) => {
      const webSocket = await openWebSocket(worker)
      const busy = await connect(worker)
      busy.write(get('/?ms=800'))
      await worker.ran(2)
      await worker.drain({ deadlineMs: 1500 })
      worker.signal('SIGTERM')
      await good(busy, true)
      expect((await webSocket.finished()) - worker.orderedAt).toBeGreaterThan(1000)
      expect((await worker.exit()).code).toBe(0)
    }),
  )

  it(
    'D16 requests take the time that they take, whatever the bound of long-lived connections',
    withWorker(
      'http',
      { CLOSE_BOUND: '300' },
      async (worker) => {
        const client = await connect(worker)
        client.write(get('/?ms=1500'))
        await worker.ran(1)
        await worker.drain()
        await good(client, true)
        await worker.ended()
      },
      'close',
    ),
  )

  it(
    'D16 plain connections end when the bound is over',
    withWorker(
      'net',
      { CLOSE_BOUND: '800' },
      async (worker) => {
        const client = await connect(worker)
        client.write('a')
        await client.receive('a')
        await worker.drain()
        expect((await client.finished()) - worker.orderedAt).toBeGreaterThan(700)
        await worker.ended()
      },
      'close',
    ),
  )
})
