// The sockets of a command: they listen before anybody accepts, and one that is lost is opened beside the old one.

import { once } from 'node:events'
import { lstatSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenAddress } from '../../src/config/app-config.ts'
import { InheritedSockets } from '../../src/sockets/inherited.ts'
import { bindTcpHandle } from '../../src/sockets/server-handle.ts'
import { CommandSockets } from '../../src/supervisor/command-sockets.ts'
import { freePort } from '../support/free-port.ts'

const NOTHING = { take: () => null }

function sockets(notices: string[] = [], inherited: Pick<InheritedSockets, 'take'> = NOTHING): CommandSockets {
  const made = new CommandSockets(inherited, (text) => notices.push(text))
  onTestFinished(() => made.keepOnly({ listen: [] }))
  return made
}

async function addresses(): Promise<readonly ListenAddress[]> {
  const directory = mkdtempSync(join(tmpdir(), 'command-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return [{ host: '127.0.0.1', port: await freePort() }, { path: join(directory, 'web.sock') }]
}

/** Resolves once the kernel has queued it, and rejects when it is refused. */
async function dial(address: ListenAddress): Promise<net.Socket> {
  const socket = 'path' in address ? net.connect(address.path) : net.connect(address.port, address.host)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  // It is reset when the listener closes: nobody has accepted it.
  socket.on('error', () => undefined)
  return socket
}

describe('CommandSockets', () => {
  it('queues connections that nobody accepts, gives every process the same sockets, and closes them only at the end', async () => {
    const listen = await addresses()
    const own = sockets()
    await Promise.all([own.open({ listen }), own.open({ listen })])
    const given = own.given({ listen })
    expect(given.map(({ address }) => address)).toEqual(listen)
    await own.open({ listen })
    expect(own.given({ listen })).toEqual(given)
    await Promise.all(listen.map(dial))
    expect(own.status()).toMatchObject([{ slots: 1 }, { slots: 1 }])
    own.keepOnly({ listen: listen.slice(1) })
    await expect(dial(listen[0]!)).rejects.toThrow('ECONNREFUSED')
    await dial(listen[1]!)
  })

  it('says who has the port', async () => {
    const [address] = await addresses()
    const other = net.createServer().listen((address as { port: number }).port, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const own = sockets()
    await expect(own.open({ listen: [address!] })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    expect(own.status()).toEqual([])
  })

  it('leaves nothing open that is no longer wanted when it has come to listen, and opens it when it is again', async () => {
    const listen = await addresses()
    const own = sockets()
    const opening = own.open({ listen })
    own.keepOnly({ listen: [] })
    await opening
    expect([own.status(), own.given({ listen })]).toEqual([[], []])
    await expect(dial(listen[0]!)).rejects.toThrow('ECONNREFUSED')
    const another = own.open({ listen })
    own.keepOnly({ listen: listen.slice(1) })
    await Promise.all([another, own.open({ listen })])
    await Promise.all(listen.map(dial))
    expect(own.status()).toHaveLength(2)
  })

  it('still knows what an earlier supervisor has when what it opens beside it does not come to listen', async () => {
    const [address] = (await addresses()) as [{ host: string; port: number }]
    const own = sockets()
    own.adopt({ listen: [address] })
    // Bound at the same time, and the first to listen.
    const other = bindTcpHandle(address.host, address.port, 4, 0)
    if (typeof other === 'number') throw new Error(`bind: ${other}`)
    const opening = own.open({ listen: [address] })
    await setImmediate()
    expect(other.listen(1)).toBe(0)
    await expect(opening).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    expect([own.status().length, own.given({ listen: [address] })]).toEqual([1, []])
    other.close()
    await setImmediate()
    await own.open({ listen: [address] })
    expect(own.given({ listen: [address] })).toHaveLength(1)
    await dial(address)
  })

  it('opens a socket beside one that an earlier supervisor cannot hand over, and says so', async () => {
    const listen = await addresses()
    const [, unix] = listen as [ListenAddress, { path: string }]
    const earlier = sockets()
    await earlier.open({ listen })
    const before = lstatSync(unix.path).ino
    const notices: string[] = []
    const own = sockets(notices)
    own.adopt({ listen })
    // Not before a process needs it: nobody would accept there.
    expect([own.given({ listen }), lstatSync(unix.path).ino, own.status().length]).toEqual([[], before, 2])
    await own.open({ listen })
    expect(own.given({ listen })).toHaveLength(2)
    expect(lstatSync(unix.path).ino).not.toBe(before)
    expect(notices.map((text) => text.includes('another one is open beside it'))).toEqual([true, true])
    await Promise.all(listen.map(dial))
  })

  it('gives every process all sockets that systemd passed for an address, and leaves them open at the end', async () => {
    const [address] = (await addresses()) as [{ host: string; port: number }]
    const REUSE_PORT = 2
    const passed = [0, 1].map(() => bindTcpHandle(address.host, address.port, 4, REUSE_PORT))
    const fds = passed.map((handle) => (typeof handle === 'number' ? -1 : handle.fd))
    // They are two handles of one descriptor then, as after an exec there would be one: only the new ones are used.
    const inherited = new InheritedSockets(fds.map((fd) => ({ fd, name: 'web' })))
    for (const own of [sockets([], inherited), sockets([], inherited)]) {
      own.adopt({ listen: [address] })
      await own.open({ listen: [address] })
      expect(own.given({ listen: [address] }).map(({ fd }) => fd)).toEqual(fds)
      own.keepOnly({ listen: [] })
    }
  })
})
