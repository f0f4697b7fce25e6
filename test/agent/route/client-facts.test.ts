import { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { preambleOf, readPreamble, wearFacts } from '../../../src/agent/client-facts.ts'

function client(): Socket {
  const socket = new Socket()
  const facts = { remoteAddress: '203.0.113.9', remotePort: 4711, remoteFamily: 'IPv4', localAddress: '10.0.0.1' }
  for (const [name, value] of Object.entries(facts)) Object.defineProperty(socket, name, { value })
  return socket
}

describe('readPreamble()', () => {
  it('reads what preambleOf() wrote, and leaves what follows', () => {
    const preamble = readPreamble(Buffer.concat([preambleOf(client()), Buffer.from('GET /\n')]))
    expect(preamble).toMatchObject({ state: 'read', facts: { tls: null } })
    if (preamble.state === 'read') expect(preamble.rest.toString()).toBe('GET /\n')
  })

  it('waits for the rest of any piece of one', () => {
    const whole = preambleOf(client())
    for (let length = 1; length < whole.length; length++)
      expect(readPreamble(whole.subarray(0, length)).state).toBe('incomplete')
  })

  it.each([
    ['no JSON', '\0{]\n'],
    ['no facts', '\0{}\n'],
    ['null', '\0null\n'],
    ['too long, and no end', `\0${'x'.repeat(65 * 1024)}`],
    ['too long', `\0"${'x'.repeat(65 * 1024)}"\n`],
  ])('refuses %s', (_, text) => {
    expect(readPreamble(Buffer.from(text)).state).toBe('broken')
  })

  it('takes nothing else for one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const { state } = readPreamble(Buffer.from(bytes))
        expect(state === 'absent').toBe(bytes[0] !== 0)
      }),
    )
  })
})

describe('wearFacts()', () => {
  it('shows the client in place of the private connection', () => {
    const preamble = readPreamble(preambleOf(client()))
    if (preamble.state !== 'read') throw new Error(preamble.state)
    const socket = new Socket()
    wearFacts(socket, preamble.facts)
    expect(socket.remoteAddress).toBe('203.0.113.9')
    expect(socket.remotePort).toBe(4711)
    expect(socket.localPort).toBeUndefined()
    expect(socket.address()).toMatchObject({ address: '10.0.0.1' })
    expect('encrypted' in socket).toBe(false)
  })
})
