// Alerts to a real HTTP server that hangs, refuses, answers 500, and then 200; and to real commands.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Receiver } from '../../src/config/app-config.ts'
import { AlertDesk } from '../../src/supervisor/alert-desk.ts'
import { AlertQueue, MOST_WAITING } from '../../src/supervisor/alert-queue.ts'
import { tellOutside, type OutsideCall } from '../../src/supervisor/hooks.ts'
import { EventLog } from '../../src/telemetry/events.ts'
import { until } from '../support/until.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Answers each request with the next of these, the last one again and again; `hang` does not answer at all. */
async function serve(answers: readonly (number | 'hang')[]) {
  const bodies: Record<string, unknown>[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)]
      bodies.push(JSON.parse(body))
      if (typeof answer === 'number') response.writeHead(answer).end('noted')
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { bodies, url: `http://127.0.0.1:${port}/hook/secret` }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** An event log with a desk that tells these receivers. */
function desk(notify: readonly Receiver[]) {
  const eventLog = new EventLog({ logger: silent })
  let now = 0
  const source = { name: 'shop', clock: { now: () => now }, eventLog }
  const alerts = new AlertDesk(source, (app) =>
    app === 'web' ? { notify, cwd: '/', env: { PATH: '/usr/bin:/bin' } } : null,
  )
  onTestFinished(() => alerts.close())
  return {
    eventLog,
    alerts,
    pass: (ms: number) => (now += ms),
    types: () => eventLog.feed(null, 1000).recent.map(({ type }) => type),
    crash: (fingerprint = 'f', reason = 'exit') =>
      eventLog.record({
        type: 'workerCrashed',
        app: 'web',
        release: 'r1',
        worker: 1,
        text: 'worker 1 exited with code 1',
        cause: 'worker',
        data: { fingerprint, reason },
      }),
  }
}

function webhook(url: string, withinMs = 5000, on: Receiver['on'] = null): Receiver {
  return { on, hook: { by: 'url', url, withinMs } }
}

describe('AlertDesk', () => {
  it('tells a webhook what happened, once for the same crash, and later how many were left out', async () => {
    const { bodies, url } = await serve([200])
    const { crash, pass, types, eventLog } = desk([webhook(url)])
    for (let n = 0; n < 1000; n += 1) crash()
    crash('other', 'out-of-memory')
    await until(() => types().filter((type) => type === 'alertSent').length === 2, 5000, 'both are told')
    pass(600_000)
    crash()
    await until(() => bodies.length === 3, 5000, 'the third')
    expect(bodies.map(({ alert, leftOut }) => [alert, leftOut])).toEqual([
      ['crash', 0],
      ['out-of-memory', 0],
      ['crash', 999],
    ])
    expect(bodies[0]).toMatchObject({
      schema: 1,
      id: 'shop-1-crash',
      app: 'web',
      instance: 'shop',
      cause: 'worker',
      text: expect.stringMatching(/^web on \S+: worker 1 exited with code 1$/),
      event: { seq: 1, type: 'workerCrashed', actor: { kind: 'worker' } },
    })
    expect(bodies[2]?.['text']).toContain('(and 999 more like it before)')
    expect(JSON.stringify(eventLog.feed(null, 1000).recent)).not.toContain('secret')
  })

  it('never tells more than 20 in an hour, whatever they are', async () => {
    const { bodies, url } = await serve([200])
    const { crash, types } = desk([webhook(url)])
    for (let n = 0; n < 100; n += 1) crash(`f${n}`)
    await until(() => types().filter((type) => type === 'alertSent').length === 20, 10_000, 'twenty are told')
    expect(bodies).toHaveLength(20)
  })

  it('tells each receiver what it asked for, and nobody of what no kind names', async () => {
    const all = await serve([200])
    const some = await serve([200])
    const { crash, eventLog, types } = desk([webhook(all.url), webhook(some.url, 5000, ['crash-loop', 'crash'])])
    eventLog.record({ type: 'workerFailed', app: 'web', text: 'worker 1 crashed 11 times', cause: 'policy restart' })
    eventLog.record({ type: 'workerFailed', app: 'other', text: 'x', cause: 'policy restart' })
    eventLog.record({ type: 'internalError', app: null, text: 'x', cause: 'supervisor' })
    eventLog.record({ type: 'rolledBack', app: 'web', text: 'r2 was taken back', cause: 'policy rollout' })
    crash('f', 'out-of-memory')
    await until(() => types().filter((type) => type === 'alertSent').length === 5, 5000, 'all are told')
    expect(all.bodies.map(({ alert }) => alert)).toEqual(['crash-loop', 'rollback', 'out-of-memory'])
    expect(some.bodies.map(({ alert }) => alert)).toEqual(['crash-loop', 'crash'])
  })

  it('a webhook that hangs holds nobody else up', async () => {
    const hanging = await serve(['hang'])
    const other = await serve([200])
    const { crash, types } = desk([webhook(hanging.url, 60_000), webhook(other.url)])
    crash()
    crash('other')
    await until(() => other.bodies.length === 2, 5000, 'the other is told of both')
    expect([types().includes('alertFailed'), hanging.bodies.length]).toEqual([false, 1])
  })

  it('gives a command the same on its stdin, and says when it fails', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'alert-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const command = `cat > ${directory}/told; echo "$SUPERVISE_ALERT" >> ${directory}/told`
    const { crash, types } = desk([{ on: null, hook: { by: 'command', command, withinMs: 5000 } }])
    crash()
    await until(() => types().includes('alertSent'), 5000, 'the command has ended')
    const [json = '', kind] = readFileSync(join(directory, 'told'), 'utf8').trim().split('\n')
    expect(JSON.parse(json)).toMatchObject({ alert: 'crash', app: 'web' })
    expect(kind).toBe('crash')
  })

  it('an instance that ends tries once more and waits a moment, not for ever', async () => {
    const { bodies, url } = await serve(['hang'])
    const { crash, alerts, types, eventLog } = desk([webhook(url, 60_000)])
    crash()
    await until(() => bodies.length === 1, 5000, 'it is being told')
    const began = performance.now()
    await alerts.close()
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(types()).toContain('alertFailed')
    expect(eventLog.feed(null, 1).recent[0]?.text).toMatch(
      /^could not tell http:\/\/127\.0\.0\.1:\d+\/… \(\w+\) of crash: it was aborted$/,
    )
  })
})

function call(url: string, n: number, withinMs: number): OutsideCall {
  return { hook: { by: 'url', url, withinMs }, payload: { n }, cwd: '/', env: {} }
}

function queue(retryMs: readonly number[] = [10, 10, 10]) {
  const ended: [string, string | null][] = []
  const made = new AlertQueue({
    tell: async (one, signal) => (await tellOutside({ ...one, signal })).problem,
    ended: ({ payload }, problem) => void ended.push([String(payload['n']), problem]),
    retryMs,
  })
  onTestFinished(() => made.close(0))
  return { ended, add: (url: string, n = 1, withinMs = 5000) => made.add(call(url, n, withinMs)), made }
}

describe('AlertQueue', () => {
  it('tries again through 500, 503 and a hang until it is a 200', async () => {
    const { bodies, url } = await serve([500, 503, 'hang', 200])
    const { ended, add } = queue()
    add(url, 1, 300)
    await until(() => ended.length === 1, 10_000, 'it is told')
    expect(ended).toEqual([['1', null]])
    expect(bodies).toHaveLength(4)
  })

  it('gives up in the end, says why, and goes on with the next', async () => {
    const { url } = await serve([500, 500, 500, 200])
    const { ended, add } = queue([10, 10])
    add(url, 1)
    add(url, 2)
    await until(() => ended.length === 2, 10_000, 'both have ended')
    expect(ended[0]?.[1]).toMatch(/^answered 500; given up after 3 attempts in \d+ms$/)
    expect(ended[1]).toEqual(['2', null])
  })

  it('a hang to the end is told as one, with how long was waited', async () => {
    const { url } = await serve(['hang'])
    const { ended, add } = queue([10])
    add(url, 1, 100)
    await until(() => ended.length === 1, 10_000, 'it has ended')
    expect(ended[0]?.[1]).toMatch(/^did not answer within 100ms; given up after 2 attempts in \d+ms$/)
  })

  it('nobody listens: says so', async () => {
    const { ended, add } = queue([])
    add('http://127.0.0.1:1/')
    await until(() => ended.length === 1, 10_000, 'it has ended')
    expect(ended[0]?.[1]).toMatch(/^is down: nothing listens there; given up after 1 attempts? in /)
  })

  it('holds no more than a few for a receiver that hangs, and drops the oldest', async () => {
    const { url } = await serve(['hang'])
    const { ended, add } = queue()
    for (let n = 0; n < MOST_WAITING + 11; n += 1) add(url, n)
    expect(ended.map(([n]) => Number(n))).toEqual(Array.from({ length: 10 }, (_, n) => n + 1))
    expect(ended[0]?.[1]).toBe('was not told: 50 later alerts wait for it')
  })
})
