// Workers whose supervisor died: they serve on, wait for the next one, and give it what they keep.

import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { get } from './support/clients.ts'
import { Bench, isAlive, type TestSupervisor } from './support/test-supervisor.ts'

let bench: Bench
let supervisor: TestSupervisor

const KEY = 'tcp:127.0.0.1:0#0'
const HTTP = `
  const server = require('node:http').createServer((request, response) => {
    console.log('request')
    console.error('request')
    response.end('pid ' + process.pid)
  })
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
`

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

/** Keep-alive clients that never stop asking; what fails is counted. */
function load(port: number, clients: number) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients })
  const result = { answered: 0, failed: [] as string[] }
  const clientsStop = new AbortController()
  const ask = () =>
    new Promise<void>((resolve) => {
      const fail = (error: Error) => {
        result.failed.push(error.message)
        resolve()
      }
      const request = http.get({ port, host: '127.0.0.1', agent }, (response) => {
        let body = ''
        response.on('data', (data) => (body += String(data)))
        response.on('error', fail)
        response.on('end', () => {
          if (/^pid \d+$/.test(body)) result.answered++
          else result.failed.push(body)
          resolve()
        })
      })
      request.on('error', fail)
    })
  const client = async () => {
    // One after the other is what keep-alive clients do.
    // oxlint-disable-next-line no-await-in-loop
    while (!clientsStop.signal.aborted) await ask()
  }
  const all = Promise.all(Array.from({ length: clients }, client))
  return {
    result,
    async stop() {
      clientsStop.abort()
      await all
      agent.destroy()
      return result
    },
  }
}

describe('a worker whose supervisor is killed', () => {
  it('fails no request of keep-alive clients, and lives on though it writes to stdout (S1)', async () => {
    const { pid, port } = await supervisor.serve(bench.app(HTTP))
    const traffic = load(port, 16)
    await expect.poll(() => traffic.result.answered).toBeGreaterThan(100)
    await supervisor.kill()
    const soFar = traffic.result.answered
    await bench.longAlone()
    await expect.poll(() => traffic.result.answered).toBeGreaterThan(soFar + 100)
    const next = await bench.supervisor()
    await next.said(pid, 'slot', (message) => message.slot === 1)
    next.do({ do: 'lend', pid })
    await next.said(pid, 'attached')
    const { answered, failed } = await traffic.stop()
    expect(failed).toEqual([])
    expect(answered).toBeGreaterThan(200)
    expect(isAlive(pid)).toBe(true)
    expect((await get({ port })).body).toBe(`pid ${pid}`)
  })

  it('takes nothing new while it drains: the next supervisor would end it with that under way (S3)', async () => {
    const { pid } = await supervisor.serve(bench.app(HTTP))
    await supervisor.said(pid, 'attached', (message) => message.slot === 1)
    supervisor.say(pid, { type: 'drain', deadlineMs: 5_000, spreadMs: 0 })
    await supervisor.said(pid, 'drained')
    await supervisor.kill()
    // Longer than it takes to be sure that there is no supervisor.
    await bench.longAlone()
    const next = await bench.supervisor({ lend: false })
    const { draining, listeners } = await next.said(pid, 'hello')
    expect(draining).toBe(true)
    expect(listeners.map(({ attached }) => attached)).toEqual([[]])
  })

  it('tells the next supervisor what it has, and gives its sockets back (S2)', async () => {
    const { pid, port } = await supervisor.serve(bench.app(`${HTTP}; process.send('ready')`))
    await supervisor.said(pid, 'attached', (message) => message.slot === 1)
    supervisor.say(pid, { type: 'detach', key: KEY, slot: 0 })
    await supervisor.said(pid, 'detached')
    await supervisor.kill()
    const next = await bench.supervisor({ lend: false })
    const hello = await next.said(pid, 'hello')
    expect(hello).toMatchObject({ again: true, draining: false, saidReady: true, pid })
    const [listener] = hello.listeners
    expect(listener).toMatchObject({ key: KEY, listening: true, name: { address: '127.0.0.1', port } })
    // Whether the hundred milliseconds without a supervisor were over by then is chance, that it is told is not.
    expect(new Set([...(listener?.attached ?? []), ...(listener?.held ?? [])])).toEqual(new Set([0, 1]))
    await next.said(pid, 'slot', (message) => message.slot === 0)
    await next.said(pid, 'slot', (message) => message.slot === 1)
    await next.said(pid, 'allListening')
    next.do({ do: 'count' })
    expect((await next.event('counted')).listeners).toEqual({ [KEY]: 2 })
    // The sockets came back: they serve without the worker that brought them.
    const heir = await next.fork(bench.app(HTTP))
    await next.said(heir, 'listening')
    next.say(heir, { type: 'attach', key: KEY, slot: 0, backlog: 511 }, KEY, 0)
    next.say(heir, { type: 'attach', key: KEY, slot: 1, backlog: 511 }, KEY, 1)
    await next.said(heir, 'attached', (message) => message.slot === 1)
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => isAlive(pid)).toBe(false)
    expect((await get({ port })).body).toBe(`pid ${heir}`)
  })

  it('accepts on the slots that it merely held, so that a dead sibling keeps no queue (A2)', async () => {
    const { pid, port } = await supervisor.serve(bench.app(HTTP))
    await supervisor.said(pid, 'attached', (message) => message.slot === 1)
    for (const slot of [0, 1]) supervisor.say(pid, { type: 'detach', key: KEY, slot })
    await supervisor.said(pid, 'detached', (message) => message.slot === 1)
    const waiting = Promise.all(Array.from({ length: 20 }, () => get({ port })))
    await sleep(50)
    await supervisor.kill()
    expect((await waiting).map((answer) => answer.body)).toEqual(Array.from({ length: 20 }, () => `pid ${pid}`))
  })

  it('is not ended by its own disconnect listener, and emits none while a supervisor may still come', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(
        `${HTTP}; process.on('disconnect', () => { require('node:fs').writeFileSync(__dirname + '/seen', ''); process.exit(1) })`,
      ),
    )
    await supervisor.kill()
    await bench.longAlone()
    expect(isAlive(pid)).toBe(true)
    expect((await get({ port })).status).toBe(200)
  })

  it('survives process.send() and process.disconnect(), and what it sent reaches the next supervisor', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const answers = []
        const server = require('node:http').createServer((request, response) => {
          if (request.url === '/send') {
            process.send({ hello: 'world' })
            process.send({ with: 'callback' }, (error) => response.end('sent ' + error))
          } else if (request.url === '/disconnect') {
            process.disconnect()
            response.end('disconnected')
          } else response.end('pid')
        })
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
        process.on('message', (body) => process.send({ echo: body }))
      `),
    )
    await supervisor.kill()
    await sleep(50)
    expect((await get({ port, path: '/send' })).body).toBe('sent null')
    expect((await get({ port, path: '/disconnect' })).body).toBe('disconnected')
    const next = await bench.supervisor()
    expect((await next.said(pid, 'message')).body).toEqual({ hello: 'world' })
    expect(
      (await next.said(pid, 'message', (message) => JSON.stringify(message.body).includes('callback'))).body,
    ).toEqual({
      with: 'callback',
    })
    next.say(pid, { type: 'message', body: { from: 'supervisor' } })
    await next.said(pid, 'message', (message) => JSON.stringify(message.body) === '{"echo":{"from":"supervisor"}}')
    expect((await get({ port })).status).toBe(200)
  })

  it('fails process.send() of what is no JSON in the call of the app, and in no later event', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const outcome = (body) => {
          try {
            return String(process.send(body, () => {}))
          } catch (error) {
            return error.name
          }
        }
        const server = require('node:http').createServer((request, response) => {
          const circular = {}
          circular.self = circular
          const later = { said: 'before' }
          const outcomes = [{ count: 1n }, circular, () => {}, undefined, later].map(outcome)
          Object.defineProperty(later, 'said', { enumerable: true, get() { throw new Error('changed') } })
          response.end(outcomes.join())
        })
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    expect((await get({ port })).body).toBe('TypeError,TypeError,TypeError,TypeError,true')
    await supervisor.kill()
    await bench.longAlone()
    expect((await get({ port })).body).toBe('TypeError,TypeError,TypeError,TypeError,true')
    const next = await bench.supervisor()
    expect((await next.said(pid, 'message')).body).toEqual({ said: 'before' })
    expect((await get({ port })).status).toBe(200)
  })

  it('ends when its app ends it', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:http').createServer((request, response) => response.end('x', () => server.close()))
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    await supervisor.kill()
    await bench.longAlone()
    await get({ port })
    await expect.poll(() => isAlive(pid), { timeout: 8_000 }).toBe(false)
  })
})

describe('a worker that boots while its supervisor dies', () => {
  it('stays, and asks the next supervisor for its sockets again', async () => {
    await supervisor.kill()
    supervisor = await bench.supervisor({ deaf: true })
    const pid = await supervisor.fork(bench.app(HTTP))
    await supervisor.said(pid, 'listen')
    await supervisor.kill()
    await bench.longAlone()
    expect(isAlive(pid)).toBe(true)
    const next = await bench.supervisor()
    await next.said(pid, 'listen')
    const { request } = await next.said(pid, 'listen')
    expect(request.address).toBe('127.0.0.1')
    await next.said(pid, 'attached')
    const hello = await next.said(pid, 'hello')
    expect(hello.listeners).toEqual([])
  })

  it('stays when it was not even connected', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const end = Date.now() + 400
        while (Date.now() < end);
        ${HTTP}
      `),
    )
    await supervisor.kill()
    const next = await bench.supervisor()
    const hello = await next.said(pid, 'hello')
    expect(hello).toMatchObject({ again: false })
    await next.said(pid, 'attached')
  })
})

describe('a link that the supervisor ends', () => {
  it('is dialled again', async () => {
    const { pid } = await supervisor.serve(bench.app(HTTP))
    const from = supervisor.events.length
    supervisor.do({ do: 'hangUp', pid })
    expect((await supervisor.said(pid, 'hello', () => true, from)).again).toBe(true)
  })
})
