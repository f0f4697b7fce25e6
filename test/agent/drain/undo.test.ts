import { describe, expect, it, vi } from 'vitest'

import { connect, connectIdle, get, type Client } from './client.ts'
import { good, openWebSocket } from './exchanges.ts'
import { withWorker } from './run-cases.ts'
import { sleep, until } from './worker.ts'

vi.setConfig({ maxConcurrency: 4, testTimeout: 45_000 })

describe.concurrent('undoDrain()', () => {
  it(
    'R11 requests, idle connections and WebSockets live on, and keep-alive is back',
    withWorker('http', { UPGRADE: 'echo', KEEP_ALIVE: '5000' }, async (worker) => {
      const busy = await connect(worker)
      busy.write(get('/?ms=1500'))
      const idle = await connectIdle(worker)
      const silent = await connect(worker)
      const webSocket = await openWebSocket(worker)
      await worker.drain({ deadlineMs: 2500 })
      await worker.into(200)
      worker.send({ sup: 'undrain' })
      await worker.message('undrained')
      await good(busy, false)
      for (const client of [busy, idle, silent]) await servesOn(client)
      // Past the deadline that was.
      await worker.into(2600)
      webSocket.write('still')
      await webSocket.receive('still')
      expect(worker.messages.filter((message) => message.sup === 'drained')).toHaveLength(0)

      await worker.drain({ deadlineMs: 1500 })
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 0, connectionsCut: 1 })
    }),
  )

  it(
    'R11 the idle time-out works again',
    withWorker('http', { KEEP_ALIVE: '900' }, async (worker) => {
      const client = await connectIdle(worker)
      const used = await connectIdle(worker)
      await worker.drain()
      await worker.into(300)
      worker.send({ sup: 'undrain' })
      await worker.message('undrained')
      await servesOn(used)
      // Node adds a second to what it tells the client.
      expect(await until(() => client.isOver && used.isOver, 6000)).toBe(true)
    }),
  )

  it(
    'R11 an idle time-out that fell into the drain is made up for',
    withWorker('http', { KEEP_ALIVE: '1500' }, async (worker) => {
      const client = await connectIdle(worker)
      // So long idle before the drain, of the 2.5 s that Node would allow it.
      await sleep(1800)
      await worker.drain()
      // Node's own would have come 2.5 s after the last response.
      await worker.into(1100)
      worker.send({ sup: 'undrain' })
      await worker.message('undrained')
      expect(client.isOver).toBe(false)
      expect(await until(() => client.isOver, 6000)).toBe(true)
    }),
  )

  it(
    'R11 what has announced its close still ends',
    withWorker('http', {}, async (worker) => {
      const client = await connectIdle(worker)
      const streaming = await connect(worker)
      streaming.write(get('/?ms=50'))
      await worker.drain()
      client.write(get('/chunked'))
      await client.receive('chunk0')
      worker.send({ sup: 'undrain' })
      await worker.message('undrained')
      await good(client, true)
      await client.finished()
    }),
  )
})

async function servesOn(client: Client): Promise<void> {
  for (let i = 0; i < 3; i++) {
    client.write(get('/sync'))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await good(client, false)
  }
}
