import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ListenRequest } from '../../src/protocol/messages.ts'
import { suits } from '../../src/sockets/inherited.ts'

function tcp(address: string | null, port = 3000): ListenRequest {
  return { address, port, addressType: address?.includes(':') === true ? 6 : 4, flags: 0, backlog: null }
}

function unix(path: string): ListenRequest {
  return { address: path, port: -1, addressType: -1, flags: 0, backlog: null }
}

const bound = (address: string, port = 3000) => ({ kind: 'tcp', address, port }) as const

describe('suits()', () => {
  it.each([
    [null, '::'],
    [null, '0.0.0.0'],
    ['0.0.0.0', '0.0.0.0'],
    ['0.0.0.0', '::'],
    ['::', '::'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ])('gives an app that listens on %j the socket of %s', (wanted, address) => {
    expect(suits(tcp(wanted), bound(address))).toBe(true)
  })

  it.each([
    [null, '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['::', '0.0.0.0'],
  ])('does not give an app that listens on %j the socket of %s', (wanted, address) => {
    expect(suits(tcp(wanted), bound(address))).toBe(false)
  })

  it('wants the same port, whatever the address', () => {
    const address = fc.constantFrom(null, '0.0.0.0', '::', '127.0.0.1')
    fc.assert(
      fc.property(address, fc.nat(65_535), fc.nat(65_535), (wanted, port, other) => {
        if (port !== other) expect(suits(tcp(wanted, port), bound(wanted ?? '::', other))).toBe(false)
      }),
    )
  })

  it('compares whole paths of Unix sockets', () => {
    expect(suits(unix('/run/app/../app/web.sock'), { kind: 'unix', path: '/run/app/web.sock' })).toBe(true)
    expect(suits(unix('/run/app.sock'), { kind: 'unix', path: '/run/web.sock' })).toBe(false)
    expect(suits(unix('/run/app.sock'), bound('127.0.0.1'))).toBe(false)
    expect(suits(tcp('127.0.0.1'), { kind: 'unix', path: '/run/app.sock' })).toBe(false)
  })
})
