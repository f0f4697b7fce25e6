import { describe, expect, it, vi } from 'vitest'

import { Client, connect, connectIdle, get, post } from './client.ts'
import { good, many, openWebSocket } from './exchanges.ts'
import { withWorker } from './run-cases.ts'
import { sleep, type Message, type WorkerUnderTest } from './worker.ts'

vi.setConfig({ maxConcurrency: 4, testTimeout: 45_000 })

async function trafficOf(worker: WorkerUnderTest): Promise<Message> {
  worker.send({ sup: 'traffic' })
  return worker.message('traffic')
}

describe.concurrent('beginDrain()', () => {
  it(
    'reports at once when nothing is open',
    withWorker('http', {}, async (worker) => {
      await worker.drain()
      const report = await worker.message('drained')
      expect(report).toMatchObject({ requestsCut: 0, connectionsCut: 0, served: 0 })
      expect(report.tookMs).toBeLessThan(100)
    }),
  )

  it(
    'reports at once for an app that never listens',
    withWorker('none', {}, async (worker) => {
      await worker.drain()
      expect((await worker.message('drained')).tookMs).toBeLessThan(100)
    }),
  )

  it(
    'keeps a plain connection until the deadline, and ends it with a FIN',
    withWorker('net', {}, async (worker) => {
      const client = await connect(worker)
      client.write('a')
      await client.receive('a')
      await worker.drain({ deadlineMs: 1200 })
      await worker.into(600)
      client.write('b')
      await client.receive('b')
      expect((await client.finished()) - worker.orderedAt).toBeGreaterThan(1000)
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 0, connectionsCut: 1 })
    }),
  )

  it(
    'D7 a client that never begins its TLS handshake gets a clean end after the grace',
    withWorker('https', { KEEP_ALIVE: '600' }, async (worker) => {
      const silent = new Client(worker.port, false)
      await silent.ready
      // What has sent nothing is accepted without a word.
      await sleep(100)
      await worker.drain()
      expect((await silent.finished()) - worker.orderedAt).toBeGreaterThan(500)
      await worker.ended()
    }),
  )

  it(
    'D14 a loop that is blocked past the deadline loses what it had, no more, and says how much',
    withWorker('http', {}, async (worker) => {
      const idle = await connectIdle(worker)
      const hanging = await many(2, () => connect(worker))
      for (const client of hanging) client.write(get('/hang'))
      const blocking = await connect(worker)
      await worker.ran(3)
      await worker.drain({ deadlineMs: 1000 })
      blocking.write(get('/block?block=1600'))
      await worker.ran(4)
      // Comes while the loop is blocked, and is there when it runs again.
      idle.write(post('/sync', 1000))
      await good(blocking, true)
      await good(idle)
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 2, connectionsCut: 0, served: 2 })
    }),
  )

  it(
    'D11 closes 100 WebSockets spread over the time before the deadline',
    withWorker('http', { UPGRADE: 'echo' }, async (worker) => {
      const clients = await many(100, () => openWebSocket(worker))
      await worker.drain({ deadlineMs: 3500, spreadMs: 2500 })
      const ends = await Promise.all(clients.map((client) => client.finished()))
      expect(Math.min(...ends) - worker.orderedAt).toBeGreaterThan(900)
      // What the worker says, since this process may be kept from looking for a second.
      const open = worker.messages.filter(({ sup }) => sup === 'progress').map(({ upgraded }) => Number(upgraded))
      expect(open.length).toBeGreaterThan(5)
      for (const [i, count] of open.entries()) if (i > 0) expect(Number(open[i - 1]) - count).toBeLessThan(50)
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 0, connectionsCut: 100 })
    }),
  )

  it(
    'D11 a real WebSocket client and server both see a clean close with 1001',
    withWorker('ws', {}, async (worker) => {
      const client = new WebSocket(`ws://127.0.0.1:${worker.port}`)
      const closed = new Promise<CloseEvent>((resolve) => client.addEventListener('close', resolve))
      await new Promise((resolve) => client.addEventListener('message', resolve, { once: true }))
      await worker.drain({ deadlineMs: 500 })
      const { code, reason, wasClean } = await closed
      expect({ code, reason, wasClean }).toEqual({ code: 1001, reason: 'the server is going away', wasClean: true })
      expect(await worker.message('webSocketClosed')).toMatchObject({ code: 1001 })
      await worker.ended()
    }),
  )

  it(
    'loses nothing of 48 connections under full load',
    withWorker('http', {}, async (worker) => {
      // With a response each, so that none is in the accept queue, which nobody else serves here.
      const clients = await many(48, () => connectIdle(worker))
      const loads = clients.map((client, i) => loadUntilClose(client, i))
      await worker.ran(500)
      await worker.drain()
      const counts = await Promise.all(loads)
      const { served, requestsCut } = await worker.message('drained')
      expect(requestsCut).toBe(0)
      expect(served).toBeGreaterThanOrEqual(48)
      // As many handlers have run as responses were seen.
      expect(worker.runs).toHaveLength(counts.reduce((sum, count) => sum + count, 48))
      worker.signal('SIGTERM')
      expect((await worker.exit()).code).toBe(0)
    }),
  )

  it(
    'tells its progress, at most four times a second and only when figures change',
    withWorker('http', { UPGRADE: 'echo', KEEP_ALIVE: '600' }, async (worker) => {
      const webSocket = await openWebSocket(worker)
      const busy = await connect(worker)
      busy.write(get('/?ms=700'))
      await connectIdle(worker)
      await worker.drain({ deadlineMs: 2000 })
      await worker.message('drained')
      const told = worker.messages.filter((message) => message.sup === 'progress')
      expect(told[0]).toMatchObject({ busy: 1, idle: 1, upgraded: 1 })
      expect(told).toContainEqual(expect.objectContaining({ busy: 0, idle: 0, upgraded: 1 }))
      expect(told.length).toBeLessThan(7)
      for (const [i, { at }] of told.entries()) {
        if (i > 0) expect(Number(at) - Number(told[i - 1]?.at)).toBeGreaterThan(245)
      }
      expect(webSocket.isOver).toBe(true)
    }),
  )

  it(
    'counts what it has served, and what goes on',
    withWorker('http', {}, async (worker) => {
      const clients = await many(3, () => connectIdle(worker))
      clients[0]?.write(get('/?ms=1000'))
      await worker.ran(4)
      expect(await trafficOf(worker)).toMatchObject({ connections: 3, requests: 4, inFlight: 1, missing: [] })
      await worker.drain()
      for (const client of clients.slice(1)) client.write(get('/'))
      await Promise.all(clients.map((client) => good(client, true)))
      expect(await worker.message('drained')).toMatchObject({ served: 3, requestsCut: 0 })
      expect(await trafficOf(worker)).toMatchObject({ connections: 0, requests: 6, inFlight: 0 })
    }),
  )

  it(
    'does not make 2,000 idle connections cost the loop more than a few per cent',
    withWorker('http', {}, async (worker) => {
      const clients = await many(2000, () => connect(worker))
      for (const client of clients) client.write(get('/'))
      await Promise.all(clients.map((client) => good(client)))
      await worker.drain({ deadlineMs: 8000 })
      const begin = await cpuOf(worker)
      // What the second costs is what is measured.
      await sleep(1000)
      const end = await cpuOf(worker)
      expect((end - begin) / 1000).toBeLessThan(100)
      await Promise.all(clients.map((client) => client.finished()))
      expect(await worker.message('drained')).toMatchObject({ requestsCut: 0, connectionsCut: 0 })
    }),
  )
})

/** Requests without a pause, singly or three at a time, with bodies or without; the number of good answers. */
async function loadUntilClose(client: Client, i: number): Promise<number> {
  const burst = i % 3 === 0 ? 3 : 1
  const request = i % 2 === 0 ? get('/sync') : post('/', 16_384)
  for (let answers = 0; ;) {
    client.write(request.repeat(burst))
    for (let left = burst; left > 0; left--) {
      const { isClose } = await good(client)
      answers++
      // A close before the last of a burst would mean that the rest was lost.
      if (isClose) expect(left).toBe(1)
      if (!isClose) continue
      await client.finished()
      return answers
    }
  }
}

/** Microseconds. */
async function cpuOf(worker: WorkerUnderTest): Promise<number> {
  worker.send({ sup: 'sweepCost' })
  const { user, system } = await worker.message('sweepCost')
  return Number(user) + Number(system)
}
