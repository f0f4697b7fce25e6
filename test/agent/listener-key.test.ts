import { describe, expect, it } from 'vitest'

import { keyOf, requestOf, type ServerQuery } from '../../src/agent/listener-key.ts'
import type { ListenRequest } from '../../src/protocol/messages.ts'

const tcp: ServerQuery = { address: '127.0.0.1', port: 3000, addressType: 4, flags: 0 }
const free = () => false

function request(change: Partial<ServerQuery> = {}): ListenRequest {
  const made = requestOf({ ...tcp, ...change })
  if (made === null) throw new Error('Not gated')
  return made
}

describe('requestOf()', () => {
  it('leaves UDP and inherited descriptors to node:cluster', () => {
    expect(requestOf({ ...tcp, addressType: 'udp4' })).toBe(null)
    expect(requestOf({ ...tcp, fd: 3 })).toBe(null)
    expect(requestOf({ ...tcp, addressType: -1, address: null })).toBe(null)
  })

  it("has no backlog where the app left it to Node's default", () => {
    expect(request({ backlog: undefined }).backlog).toBe(null)
    expect(request({ backlog: 64 }).backlog).toBe(64)
  })

  it('resolves a relative path, and tells who else may use the socket', () => {
    const made = request({ addressType: -1, port: -1, address: 'app.sock', readableAll: true, writableAll: true })
    expect(made).toEqual({ address: `${process.cwd()}/app.sock`, port: -1, addressType: -1, flags: 3, backlog: null })
    expect(request({ addressType: -1, port: -1, address: '\0abstract' }).address).toBe('\0abstract')
  })
})

describe('keyOf()', () => {
  it.each([
    [{}, 'tcp:127.0.0.1:3000'],
    [{ address: null }, 'tcp:*:3000'],
    [{ address: '::', addressType: 6 }, 'tcp:[::]:3000'],
    [{ address: '/run/app.sock', port: -1, addressType: -1 }, 'unix:/run/app.sock'],
  ])('names the address of %j', (change, key) => {
    expect(keyOf(request(change), free)).toBe(key)
  })

  it('is null for an address that is listened on already', () => {
    expect(keyOf(request(), (key) => key === 'tcp:127.0.0.1:3000')).toBe(null)
    const unix = request({ address: '/run/app.sock', port: -1, addressType: -1 })
    expect(keyOf(unix, () => true)).toBe(null)
  })

  it('gives each listen(0) the lowest number that is free (A10, A11)', () => {
    const taken = new Set(['tcp:127.0.0.1:0#0', 'tcp:127.0.0.1:0#1'])
    expect(keyOf(request({ port: 0 }), (key) => taken.has(key))).toBe('tcp:127.0.0.1:0#2')
    taken.delete('tcp:127.0.0.1:0#0')
    expect(keyOf(request({ port: 0 }), (key) => taken.has(key))).toBe('tcp:127.0.0.1:0#0')
  })
})
