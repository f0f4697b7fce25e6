import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import {
  dial,
  listen,
  MAX_LINE_LENGTH,
  probeLinkInternals,
  type Channel,
  type ChannelServer,
} from '../../src/protocol/channel.ts'
import { bindPath, createIpcPipe, socketOn, writeLine } from '../../src/protocol/ipc-pipe.ts'
import type { SocketHandle } from '../../src/protocol/handle.ts'

interface Note {
  readonly n?: number
  readonly text?: string
}
type NoteChannel = Channel<Note, Note>

const createServerHandle: (address: string, port: number, type: number, fd: number, flags: number) => SocketHandle =
  Reflect.get(net, '_createServerHandle')

let directory: string
let path: string
let server: ChannelServer | undefined

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'channel-'))
  path = join(directory, 'link.sock')
})

afterEach(() => {
  server?.close()
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

function dialled(): Promise<NoteChannel> {
  return new Promise((resolve, reject) => {
    dial<Note, Note>(path, (error, channel) => (channel === null ? reject(new Error(`${error}`)) : resolve(channel)))
  })
}

/** Both ends of a new connection. */
async function pair(): Promise<{ readonly here: NoteChannel; readonly there: NoteChannel }> {
  const accepted = Promise.withResolvers<NoteChannel>()
  server ??= listen<Note, Note>(path, (channel) => accepted.resolve(channel))
  const here = await dialled()
  return { here, there: await accepted.promise }
}

/** A peer that writes whatever it likes, and the channel that it meets. */
async function rawPeer(): Promise<{ readonly raw: net.Socket; readonly channel: NoteChannel }> {
  const accepted = Promise.withResolvers<NoteChannel>()
  server = listen<Note, Note>(path, (channel) => accepted.resolve(channel))
  const raw = net.connect({ path })
  raw.on('error', () => {})
  return { raw, channel: await accepted.promise }
}

function messagesOf(channel: NoteChannel, count: number): Promise<Note[]> {
  const notes: Note[] = []
  return new Promise((resolve) => {
    channel.onMessage = (note) => {
      notes.push(note)
      if (notes.length === count) resolve(notes)
    }
  })
}

const ended = (channel: NoteChannel) => new Promise<void>((resolve) => (channel.onEnd = resolve))
const tcpSocket = () => createServerHandle('127.0.0.1', 0, 4, -1, 0)
const descriptors = () => readdirSync('/proc/self/fd').length

describe('probeLinkInternals()', () => {
  it('misses nothing on the Nodes that are supported', () => {
    expect(probeLinkInternals()).toBe(null)
  })
})

describe('dial()', () => {
  it('calls back with the libuv error of a path where nobody listens', async () => {
    await expect(dialled()).rejects.toThrow('-2')
  })
})

describe('listen()', () => {
  it('takes the place of a dead socket of the same name, under which others may dial at any time', async () => {
    bindPath(path).close()
    await pair()
    expect(readdirSync(directory)).toEqual(['link.sock'])
  })

  it('refuses a path that Node 22 would cut off', () => {
    expect(() => listen(join(directory, 'x'.repeat(108)), () => {})).toThrow('longer than 107 bytes')
  })
})

describe('Channel', () => {
  it('delivers messages in both directions, in order', async () => {
    const { here, there } = await pair()
    const heard = messagesOf(there, 3)
    for (const n of [1, 2, 3]) here.send({ n })
    expect(await heard).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    const answer = messagesOf(here, 1)
    there.send({ text: 'zwölf\n' })
    expect(await answer).toEqual([{ text: 'zwölf\n' }])
  })

  it('delivers each handle with its own message, also between messages without one', async () => {
    const { here, there } = await pair()
    const sockets = Array.from({ length: 100 }, tcpSocket)
    const heard: [number | undefined, number | undefined][] = []
    const done = new Promise<void>((resolve) => {
      there.onMessage = ({ n }, handle) => {
        const name: { port?: number } = {}
        handle?.getsockname(name)
        handle?.close()
        heard.push([n, name.port])
        if (heard.length === 200) resolve()
      }
    })
    const sent = sockets.flatMap((socket, n): [number, number | undefined][] => {
      const name: { port?: number } = {}
      socket.getsockname(name)
      here.send({ n: -1 - n })
      here.send({ n }, socket)
      return [
        [-1 - n, undefined],
        [n, name.port],
      ]
    })
    await done
    expect(heard).toEqual(sent)
    for (const socket of sockets) socket.close()
  })

  it('hands over a socket that accepts in the process that received it', async () => {
    const { here, there } = await pair()
    const socket = tcpSocket()
    const received = new Promise<SocketHandle>((resolve) => {
      there.onMessage = (_, handle) => handle && resolve(handle)
    })
    here.send({}, socket)
    const copy = await received
    socket.close()
    const name: { port?: number } = {}
    copy.getsockname(name)
    const accepted = new Promise<void>((resolve) => {
      copy.onconnection = (status, connection) => {
        expect(status).toBe(0)
        connection?.close()
        resolve()
      }
    })
    expect(copy.listen(8)).toBe(0)
    const client = net.connect(name.port ?? 0, '127.0.0.1')
    await accepted
    client.destroy()
    copy.close()
  })

  it('delivers a line that arrives in pieces, inside a character too', async () => {
    const { raw, channel } = await rawPeer()
    const heard = messagesOf(channel, 2)
    const bytes = Buffer.from('{"text":"größer"}\n{"n":2}\n')
    for (const byte of bytes) {
      raw.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await heard).toEqual([{ text: 'größer' }, { n: 2 }])
    raw.destroy()
  })

  it.each(['garbage\n', '5\n', 'null\n', '+{"n":1}\n', '+garbage\n'])('ends on the line %j', async (line) => {
    const { raw, channel } = await rawPeer()
    const end = ended(channel)
    raw.write(`{"n":1}\n${line}`)
    await end
  })

  it('ends when the peer leaves half a line behind', async () => {
    const { raw, channel } = await rawPeer()
    channel.onMessage = () => expect.unreachable()
    const end = ended(channel)
    raw.end('{"n":1}')
    await end
  })

  it('ends on a line that never ends, and keeps no more of it than the limit', async () => {
    const { raw, channel } = await rawPeer()
    const end = ended(channel)
    raw.write('"'.padEnd(MAX_LINE_LENGTH + 2, 'x'))
    await end
  })

  it('carries a line of several megabytes', async () => {
    const { here, there } = await pair()
    const heard = messagesOf(there, 1)
    here.send({ text: 'x'.repeat(5_000_000) })
    expect((await heard)[0]?.text).toHaveLength(5_000_000)
  })

  it('ends when the peer reads nothing and too much waits for it', async () => {
    const accepted = Promise.withResolvers<NoteChannel>()
    server = listen<Note, Note>(path, (channel) => accepted.resolve(channel))
    const raw = net.connect({ path })
    raw.pause()
    const channel = await accepted.promise
    const end = ended(channel)
    for (let n = 0; n < 20; n++) channel.send({ text: 'x'.repeat(1_000_000) })
    await end
    raw.destroy()
  })

  it('closes a handle that no line claims', async () => {
    const accepted = Promise.withResolvers<NoteChannel>()
    server = listen<Note, Note>(path, (channel) => accepted.resolve(channel))
    const pipe = createIpcPipe()
    const raw = socketOn(pipe, false)
    await new Promise<void>((resolve) => raw.connect({ path }, resolve))
    const channel = await accepted.promise
    const socket = tcpSocket()
    const before = descriptors()
    const heard = messagesOf(channel, 2)
    writeLine(pipe, '{"n":1}\n', socket, () => {})
    writeLine(pipe, '{"n":2}\n', undefined, () => {})
    expect(await heard).toEqual([{ n: 1 }, { n: 2 }])
    await expect.poll(descriptors).toBe(before)
    socket.close()
    raw.destroy()
  })

  it('tells of the end at the other side, and not of its own', async () => {
    const { here, there } = await pair()
    here.onEnd = () => expect.unreachable()
    const end = ended(there)
    here.close()
    await end
    here.send({ n: 1 })
    there.send({ n: 1 })
  })

  it('delivers nothing more once it is closed, even of lines that were read already', async () => {
    const { here, there } = await pair()
    const end = ended(here)
    let heard = 0
    there.onMessage = () => {
      heard++
      there.close()
    }
    for (const n of [1, 2, 3]) here.send({ n })
    await end
    expect(heard).toBe(1)
  })

  it('leaves no descriptor behind after 1,000 connections', async () => {
    server = listen<Note, Note>(path, (channel) => {
      channel.onMessage = (_, handle) => {
        handle?.close()
        channel.send({ n: 1 })
      }
    })
    const socket = tcpSocket()
    const visit = async () => {
      const channel = await dialled()
      const heard = messagesOf(channel, 1)
      channel.send({}, socket)
      await heard
      channel.close()
    }
    await visit()
    const before = descriptors()
    for (let n = 0; n < 1_000; n++) await visit()
    await expect.poll(descriptors).toBeLessThanOrEqual(before)
    socket.close()
  })
})
