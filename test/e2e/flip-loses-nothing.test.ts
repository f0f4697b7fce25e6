// A flip moves every request that is sent after it to the other release, whatever protocol the app speaks; what was under
// way ends where it began, and nothing is lost.

import { describe, expect, it, onTestFinished } from 'vitest'
import { io } from 'socket.io-client'
import { WebSocket } from 'ws'
import { makeHold } from '../support/hold.ts'
import { IS_OTHER_NODE } from '../support/home.ts'
import { keptClient, type Protocol, type Reply, type UnderWay } from '../support/kept-client.ts'
import { mixedLanes, mustHaveLostNothing } from '../support/load.ts'
import type { LaneRequest } from '../support/load/options.ts'
import { flip, startReleases, type ReleaseScene } from '../support/release-scene.ts'
import { until } from '../support/until.ts'

const FLIPS = 6
const KEPT_CLIENTS = 4
const MIB = 1024 * 1024
const PATTERN_PERIOD = 251

const MIX = mixedLanes({ webSockets: 0 })
const HTTP2: LaneRequest = { kind: 'http2', connections: 16, postShare: 0.25, expect: { text: 'hello\n' } }
const overTls = (lanes: readonly LaneRequest[]) => lanes.map((lane) => Object.assign({}, lane, { tls: true }))

const APPS: readonly (readonly [fixture: string, protocols: readonly Protocol[], lanes: readonly LaneRequest[]])[] = [
  ['ws.js', ['http'], mixedLanes()],
  ['socketio.js', ['http'], MIX],
  ['hello-https.js', ['https'], overTls(MIX)],
  ['hello-h2.js', ['h2', 'https'], overTls([HTTP2, ...MIX])],
  ['hello-h2c.js', ['h2c'], [HTTP2]],
]

/** The others differ in what they do with the same requests. */
const OF_NODE: ReadonlySet<string> = new Set(['ws.js', 'hello-h2.js'])
const CHOSEN = IS_OTHER_NODE ? APPS.filter(([script]) => OF_NODE.has(script)) : APPS

/** Requests that began before or between the flips, and the release that each began with. */
class Begun {
  readonly #all: { readonly release: string; readonly isOver: (reply: Reply) => boolean; readonly one: UnderWay }[] = []
  readonly #hold: ReturnType<typeof makeHold>
  readonly #protocol: Protocol
  readonly #port: number
  #held = 0

  constructor({ home, port }: ReleaseScene, protocol: Protocol) {
    this.#hold = makeHold(home)
    this.#protocol = protocol
    this.#port = port
  }

  /** A slow request, and one over a connection that is with the group that served before. */
  async hold(release: string, kept = keptClient(this.#protocol, this.#port)): Promise<void> {
    const one = kept.begin(this.#hold.path)
    one.body.end()
    this.#all.push({ release, one, isOver: ({ body }) => body.toString() === 'held\n' })
    await this.#hold.asked((this.#held += 1))
  }

  /** An upload of which a part is there, and a download of which a part is. */
  stream(release: string): void {
    const upload = keptClient(this.#protocol, this.#port).begin('/echo', 'POST')
    upload.body.write('x'.repeat(MIB))
    const download = keptClient(this.#protocol, this.#port).begin('/stream?mb=3&ms=400')
    download.body.end()
    this.#all.push({ release, one: upload, isOver: ({ body }) => body.toString() === String(2 * MIB) })
    this.#all.push({ release, one: download, isOver: ({ body }) => body.length === 3 * MIB && isPattern(body) })
  }

  async mustEndWhereTheyBegan(): Promise<void> {
    this.#hold.release()
    for (const { one } of this.#all) if (!one.body.writableEnded) one.body.end('x'.repeat(MIB))
    const ends = await Promise.all(
      this.#all.map(async ({ release, one, isOver }) => {
        const reply = await one.reply
        return { release, answered: reply.release, status: reply.status, isOver: isOver(reply) }
      }),
    )
    for (const { release, ...end } of ends) expect(end).toEqual({ answered: release, status: 200, isOver: true })
  }
}

function isPattern(body: Buffer): boolean {
  return body.every((byte, place) => byte === place % PATTERN_PERIOD)
}

/** A client that stays connected, and the release that it is with. */
async function connectWebSocket(port: number) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  onTestFinished(() => socket.terminate())
  let release = ''
  const echoed = new Set<string>()
  socket.on('upgrade', ({ headers }) => (release = String(headers['x-release'])))
  socket.on('message', (data: Buffer) => echoed.add(data.toString()))
  await until(() => socket.readyState === WebSocket.OPEN, 5_000, 'the WebSocket is open')
  const echo = (text: string) => {
    socket.send(text)
    return until(() => echoed.has(text), 5_000, `"${text}" is echoed`)
  }
  return { release, echo, end: () => socket.close() }
}

async function connectSocketIo(port: number) {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false, forceNew: true })
  onTestFinished(() => void socket.close())
  let release = ''
  socket.on('who', (who: { readonly release: string }) => (release = who.release))
  await until(() => release !== '', 5_000, 'Socket.IO is connected')
  const echo = async (text: string) => expect(await socket.timeout(5_000).emitWithAck('echo', text)).toBe(text)
  return { release, echo, end: () => void socket.close() }
}

/** For the fixtures that have clients which stay. */
const CONNECT: Readonly<Record<string, typeof connectWebSocket | typeof connectSocketIo>> = {
  'ws.js': connectWebSocket,
  'socketio.js': connectSocketIo,
}

describe('supervise flip', () => {
  it.each(CHOSEN)('%s: each request goes to the right release, and none is lost (B3, B4, R12)', async (...app) => {
    const [fixture, protocols, lanes] = app
    // So many that both cores have time left: TLS handshakes cost most of it.
    const scene = await startReleases({ fixture, lanes, ratePerSecond: lanes.some(({ tls }) => tls) ? 300 : 700 })
    const { supervise, load, port } = scene
    await scene.deploy('2')
    const pids = new Set(await supervise.pids())
    const protocolOf = (place: number) => protocols[place % protocols.length] ?? 'http'
    const clients = Array.from({ length: KEPT_CLIENTS }, (_, place) => keptClient(protocolOf(place), port))
    const askAll = async (expected: string, wasKept: boolean) => {
      const replies = await Promise.all(clients.map((client) => client.ask()))
      for (const reply of replies) expect(reply).toMatchObject({ status: 200, release: expected, wasKept })
    }
    const begun = protocols.map((protocol) => new Begun(scene, protocol))
    for (const each of begun) {
      await each.hold('2')
      each.stream('2')
    }
    const connect = CONNECT[fixture]
    const stays = []
    let expected = '2'
    await askAll(expected, false)
    for (let round = 0; round < FLIPS; round += 1) {
      if (connect !== undefined) stays.push(await connect(port))
      const first = protocols.map((protocol) => keptClient(protocol, port))
      for (const client of first) expect((await client.ask()).release).toBe(expected)

      await flip(supervise)
      expected = expected === '2' ? '1' : '2'

      // First over connections that the other release accepted, then over new ones.
      await askAll(expected, true)
      await askAll(expected, false)
      // This one is forwarded, and still under way when the next flips take away what it was forwarded to.
      for (const [place, client] of first.entries()) await begun[place]?.hold(expected, client)
    }
    for (const each of begun) await each.mustEndWhereTheyBegan()
    for (const [place, client] of stays.entries()) {
      expect(client.release).toBe(place % 2 === 0 ? '2' : '1')
      await client.echo('still here')
      client.end()
    }
    expect(new Set(await supervise.pids())).toEqual(pids)
    await load.answers(100)
    const report = await load.stop()
    mustHaveLostNothing(report)
    await supervise.stop()
  })
})
