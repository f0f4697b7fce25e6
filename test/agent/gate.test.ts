// Servers of every kind behind a gate, in real cluster workers.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { get, get2, makeCertificate, talk } from './support/clients.ts'
import { Bench, type TestSupervisor } from './support/test-supervisor.ts'

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

const HTTP = `
  const server = require('node:http').createServer((request, response) => response.end('pid ' + process.pid))
  server.listen(PORT, '127.0.0.1', () => console.log('port', server.address().port))
`
const httpApp = (port = 0) => HTTP.replace('PORT', String(port))

describe('Gate', () => {
  it('adds one exit listener for all private endpoints, and removes their files', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const before = process.listenerCount('exit')
        const servers = Array.from({ length: 12 }, () => require('node:http').createServer())
        let left = servers.length
        for (const server of servers) server.listen(0, '127.0.0.1', () => {
          if (--left === 0) setTimeout(() => console.log('added', process.listenerCount('exit') - before), 100)
        })
        process.on('message', () => process.exit())
      `),
    )
    expect((await supervisor.output(pid, /added (\d+)/))[1]).toBe('1')
    const endpoints = () => readdirSync(bench.directory).filter((name) => /-\d+-\d+\.sock$/.test(name))
    expect(endpoints()).toHaveLength(12)
    supervisor.do({ do: 'ipc', pid, body: 'end' })
    await expect.poll(endpoints).toEqual([])
  })

  it('serves http, publicly and through its private endpoint', async () => {
    const { pid, port } = await supervisor.serve(bench.app(httpApp()))
    expect(await get({ port })).toEqual({ status: 200, body: `pid ${pid}` })
    const { endpoint } = await supervisor.said(pid, 'listening')
    expect(await get({ socketPath: endpoint ?? '' })).toEqual({ status: 200, body: `pid ${pid}` })
  })

  it.each([
    ['https', "require('node:https').createServer(keys, handle)", 'https'],
    ['http2 without TLS', "require('node:http2').createServer(handle)", 'h2c'],
    ['http2 with TLS', "require('node:http2').createSecureServer(keys, handle)", 'h2'],
  ])('serves %s, publicly and through its private endpoint', async (_, create, kind) => {
    makeCertificate(bench.directory)
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const { readFileSync } = require('node:fs')
        const keys = { key: readFileSync(__dirname + '/key.pem'), cert: readFileSync(__dirname + '/cert.pem') }
        const handle = (request, response) => response.end('encrypted ' + Boolean(request.socket.encrypted))
        const server = ${create}
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    const { endpoint } = await supervisor.said(pid, 'listening')
    const expected = { status: 200, body: `encrypted ${kind !== 'h2c'}` }
    if (kind === 'https') {
      expect(await get({ port, tls: true })).toEqual(expected)
      expect(await get({ socketPath: endpoint ?? '' })).toEqual(expected)
    } else {
      expect(await get2(`${kind === 'h2' ? 'https' : 'http'}://127.0.0.1:${port}`)).toEqual(expected)
      expect(await get2('http://localhost', endpoint ?? '')).toEqual(expected)
    }
  })

  it('serves net, with half-open connections as the app wants them', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
          let heard = ''
          socket.on('data', (data) => (heard += data))
          socket.on('end', () => setTimeout(() => socket.end('heard ' + heard), 20))
        })
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    const { endpoint } = await supervisor.said(pid, 'listening')
    expect(await talk({ port, host: '127.0.0.1' }, 'hello')).toBe('heard hello')
    expect(await talk({ path: endpoint ?? '' }, 'hello')).toBe('heard hello')
  })

  it("counts private connections as the server's own, and close() waits for them", async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:net').createServer((socket) => socket.on('data', () => server.getConnections((_, n) => {
          console.log('connections', n)
          server.close(() => console.log('closed'))
          setTimeout(() => socket.end(), 50)
        })))
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    expect(port).toBeGreaterThan(0)
    const { endpoint } = await supervisor.said(pid, 'listening')
    await talk({ path: endpoint ?? '' }, 'x')
    await supervisor.output(pid, /connections 1\nclosed/)
    await supervisor.exit(pid)
    expect(existsSync(endpoint ?? '')).toBe(false)
  })

  it('serves several listeners, each listen(0) with a port of its own, the same in every worker (A10)', async () => {
    const app = bench.app(`
      const http = require('node:http')
      const servers = [1, 2].map((n) => http.createServer((_, response) => response.end(process.pid + ' ' + n)))
      servers[0].listen(0, '127.0.0.1', () => servers[1].listen(0, '127.0.0.1', () => {
        console.log('port', servers.map((server) => server.address().port).join(' '))
      }))
    `)
    const first = await supervisor.fork(app)
    const second = await supervisor.fork(app)
    const ports = (await supervisor.output(first, /port (\d+) (\d+)/)).slice(1)
    expect((await supervisor.output(second, /port (\d+) (\d+)/)).slice(1)).toEqual(ports)
    expect(new Set(ports).size).toBe(2)
    await supervisor.said(first, 'attached', (message) => message.key.endsWith('#1'))
    expect((await get({ port: ports[1] })).body).toMatch(/^\d+ 2$/)
    await supervisor.said(first, 'allListening')
    const said = supervisor.events.flatMap((event) =>
      event.event === 'said' && event.pid === first ? [event.message.type] : [],
    )
    expect(said.filter((type) => type === 'listening' || type === 'allListening')).toEqual([
      'listening',
      'listening',
      'allListening',
    ])
  })

  it('closes and listens again on the same port, and listens late (A11)', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        ${httpApp()}
        process.on('message', () => server.close(() => {
          console.log('closed')
          setTimeout(() => server.listen(0, '127.0.0.1', () => console.log('again', server.address().port)), 50)
          setTimeout(() => {}, 100)
        }))
      `),
    )
    const from = supervisor.events.length
    supervisor.do({ do: 'ipc', pid, body: 'again' })
    await supervisor.said(pid, 'listenerClosed')
    expect(Number((await supervisor.output(pid, /again (\d+)/))[1])).toBe(port)
    await supervisor.said(pid, 'attached', () => true, from)
    expect((await get({ port })).status).toBe(200)
  })

  it('refuses a second server of one address in one worker with EADDRINUSE, and passes on what binding gave', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const net = require('node:net')
        const first = net.createServer().listen(0, '127.0.0.1', () => {
          const { port } = first.address()
          const taken = net.createServer().listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
            const second = net.createServer().listen(taken.address().port, '127.0.0.1')
            second.on('error', (error) => console.log('second', error.code, error.syscall))
          })
        })
        const unix = () => net.createServer().on('error', (error) => console.log('unix', error.code))
        unix().listen(__dirname + '/twice.sock')
        unix().listen(__dirname + '/twice.sock')
        unix().listen(__dirname + '/no/such/folder.sock')
      `),
    )
    await supervisor.output(pid, /second EADDRINUSE bind/)
    await supervisor.output(pid, /unix EADDRINUSE/)
    await supervisor.output(pid, /unix (ENOENT|EACCES)/)
  })

  it('serves a Unix socket, which stays when the worker goes (A6)', async () => {
    const path = join(bench.directory, 'app.sock')
    const app = bench.app(`
      const server = require('node:http').createServer((_, response) => response.end('pid ' + process.pid))
      server.listen('app.sock', () => console.log('address', server.address()))
      process.chdir('/')
    `)
    const start = async () => {
      const pid = await supervisor.fork(bench.app(`process.chdir(__dirname); require(${JSON.stringify(app)})`))
      await supervisor.said(pid, 'attached')
      await supervisor.output(pid, /address app\.sock/)
      return pid
    }
    const first = await start()
    expect((await get({ socketPath: path })).body).toBe(`pid ${first}`)
    process.kill(first)
    await supervisor.exit(first)
    expect(existsSync(path)).toBe(true)
    const second = await start()
    expect((await get({ socketPath: path })).body).toBe(`pid ${second}`)
  })

  it('serves both families on one dual-stack listener (A13)', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:http').createServer((request, response) => response.end(request.socket.remoteAddress))
        server.listen(0, '::', () => console.log('port', server.address().port))
      `),
    )
    expect(pid).toBeGreaterThan(0)
    expect((await get({ port })).body).toBe('::ffff:127.0.0.1')
    expect((await get({ port, host: '::1' })).body).toBe('::1')
  })

  it('leaves exclusive listeners and UDP to Node, and tells that they are bound', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const server = require('node:http').createServer((_, response) => response.end('own'))
        server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => console.log('port', server.address().port))
        const udp = require('node:dgram').createSocket('udp4')
        udp.on('message', () => console.log('datagram'))
        udp.bind(0, '127.0.0.1', () => udp.send('x', udp.address().port, '127.0.0.1'))
      `),
    )
    const port = Number((await supervisor.output(pid, /port (\d+)/))[1])
    expect((await get({ port })).body).toBe('own')
    await supervisor.output(pid, /datagram/)
    await supervisor.said(pid, 'listening', (message) => message.key === '')
    await supervisor.said(pid, 'allListening')
    expect(supervisor.events.some((event) => event.event === 'said' && event.message.type === 'listen')).toBe(false)
  })

  it('waits with allListening for a listen() that still looks its host up', async () => {
    const pid = await supervisor.fork(
      bench.app(`
        const net = require('node:net')
        net.createServer().listen(0, 'localhost')
        net.createServer().listen(0, '127.0.0.1')
      `),
    )
    await supervisor.said(pid, 'allListening')
    const types = supervisor.events.flatMap((event) => (event.event === 'said' ? [event.message.type] : []))
    expect(types.slice(0, types.indexOf('allListening')).filter((type) => type === 'listening')).toHaveLength(2)
  })

  it('drops connections over maxConnections as Node does', async () => {
    const { pid, port } = await supervisor.serve(
      bench.app(`
        const server = require('node:net').createServer((socket) => socket.resume())
        server.maxConnections = 1
        server.on('drop', (data) => console.log('drop', data.remoteAddress))
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
    )
    const kept = tls.connect({ port, host: '127.0.0.1' })
    kept.on('error', () => {})
    await talk({ port, host: '127.0.0.1' }, '').catch(() => {})
    await supervisor.output(pid, /drop 127\.0\.0\.1/)
    kept.destroy()
  })

  it('shares TLS ticket keys between the workers, as node:cluster does', async () => {
    makeCertificate(bench.directory)
    const app = bench.app(`
      const { readFileSync } = require('node:fs')
      const keys = { key: readFileSync(__dirname + '/key.pem'), cert: readFileSync(__dirname + '/cert.pem') }
      const server = require('node:tls').createServer(keys, (socket) => socket.end('x'))
      server.listen(0, '127.0.0.1', () => console.log('keys', server.getTicketKeys().toString('hex')))
    `)
    const first = await supervisor.fork(app)
    const keys = (await supervisor.output(first, /keys (\w+)/))[1]
    const second = await supervisor.fork(app)
    expect((await supervisor.output(second, /keys (\w+)/))[1]).toBe(keys)
  })

  it('says so and goes on where the private endpoint cannot be', async () => {
    const pid = await supervisor.fork(bench.app(httpApp()), {
      settings: { endpointDirectory: join(bench.directory, 'x'.repeat(100)) },
    })
    expect((await supervisor.said(pid, 'listening')).endpoint).toBe(null)
    expect((await supervisor.said(pid, 'notice')).text).toMatch(/longer than 107 bytes/)
  })
})

describe('slots', () => {
  it('are attached and detached as the supervisor says, and waiting connections stay in the queue', async () => {
    const { pid, port } = await supervisor.serve(bench.app(httpApp()))
    const key = 'tcp:127.0.0.1:0#0'
    await supervisor.said(pid, 'attached', (message) => message.slot === 1)
    for (const slot of [0, 1]) supervisor.say(pid, { type: 'detach', key, slot })
    await supervisor.said(pid, 'detached', (message) => message.slot === 1)
    const answers = Promise.all([1, 2, 3, 4].map(() => get({ port })))
    supervisor.do({ do: 'lend', pid })
    expect((await answers).map((answer) => answer.status)).toEqual([200, 200, 200, 200])
  })

  it('are given back on demand, and noSlot is said of others', async () => {
    const { pid } = await supervisor.serve(bench.app(httpApp()))
    await supervisor.said(pid, 'attached', (message) => message.slot === 1)
    supervisor.say(pid, { type: 'give', key: 'tcp:127.0.0.1:0#0', slots: [1, 7] })
    supervisor.say(pid, { type: 'give', key: 'unknown', slots: [0] })
    await supervisor.said(pid, 'slot', (message) => message.slot === 1)
    await supervisor.said(pid, 'noSlot', (message) => message.slot === 7)
    await supervisor.said(pid, 'noSlot', (message) => message.key === 'unknown')
  })

  it('are refused with an error when the server is closed', async () => {
    const { pid } = await supervisor.serve(bench.app(`${httpApp()}; process.on('message', () => server.close())`))
    supervisor.do({ do: 'ipc', pid, body: 'close' })
    await supervisor.said(pid, 'listenerClosed')
    const from = supervisor.events.length
    supervisor.do({ do: 'lend', pid })
    expect((await supervisor.said(pid, 'attached', () => true, from)).error).toBeLessThan(0)
  })

  it('are forgotten, and listening again asks for new ones', async () => {
    const { pid } = await supervisor.serve(bench.app(httpApp()))
    const key = 'tcp:127.0.0.1:0#0'
    supervisor.say(pid, { type: 'forget', key })
    const from = supervisor.events.length
    supervisor.say(pid, { type: 'give', key, slots: [0] })
    await supervisor.said(pid, 'noSlot', () => true, from)
  })
})
