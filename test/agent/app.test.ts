// What an app notices of the agent: as little as possible.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { PROBE_HEADER } from '../../src/protocol/probe-header.ts'
import { get } from './support/clients.ts'
import { Bench, isAlive, type TestSupervisor } from './support/test-supervisor.ts'

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

const LISTEN = `server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))`
const NET = `const server = require('node:net').createServer((socket) => socket.end('x')); ${LISTEN}`

/** What an app does of its own accord it does when it has begun. */
const LATER_MS = 100

describe('an app', () => {
  it('may be a CommonJS, ESM or TypeScript main module', async () => {
    const mains: [string, string][] = [
      ['cjs', `if (require.main !== module) throw new Error('not main'); ${NET}`],
      [
        'mjs',
        `import net from 'node:net'; if (!import.meta.main && import.meta.main !== undefined) throw 1; const server = net.createServer((socket) => socket.end('x')); ${LISTEN}`,
      ],
      [
        'mts',
        `import net from 'node:net'; const server: net.Server = net.createServer((socket: net.Socket) => socket.end('x')); ${LISTEN}`,
      ],
    ]
    for (const [extension, source] of mains) {
      const { pid } = await supervisor.serve(bench.app(source, extension))
      expect(isAlive(pid), extension).toBe(true)
    }
  })

  it('sees neither our variables nor our --require', async () => {
    const pid = await supervisor.fork(
      bench.app(
        `console.log('seen', JSON.stringify(Object.keys(process.env).filter((name) => name.startsWith('SUPERVISE_AGENT'))), process.execArgv.join(' '))`,
      ),
      { execArgv: ['--stack-trace-limit=7'] },
    )
    expect((await supervisor.output(pid, /seen (.*)/))[1]).toBe('[] --stack-trace-limit=7')
  })

  it('runs no agent in its threads and children', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const { Worker, isMainThread } = require('node:worker_threads')
        const said = (where) => console.log(where, globalThis[Symbol.for('supervise.agent')] === undefined)
        if (!isMainThread) said('thread')
        else if (process.argv[2] === 'child') said('child')
        else {
          said('main')
          new Worker(__filename)
          require('node:child_process').fork(__filename, ['child'])
        }
      `),
    )
    await supervisor.output(pid, /main false/)
    await supervisor.output(pid, /thread true/)
    await supervisor.output(pid, /child true/)
    expect(supervisor.events.filter((event) => event.event === 'said' && event.message.type === 'hello')).toHaveLength(
      1,
    )
  })

  it.each([
    ['has nothing to do', ''],
    ['closes its server', `${NET}; server.on('listening', () => server.close())`],
    ['closes its server before it has got its socket', `${NET}; server.close()`],
    ['unrefs its server', `${NET}; server.unref()`],
    ['takes its message listener back', `const f = () => {}; process.on('message', f); process.off('message', f)`],
    ['disconnects its worker', `${NET}; server.on('listening', () => require('node:cluster').worker.disconnect())`],
  ])('may end by itself when it %s (rule 4)', async (_, source) => {
    const pid = await supervisor.fork(bench.app(source))
    expect(await supervisor.exit(pid)).toMatchObject({ code: 0, signal: null })
  })

  it.each([
    ['listens, though nothing is lent to it', NET, 'port'],
    ['has a message listener', `process.on('message', () => {}); console.log('ready')`, 'ready'],
    ['refs its server again', `${NET}; server.unref(); server.on('listening', () => server.ref())`, 'port'],
  ])('lives on when it %s', async (_, source, sign) => {
    await supervisor.kill()
    supervisor = await bench.supervisor({ lend: false })
    const pid = await supervisor.fork(bench.app(source))
    await supervisor.output(pid, new RegExp(sign))
    const { said } = { said: supervisor.said(pid, 'vitals') }
    // An app that ends by itself does so at once.
    await Promise.race([said, new Promise((resolve) => setTimeout(resolve, 300))])
    void said.catch(() => {})
    expect(isAlive(pid)).toBe(true)
  })

  it('has process.send and process.on(message) as ever while the supervisor lives', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        process.send('ready', (error) => console.log('callback', error))
        process.on('message', (body) => process.send({ echo: body }))
      `),
    )
    await supervisor.event('ipc', (event) => event.body === 'ready')
    await supervisor.output(pid, /callback null/)
    supervisor.do({ do: 'ipc', pid, body: 'x' })
    await supervisor.event('ipc', (event) => JSON.stringify(event.body) === '{"echo":"x"}')
  })

  it('sees disconnect when it disconnects by its own will, and serves on over the link', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:http').createServer((request, response) => response.end('x'))
        ${LISTEN}
        process.on('disconnect', () => console.log('disconnected', require('node:cluster').worker.exitedAfterDisconnect))
        process.on('message', () => process.disconnect())
      `),
    )
    supervisor.do({ do: 'ipc', pid, body: 'x' })
    await supervisor.output(pid, /disconnected true/)
    expect((await get({ port })).status).toBe(200)
    const from = supervisor.events.length
    supervisor.say(pid, { type: 'detach', key: 'tcp:127.0.0.1:0#0', slot: 0 })
    await supervisor.said(pid, 'detached', () => true, from)
  })
})

describe('the end of a worker', () => {
  it.each([
    ['process.exit(7)', 7],
    ['process.exitCode = 3', 3],
  ])('is told with its exit code: %s', async (source, code) => {
    const pid = await supervisor.fork(bench.app(`setTimeout(() => { ${source} }, ${LATER_MS})`))
    expect((await supervisor.said(pid, 'exiting')).code).toBe(code)
    expect((await supervisor.exit(pid)).code).toBe(code)
  })

  it('is told with the exception that nobody caught, bounded', async () => {
    const pid = await supervisor.fork(
      bench.app(`setTimeout(() => { throw new Error('deliberate ' + 'x'.repeat(100_000)) }, ${LATER_MS})`),
    )
    const uncaught = await supervisor.said(pid, 'uncaught')
    expect(uncaught).toMatchObject({ origin: 'uncaughtException' })
    expect(uncaught.stack).toMatch(/^Error: deliberate x+$/)
    expect(uncaught.stack).toHaveLength(16_000)
    expect((await supervisor.said(pid, 'exiting')).code).toBe(1)
  })

  it('is told with the requests that it cuts, which are counted, but for probes', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:http').createServer((request) => {
          console.log('asked', request.url)
          if (request.url === '/crash') throw new Error('deliberate')
        }); ${LISTEN}`),
    )
    supervisor.say(pid, { type: 'expectProbes', secret: 'ours' })
    supervisor.say(pid, { type: 'ask' })
    await supervisor.said(pid, 'answered')
    const lost = [get({ port, path: '/1' }), get({ port, path: '/2', method: 'POST' })]
    lost.push(get({ port, path: '/3', headers: { [PROBE_HEADER]: 'ours' } }))
    await Promise.all([1, 2, 3].map((n) => supervisor.output(pid, new RegExp(`asked /${n}`))))
    lost.push(get({ port, path: '/crash' }))
    expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(lost.map(() => 'rejected'))
    expect(await supervisor.said(pid, 'exiting')).toMatchObject({ code: 1, cut: 3 })
    const { series, good, bad } = await supervisor.said(pid, 'answers', (told) => told.series.length > 0)
    expect(series.map(({ method, status, count }) => [method, status, count])).toEqual([
      ['GET', 0, 2],
      ['POST', 0, 1],
    ])
    expect([good, bad]).toEqual([[], []])
  })

  it('is told with a rejection that nobody handled', async () => {
    const pid = await supervisor.fork(bench.app(`setTimeout(() => Promise.reject(new Error('refused')), ${LATER_MS})`))
    expect(await supervisor.said(pid, 'uncaught')).toMatchObject({ origin: 'unhandledRejection' })
  })

  it('is no matter when the app catches what was uncaught', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        process.on('uncaughtException', () => setTimeout(() => process.exit(0), 50))
        setTimeout(() => { throw new Error('caught') }, ${LATER_MS})
      `),
    )
    await supervisor.said(pid, 'exiting')
    expect(supervisor.events.some((event) => event.event === 'said' && event.message.type === 'uncaught')).toBe(false)
  })
})

describe('vitals', () => {
  it('come with the heartbeat, and tell of a blocked loop', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        setTimeout(() => { const end = Date.now() + 300; while (Date.now() < end); }, ${LATER_MS})
        setTimeout(() => {}, 10_000)
      `),
      { settings: { heartbeatMs: 50 } },
    )
    const vitals = await supervisor.said(pid, 'vitals')
    expect(vitals.heapUsedBytes).toBeGreaterThan(1_000_000)
    expect(vitals.heapLimitBytes).toBeGreaterThan(vitals.heapUsedBytes)
    expect(vitals.loopUtilization).toBeGreaterThanOrEqual(0)
    const late = await supervisor.said(pid, 'vitals', (message) => message.loopDelayMs > 150)
    expect(late.loopUtilization).toBeGreaterThan(0.5)
  })
})
