// Flips under keep-alive load: from the last acknowledgement on, no request is answered by the old group, and none fails.

import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { GroupName } from '../../../src/protocol/messages.ts'
import { sleep } from '../drain/worker.ts'
import { Groups, NAMES } from './groups.ts'

const CLIENTS = 16
const FLIPS = process.env.SUPERVISE_SOAK ? 200 : 12
const GAP_MS = 40

/** A request as its client saw it. */
interface Seen {
  readonly sentAt: number
  readonly answeredAt: number
  readonly name: string
}

/** Clients that ask again as soon as they are answered, each on one connection as long as it may. */
class Load {
  readonly seen: Seen[] = []
  readonly failures: string[] = []
  readonly #port: number
  #isStopped = false
  readonly #clients: Promise<void>[]

  constructor(port: number) {
    this.#port = port
    this.#clients = Array.from({ length: CLIENTS }, (_, n) => this.#run(n % 4 === 0 ? 'POST' : 'GET'))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#clients)
  }

  async #run(method: string): Promise<void> {
    while (!this.#isStopped) await this.#connection(method)
  }

  #connection(method: string): Promise<void> {
    const body = method === 'POST' ? 'Content-Length: 5\r\n\r\nhello' : '\r\n'
    const request = `${method} /name HTTP/1.1\r\nHost: a\r\n${body}`
    const socket = net.connect(this.#port, '127.0.0.1')
    return new Promise((resolve) => {
      let sentAt = 0
      let heard = ''
      const ask = () => {
        heard = ''
        sentAt = performance.now()
        socket.write(request)
      }
      socket.on('connect', ask)
      socket.on('data', (data) => {
        heard += String(data)
        const answer = /^HTTP\/1\.1 (\d+)[^]*\r\n\r\n(AAAA|BBBB|The workers)/.exec(heard)
        if (answer === null) return
        if (answer[1] === '200') this.seen.push({ sentAt, answeredAt: performance.now(), name: answer[2] ?? '' })
        else this.failures.push(heard)
        sentAt = 0
        if (/^connection: close/im.test(heard) || this.#isStopped) socket.end()
        else ask()
      })
      socket.on('error', (error) => this.failures.push(String(error)))
      socket.on('close', () => {
        if (sentAt > 0) this.failures.push(`closed without an answer: ${heard}`)
        resolve()
      })
    })
  }
}

/** Answers of a group to requests that were sent when all workers had acknowledged that the other one is active. */
function answeredByOldGroup(seen: readonly Seen[], flips: readonly Flip[]): number {
  let wrong = 0
  for (const [n, flip] of flips.entries()) {
    // What is under way when the next flip begins may be answered by either.
    const next = flips[n + 1]?.beganAt ?? Infinity
    const between = seen.filter(({ sentAt, answeredAt }) => sentAt > flip.acknowledgedAt && answeredAt < next)
    wrong += between.filter(({ name }) => name !== NAMES[flip.to]).length
  }
  return wrong
}

interface Flip {
  readonly to: GroupName
  readonly beganAt: number
  readonly acknowledgedAt: number
}

let groups: Groups
beforeEach(async () => {
  groups = await Groups.start()
  for (const group of ['blue', 'green'] as const) await groups.fork(group)
  await groups.attach('blue')
})
afterEach(() => groups.close())

async function flipUnderLoad(withTable: boolean): Promise<{ load: Load; flips: Flip[] }> {
  if (withTable) await groups.route('blue')
  const load = new Load(groups.port)
  const flips: Flip[] = []
  for (let n = 0; n < FLIPS; n++) {
    await sleep(GAP_MS)
    const [to, from] = n % 2 === 0 ? (['green', 'blue'] as const) : (['blue', 'green'] as const)
    const beganAt = performance.now()
    if (withTable) await groups.route(to)
    const acknowledgedAt = performance.now()
    flips.push({ to, beganAt, acknowledgedAt })
    await groups.attach(to)
    await groups.detach(from)
  }
  await load.stop()
  return { load, flips }
}

describe('a flip under keep-alive load', () => {
  it('loses no request, and the old group answers none that was sent after the acknowledgement', async () => {
    const { load, flips } = await flipUnderLoad(true)
    expect(load.failures).toEqual([])
    expect(load.seen.length).toBeGreaterThan(FLIPS * CLIENTS)
    expect(answeredByOldGroup(load.seen, flips)).toBe(0)
  }, 240_000)

  it('would be seen to go wrong: without a table the old group answers on', async () => {
    const { load, flips } = await flipUnderLoad(false)
    expect(answeredByOldGroup(load.seen, flips)).toBeGreaterThan(FLIPS)
  }, 240_000)
})
