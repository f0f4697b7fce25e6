// A worker that drains finishes what its clients have begun and turns nobody away.

import http2 from 'node:http2'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Client, get, post } from '../agent/drain/client.ts'
import { startScene, type DrainScene } from '../support/drain-scene.ts'
import { makeHold } from '../support/hold.ts'
import { untilEvent } from '../support/instance-facts.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive, stateOf } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const MIB = 1024 * 1024
const PATTERN_PERIOD = 251

async function connect({ port }: DrainScene): Promise<Client> {
  const client = new Client(port, false)
  onTestFinished(() => void client.socket.destroy())
  await client.ready
  return client
}

/** A keep-alive connection that has had one answer and is idle now. */
async function connectIdle(scene: DrainScene): Promise<Client> {
  const client = await connect(scene)
  client.write(get('/'))
  expect((await client.response()).isClose).toBe(false)
  return client
}

/** A connection whose request is being handled. */
async function connectBusy(scene: DrainScene, request: string): Promise<Client> {
  const client = await connectIdle(scene)
  client.write(request)
  return client
}

function isPattern(body: Buffer): boolean {
  return body.every((byte, place) => byte === place % PATTERN_PERIOD)
}

describe('a worker that drains', () => {
  it('finishes what is under way and answers what still comes, and says close (D1, D3, D4, D5, D7, D17)', async () => {
    const scene = await startScene(fixture('hello.js'), ['--drain-timeout', '20s'])
    const hold = makeHold(scene.supervise.home)
    const slow = await connectBusy(scene, get(hold.path))
    const streaming = await connectBusy(scene, get('/stream?mb=8&ms=300'))
    const pipelining = await connectBusy(scene, get(hold.path) + get('/who') + get('/who'))
    const idle = await connectIdle(scene)
    const expecting = await connectIdle(scene)
    const silent = await connect(scene)
    const uploading = await connectBusy(scene, `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\nbegun`)
    await hold.asked(2)

    const { done } = await scene.beginReload()
    idle.write(get('/'))
    silent.write(get('/'))
    expecting.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
    await expecting.receive('100 Continue', 15_000)
    expecting.write('abc')
    uploading.write('y'.repeat(20_000 - 'begun'.length))

    expect(await idle.response()).toMatchObject({ status: 200, isClose: true })
    expect(await silent.response()).toMatchObject({ status: 200, isClose: true })
    expect(await expecting.response()).toMatchObject({ status: 200, isClose: true, body: Buffer.from('3') })
    expect(await uploading.response()).toMatchObject({ status: 200, isClose: true, body: Buffer.from('20000') })
    // Only now, so that no other request comes between the two that wait behind one of these.
    hold.release()
    expect(await slow.response()).toMatchObject({ status: 200, isClose: true })
    const streamed = await streaming.response()
    expect(streamed.body.length).toBe(8 * MIB)
    expect(isPattern(streamed.body)).toBe(true)

    const pipelined = [await pipelining.response(), await pipelining.response(), await pipelining.response()]
    expect(pipelined.map(({ status }) => status)).toEqual([200, 200, 200])
    const handled = pipelined.slice(1).map(({ body }): number => JSON.parse(body.toString()).handled)
    expect(handled[1]).toBe((handled[0] ?? 0) + 1)
    for (const client of [slow, idle, silent, expecting, uploading, streaming, pipelining]) {
      await client.finished()
    }
    const next = await connect(scene)
    next.write(get('/who'))
    expect(JSON.parse((await next.response()).body.toString()).pid).not.toBe(scene.old)
    mustExit(await done, 0)
    expect(isAlive(scene.old)).toBe(false)
    next.socket.destroy()
    await scene.supervise.stop()
  })

  it('answers a POST that was in the kernel’s buffer of an idle connection when the drain began (D2)', async () => {
    const scene = await startScene(fixture('hello.js'))
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectIdle(scene)))
    // Answered after them all, so that the worker waits for events of theirs anew when it is frozen, and meets the order first.
    await connectIdle(scene)
    sendIfAlive(scene.old, 'SIGSTOP')
    await until(() => stateOf(scene.old) === 'T', 2_000, 'the old worker reads nothing')
    const { done } = await scene.beginReload()
    // From then on the order waits in the worker's own buffer, ahead of the requests.
    await untilEvent(scene.supervise, 'workerDrains')
    for (const client of clients) client.write(post('/echo', 16_384))
    // Over the loopback device, what is written is in the other side's buffer.
    await pause(50)
    sendIfAlive(scene.old, 'SIGCONT')

    for (const client of clients) {
      expect(await client.response()).toMatchObject({ status: 200, isClose: true, body: Buffer.from('16384') })
    }
    mustExit(await done, 0)
    await scene.supervise.stop()
  })

  it('says GOAWAY to an HTTP/2 client and finishes its streams (D12)', async () => {
    const scene = await startScene(fixture('hello-h2c.js'))
    const session = http2.connect(`http://127.0.0.1:${scene.port}`)
    onTestFinished(() => session.destroy())
    const goaways: number[] = []
    session.on('goaway', (code: number) => goaways.push(code))
    session.on('error', () => {})
    const hold = makeHold(scene.supervise.home)
    const streams = [hold.path, '/stream?mb=4&ms=300', '/'].map((path) => read(session, path))
    await Promise.all([streams[2], hold.asked()])

    const { done } = await scene.beginReload()
    hold.release()
    const [slow, streamed] = await Promise.all(streams)

    expect(slow?.toString()).toBe('held\n')
    expect(streamed?.length).toBe(4 * MIB)
    expect(isPattern(streamed ?? Buffer.alloc(1))).toBe(true)
    expect(goaways).toContain(http2.constants.NGHTTP2_NO_ERROR)
    await until(() => session.closed, 3_000, 'the session is closed')
    mustExit(await done, 0)
    await scene.supervise.stop()
  })

  it.each(['sigterm-handler.js', 'exits-in-sigterm.js'])(
    'loses nothing in %s, which handles SIGTERM itself (D16)',
    async (script) => {
      const { supervise, load } = await startUnderLoad(fixture(script), ['-i', '2'])
      mustExit(await supervise.cli('reload'), 0)
      await load.answers(300)
      mustHaveLostNothing(await load.stop())
      await supervise.stop()
    },
  )
})

function read(session: http2.ClientHttp2Session, path: string): Promise<Buffer> {
  const stream = session.request({ ':path': path })
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.once('end', () => resolve(Buffer.concat(chunks)))
  })
}
