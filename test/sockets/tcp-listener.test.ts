/* oxlint-disable no-await-in-loop -- a borrower answers one message at a time */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

import type { ListenRequest } from '../../src/protocol/messages.ts'
import { adoptListener, bindListener, Listener, listenerFromHandles } from '../../src/sockets/listener.ts'
import { bindTcpHandle, UV } from '../../src/sockets/server-handle.ts'
import { BorrowerProcess, dial, outcomeOf } from './borrowers.ts'

const cleanUps: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
})

const hasIpv6 = typeof bindTcpHandle('::1', 0, 6, 0) !== 'number'

function tcp(address: string | null, port = 0, flags = 0): ListenRequest {
  return { address, port, addressType: address?.includes(':') === true ? 6 : 4, flags, backlog: null }
}

function bind(request: ListenRequest, count = 4): Listener {
  const listener = bindListener('key', request, count)
  if (!(listener instanceof Listener)) throw new Error(`bind failed: ${listener.errno}`)
  cleanUps.push(() => listener.close())
  return listener
}

function borrower(): BorrowerProcess {
  const process = new BorrowerProcess()
  cleanUps.push(() => process.kill())
  return process
}

async function serve(options: net.ListenOptions): Promise<{ server: net.Server; port: number }> {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('x'))
  server.listen(options)
  await once(server, 'listening')
  cleanUps.push(() => void server.close())
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

function portOf(listener: Listener): number {
  return listener.name.port ?? 0
}

describe('bindListener()', () => {
  it('binds every slot to the port that the first one got (A10)', () => {
    const listener = bind(tcp('127.0.0.1'), 12)
    expect(listener.slots).toHaveLength(12)
    const names = listener.slots.map((slot) => {
      const name = {}
      listener.handle(slot)!.getsockname(name)
      return name
    })
    expect(new Set(names.map((name) => JSON.stringify(name))).size).toBe(1)
    expect(portOf(listener)).toBeGreaterThan(0)
  })

  it.runIf(hasIpv6)('takes no address as both families, and the rest as it is said (A13)', () => {
    expect(bind(tcp(null)).name).toMatchObject({ address: '::', family: 'IPv6' })
    expect(bind(tcp('::')).name).toMatchObject({ address: '::', family: 'IPv6' })
    expect(bind(tcp('::1')).name).toMatchObject({ address: '::1', family: 'IPv6' })
    expect(bind(tcp('0.0.0.0')).name).toMatchObject({ address: '0.0.0.0', family: 'IPv4' })
  })

  it.runIf(hasIpv6)('serves IPv4 and IPv6 clients of a dual-stack listener (A13)', async () => {
    const listener = bind(tcp(null), 2)
    const worker = borrower()
    for (const slot of listener.slots) expect(await worker.attach(listener.handle(slot)!)).toBe(0)
    for (const host of ['127.0.0.1', '::1']) {
      expect(await dial({ host, port: portOf(listener) }).answer).toBe(String(worker.pid))
    }
  })

  it.runIf(hasIpv6)('leaves IPv4 alone with ipv6Only', () => {
    const listener = bind(tcp('::', 0, 1))
    expect(bind(tcp('0.0.0.0', portOf(listener))).slots).toHaveLength(4)
  })

  it('refuses connections only until a borrower listens', async () => {
    const listener = bind(tcp('127.0.0.1'), 1)
    const target = { host: '127.0.0.1', port: portOf(listener) }
    expect(await outcomeOf(target)).toBe('ECONNREFUSED')
    const worker = borrower()
    await worker.attach(listener.handle(0)!)
    expect(await outcomeOf(target)).toBe('connected')
  })

  it('says EADDRINUSE when anybody listens there, even one that shares its port (S5)', async () => {
    for (const reusePort of [false, true]) {
      const { port } = await serve({ host: '127.0.0.1', port: 0, reusePort })
      expect(bindListener('key', tcp('127.0.0.1', port), 4)).toEqual({ errno: UV.inUse })
      expect(bindListener('key', tcp(null, port), 4)).toEqual({ errno: UV.inUse })
    }
  })

  it('says EADDRINUSE for an address of this process that nobody listens on yet', () => {
    const listener = bind(tcp('127.0.0.1'))
    expect(bindListener('other', tcp('127.0.0.1', portOf(listener)), 4)).toEqual({ errno: UV.inUse })
    expect(bindListener('other', tcp('0.0.0.0', portOf(listener)), 4)).toEqual({ errno: UV.inUse })
    expect(bind(tcp('127.0.0.2', portOf(listener))).slots).toHaveLength(4)
    listener.close()
    expect(bind(tcp('127.0.0.1', portOf(listener))).slots).toHaveLength(4)
  })

  it('says what plain node says for an address that is not there or not allowed (A9)', () => {
    expect(bindListener('key', tcp('192.0.2.1'), 4)).toEqual({ errno: UV.notAvailable })
  })

  it('binds under connections that are closing, or still open without their listener', async () => {
    const { server, port } = await serve({ host: '127.0.0.1', port: 0 })
    await Promise.all(Array.from({ length: 200 }, () => dial({ host: '127.0.0.1', port }).answer))
    const accepted = once(server, 'connection')
    const lasting = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    await Promise.all([accepted, once(lasting, 'connect')])
    cleanUps.push(() => void lasting.destroy())
    server.close()
    expect(bind(tcp('127.0.0.1', port)).slots).toHaveLength(4)
  })
})

describe('Listener', () => {
  it('grow() adds slots of the same address, and never takes one away', async () => {
    const listener = bind(tcp('127.0.0.1'), 2)
    expect(listener.grow(5)).toEqual([2, 3, 4])
    expect(listener.grow(3)).toEqual([])
    expect(listener.status()).toEqual({ address: '127.0.0.1', port: portOf(listener), path: null, slots: 5 })
    const worker = borrower()
    expect(await worker.attach(listener.handle(4)!)).toBe(0)
    expect(await dial({ host: '127.0.0.1', port: portOf(listener) }).answer).toBe(String(worker.pid))
  })

  it('grow() loses no connection that comes meanwhile', async () => {
    const listener = bind(tcp('127.0.0.1'), 1)
    const worker = borrower()
    await worker.attach(listener.handle(0)!)
    const answers: Promise<string>[] = []
    for (let round = 2; round <= 8; round += 1) {
      for (let n = 0; n < 20; n += 1) answers.push(dial({ host: '127.0.0.1', port: portOf(listener) }).answer)
      for (const slot of listener.grow(round)) await worker.attach(listener.handle(slot)!)
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([String(worker.pid)]))
  })

  it('keeps connections waiting when its borrower dies, for the next one (A3)', async () => {
    const listener = bind(tcp('127.0.0.1'), 4)
    const first = borrower()
    for (const slot of listener.slots) await first.attach(listener.handle(slot)!)
    await first.kill()
    const clients = Array.from({ length: 40 }, () => dial({ host: '127.0.0.1', port: portOf(listener) }))
    await Promise.all(clients.map((client) => client.connected))
    const second = borrower()
    for (const slot of listener.slots) await second.attach(listener.handle(slot)!)
    const answers = await Promise.all(clients.map((client) => client.answer))
    expect(answers).toEqual(clients.map(() => String(second.pid)))
  })

  it('refuses once it is closed and nobody else has its slots', async () => {
    const listener = bind(tcp('127.0.0.1'), 2)
    const worker = borrower()
    for (const slot of listener.slots) await worker.attach(listener.handle(slot)!)
    await worker.detach()
    listener.close()
    expect(await outcomeOf({ host: '127.0.0.1', port: portOf(listener) })).toBe('ECONNREFUSED')
  })
})

describe('adoptListener()', () => {
  it('has no slot until it is given one, knows what is missing, and grows beside it', async () => {
    const original = bind(tcp('127.0.0.1'), 2)
    const worker = borrower()
    await worker.attach(original.handle(0)!)
    const adopted = adoptListener('key', tcp('127.0.0.1'), original.name)
    for (const slot of [0, 1, 7]) adopted.expectSlot(slot)
    expect(adopted.slots).toEqual([])
    expect(adopted.missingSlots()).toEqual([0, 1, 7])
    for (const slot of [0, 1]) adopted.addSlot(slot, original.handle(slot)!)
    adopted.forgetSlot(7)
    expect(adopted.missingSlots()).toEqual([])
    expect(adopted.grow(3)).toEqual([2])
    expect(adopted.status()).toMatchObject({ port: portOf(original), slots: 3 })
    adopted.handle(2)!.close()
  })
})

describe('listenerFromHandles()', () => {
  it('takes descriptors that a process inherited as slots (Y6)', () => {
    const first = bindTcpHandle('127.0.0.1', 0, 4, 2)
    if (typeof first === 'number') throw new Error(String(first))
    const name = { port: 0 }
    first.getsockname(name)
    const second = bindTcpHandle('127.0.0.1', name.port, 4, 2)
    if (typeof second === 'number') throw new Error(String(second))
    cleanUps.push(
      () => first.close(),
      () => second.close(),
    )
    const script = `
      import { listenerFromHandles } from ${JSON.stringify(new URL('../../src/sockets/listener.ts', import.meta.url))}
      import { openDescriptor } from ${JSON.stringify(new URL('../../src/sockets/server-handle.ts', import.meta.url))}
      const request = { address: '127.0.0.1', port: ${name.port}, addressType: 4, flags: 0, backlog: null }
      const listener = listenerFromHandles('key', request, [3, 4].map(openDescriptor), () => {})
      console.log(JSON.stringify({ status: listener.status(), grown: listener.grow(9), bad: openDescriptor(0) }))`
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit', first.fd, second.fd],
      encoding: 'utf8',
    })
    const status = { address: '127.0.0.1', port: name.port, path: null, slots: 2 }
    expect(JSON.parse(child.stdout)).toEqual({ status, grown: [], bad: UV.invalid })
  })

  it('serves through a handle that was given', async () => {
    const handle = bindTcpHandle('127.0.0.1', 0, 4, 0)
    if (typeof handle === 'number') throw new Error(String(handle))
    const listener = listenerFromHandles('key', tcp('127.0.0.1'), [handle], () => {})
    cleanUps.push(() => listener.close())
    const worker = borrower()
    await worker.attach(listener.handle(0)!)
    expect(await dial({ host: '127.0.0.1', port: portOf(listener) }).answer).toBe(String(worker.pid))
  })
})

describe('adoptListener()', () => {
  it('leaves its address free to be bound again when it is let go of', () => {
    const port = portOf(bind(tcp('127.0.0.1'), 1))
    for (const cleanUp of cleanUps.splice(0)) void cleanUp()
    const adopted = adoptListener('key', tcp('127.0.0.1', port), { address: '127.0.0.1', port, family: 'IPv4' })
    expect(bindListener('other', tcp('127.0.0.1', port), 1)).toEqual({ errno: UV.inUse })
    adopted.letGo()
    expect(portOf(bind(tcp('127.0.0.1', port), 1))).toBe(port)
  })
})
