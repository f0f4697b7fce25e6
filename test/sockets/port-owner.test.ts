import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'

import type { ListenRequest } from '../../src/protocol/messages.ts'
import { portInUse } from '../../src/errors/sockets.ts'
import { describeBindFailure } from '../../src/sockets/bind-error.ts'
import { countStrangers, findPortOwner, inodeOfDescriptor } from '../../src/sockets/port-owner.ts'
import { bindTcpHandle, UV } from '../../src/sockets/server-handle.ts'

const servers: net.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listen(host: string, options: net.ListenOptions = {}): Promise<number> {
  const server = net.createServer()
  servers.push(server)
  server.listen({ host, port: 0, ...options })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const hasIpv6 = typeof bindTcpHandle('::1', 0, 6, 0) !== 'number'
const isLinux = process.platform === 'linux'

describe.runIf(isLinux)('findPortOwner()', () => {
  it('finds the process that listens, and its command', async () => {
    const port = await listen('127.0.0.1')
    for (const address of ['127.0.0.1', '0.0.0.0', '::', null]) {
      expect(findPortOwner(address, port)).toMatchObject({ pid: process.pid, command: expect.stringContaining('node') })
    }
  })

  it.runIf(hasIpv6)('reads IPv6 addresses', async () => {
    const port = await listen('::1')
    expect(findPortOwner('::1', port)).toMatchObject({ pid: process.pid })
    expect(findPortOwner('0:0:0:0:0:0:0:1', port)).toMatchObject({ pid: process.pid })
    expect(findPortOwner('::2', port)).toBeNull()
  })

  it('does not blame whoever listens on the same port of another address', async () => {
    const port = await listen('127.0.0.1')
    expect(findPortOwner('127.0.0.2', port)).toBeNull()
  })

  it('knows nobody when nobody listens', async () => {
    const port = await listen('127.0.0.1')
    servers.pop()!.close()
    expect(findPortOwner('127.0.0.1', port)).toBeNull()
  })
})

describe.runIf(isLinux)('countStrangers()', () => {
  it('counts the sockets that share a port with ours', async () => {
    const own = bindTcpHandle('127.0.0.1', 0, 4, 2)
    if (typeof own === 'number') throw new Error(String(own))
    own.onconnection = () => {}
    own.listen(1)
    const name = { port: 0 }
    own.getsockname(name)
    const inodes = new Set([inodeOfDescriptor(own.fd) ?? ''])
    expect(countStrangers('127.0.0.1', name.port, inodes)).toBe(0)
    await listen('127.0.0.1', { port: name.port, reusePort: true })
    expect(countStrangers('127.0.0.1', name.port, inodes)).toBe(1)
    own.close()
    expect(inodeOfDescriptor(-1)).toBeNull()
  })
})

function tcp(address: string | null, port: number): ListenRequest {
  return { address, port, addressType: address?.includes(':') === true ? 6 : 4, flags: 0, backlog: null }
}

function unix(address: string): ListenRequest {
  return { address, port: -1, addressType: -1, flags: 0, backlog: null }
}

function codeOf(request: ListenRequest, errno: number): string {
  return describeBindFailure(request, errno).code
}

describe('describeBindFailure()', () => {
  it.runIf(isLinux)('names who has the port', async () => {
    const port = await listen('127.0.0.1')
    const error = describeBindFailure(tcp('127.0.0.1', port), UV.inUse)
    expect(error.message).toContain(`Cannot listen on "127.0.0.1:${port}": it is in use by process ${process.pid} (`)
    // A supervisor that finds itself: it must not advise to kill it.
    expect(error.fix).toContain('stop it, then start it')
    expect(portInUse('127.0.0.1:80', { pid: 4_711, command: 'nginx' }).fix).toContain('kill 4711')
    // Nor a worker, whose flags before the agent are many.
    const worker = {
      pid: 4_711,
      command: `/usr/bin/node ${'--report-on-signal '.repeat(8)}--require /agent/preload.js`,
    }
    expect(portInUse('127.0.0.1:80', worker).fix).toContain('`supervise status` says which')
    expect(portInUse('127.0.0.1:80', worker).message).toMatch(/--repo[^ ]*…\)$/)
  })

  it('says what to do for each cause (A9)', () => {
    expect(codeOf(tcp(null, 80), UV.notPermitted)).toBe('PORT_NOT_PERMITTED')
    expect(codeOf(tcp('192.0.2.1', 80), UV.notAvailable)).toBe('ADDRESS_NOT_AVAILABLE')
    expect(codeOf(tcp('::', 80), UV.noDescriptors)).toBe('OUT_OF_DESCRIPTORS')
    expect(codeOf(tcp('::', 80), UV.invalid)).toBe('LISTEN_FAILED')
    expect(codeOf(unix('/run/a'), UV.inUse)).toBe('SOCKET_PATH_IN_USE')
    expect(codeOf(unix('/run/a'), UV.notPermitted)).toBe('SOCKET_PATH_NOT_USABLE')
    expect(codeOf(unix('/run/a'), UV.notSupported)).toBe('LISTEN_FAILED')
    expect(describeBindFailure(unix(`/${'a'.repeat(120)}`), UV.invalid).message).toContain('121 bytes')
    expect(describeBindFailure(unix('\0name'), UV.inUse).message).toContain('"@name"')
    expect(describeBindFailure(tcp('::', 80), UV.notPermitted).message).toContain('"[::]:80"')
    expect(describeBindFailure(tcp('::', 80), -99_999).message).toContain('-99999')
    expect(describeBindFailure(tcp('127.0.0.1', 1), UV.inUse).message).toContain('it is in use')
  })
})
