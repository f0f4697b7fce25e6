// What a drain cannot finish is cut at its deadline and not before, politely where that is possible, and counted.

import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import type { CrashRecord, EventRecord } from '../../src/control/messages.ts'
import { Client, get, post } from '../agent/drain/client.ts'
import { resultOf, startScene, type DrainScene } from '../support/drain-scene.ts'
import { makeHold } from '../support/hold.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const DEADLINE_MS = 5_000
/** After the deadline: the time-out of the kill, and what a busy machine adds to it. */
const OVER_MS = 2_500
/** Clocks of two processes. */
const CLOCKS_MS = 100
const SHORT = ['--drain-timeout', `${DEADLINE_MS}ms`, '--drain-spread', '0', '--kill-timeout', '1s']

async function send({ port }: DrainScene, request: string): Promise<Client> {
  const client = new Client(port, false)
  onTestFinished(() => void client.socket.destroy())
  await client.ready
  client.write(request)
  return client
}

/** Waits until the worker has begun so many requests since it was ready. */
async function underWay({ supervise }: DrainScene, inFlight: number): Promise<void> {
  const connections = async () =>
    (await supervise.workers()).reduce((sum, worker) => sum + (worker.connections ?? 0), 0)
  await until(async () => (await connections()) >= inFlight, 8_000, `${inFlight} requests are under way`)
}

async function crashes({ supervise }: DrainScene): Promise<readonly CrashRecord[]> {
  const { body } = await supervise.api('GET', '/v1/crashes')
  const document = body as { readonly crashes: readonly CrashRecord[] }
  return document.crashes
}

/**
 * When the order to drain went out, on this process's clock. A look at the status would see it later, and what is closed in
 * time would then seem closed too soon.
 */
async function orderedAt({ supervise, old }: DrainScene): Promise<number> {
  const order = (await eventsOf(supervise, 'workerDrains')).find(({ pid }) => pid === old)
  if (order === undefined) throw new Error(`No order to ${old} to drain is on record`)
  return Date.parse(order.time) - performance.timeOrigin
}

async function cutByMetric({ supervise }: DrainScene): Promise<number> {
  const { stdout } = await supervise.cli('metrics')
  return sumOf(parseMetrics(stdout), 'supervise_drain_requests_cut_total')
}

async function events({ supervise }: DrainScene): Promise<readonly EventRecord[]> {
  const { stdout } = await supervise.cli('events', '--json', '-n', '100')
  return stdout
    .trim()
    .split('\n')
    .map((line): EventRecord => JSON.parse(line))
}

describe('the drain’s deadline', () => {
  it('cuts what is silent, slow or without end, not sooner, and each kind with a clean end (D6, D8–D11)', async () => {
    const scene = await startScene(fixture('ws.js'), SHORT)
    const halfHeader = await send(scene, 'GET / HTTP/1.1\r\nHost: a\r\nX-Half')
    const stream = await send(scene, get('/sse'))
    const slowReader = await send(scene, get('/stream?mb=40'))
    slowReader.socket.pause()
    const fastEnough = await send(scene, get('/stream?mb=4'))
    fastEnough.socket.pause()
    const slowUpload = await send(scene, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbegun')
    const webSocket = new WebSocket(`ws://127.0.0.1:${scene.port}`)
    const closed: { at: number; code: number; reason: string }[] = []
    webSocket.on('close', (code, reason) => closed.push({ at: performance.now(), code, reason: reason.toString() }))
    await stream.receive('data: 0')
    await until(() => webSocket.readyState === WebSocket.OPEN, 5_000, 'the WebSocket is open')

    const { done } = await scene.beginReload()
    const began = await orderedAt(scene)
    const echoes: string[] = []
    webSocket.on('message', (data: Buffer) => echoes.push(data.toString()))
    await until(() => performance.now() - began >= DEADLINE_MS / 3, DEADLINE_MS, 'the drain has gone on for a while')
    webSocket.send('still here')
    fastEnough.socket.resume()
    expect((await fastEnough.response()).body.length).toBe(4 << 20)
    expect([halfHeader, stream, slowReader, slowUpload].map(({ isOver }) => isOver)).toEqual(Array(4).fill(false))
    await until(() => echoes.includes('still here'), DEADLINE_MS, 'the WebSocket echoes while its worker drains')

    expect((await stream.finished()) - began).toBeGreaterThan(DEADLINE_MS - CLOCKS_MS)
    expect(stream.bytes.toString().endsWith('0\r\n\r\n')).toBe(true)
    await until(() => closed.length > 0, OVER_MS, 'the WebSocket is closed')
    expect(closed).toMatchObject([{ code: 1001 }])
    expect(closed[0]?.reason).not.toBe('')
    expect((closed[0]?.at ?? 0) - began).toBeGreaterThan(DEADLINE_MS - CLOCKS_MS)
    expect((await halfHeader.finished(OVER_MS)) - began).toBeGreaterThan(DEADLINE_MS - CLOCKS_MS)
    await until(() => !isAlive(scene.old), OVER_MS, 'the old worker is gone')
    expect(performance.now() - began).toBeLessThan(DEADLINE_MS + OVER_MS)
    mustExit(await done, 0)
    await scene.supervise.stop()
  })

  it('loses exactly the requests that are longer than it, and command, event and metric say how many (D18)', async () => {
    const scene = await startScene(fixture('hello.js'), SHORT)
    const [over, within] = [makeHold(scene.supervise.home), makeHold(scene.supervise.home)]
    const long = await Promise.all(Array.from({ length: 5 }, () => send(scene, get(over.path))))
    const short = await Promise.all(Array.from({ length: 3 }, () => send(scene, get(within.path))))
    await Promise.all([over.asked(5), within.asked(3)])

    const { done } = await scene.beginReload()
    within.release()
    for (const client of short) expect(await client.response()).toMatchObject({ status: 200, isClose: true })
    const result = await done
    mustExit(result, 0)
    for (const client of long) await expect(client.response()).rejects.toThrow('no response')
    expect(resultOf(result).requestsCut).toBe(5)
    const told = await untilEvent(scene.supervise, 'workerExited')
    expect(told).toMatchObject({ pid: scene.old, data: { requestsCut: 5, connectionsCut: 0 } })
    expect(told.text).toContain('cut 5 requests')
    expect(await cutByMetric(scene)).toBe(5)
    await scene.supervise.stop()
  })

  it('kills a worker whose loop is blocked, loses its own requests alone, and says how many (D14)', async () => {
    const scene = await startScene(fixture('hello.js'), SHORT)
    const slow = await send(scene, get('/slow?ms=20000'))
    await underWay(scene, 1)
    const blocked = await send(scene, get('/block?ms=60000'))
    const { done } = await scene.beginReload()
    const fresh = await send(scene, get('/'))
    expect((await fresh.response()).status).toBe(200)
    await until(() => !isAlive(scene.old), DEADLINE_MS + 8_000, 'the blocked worker is killed')

    const result = await done
    mustExit(result, 0)
    for (const client of [slow, blocked]) await expect(client.response()).rejects.toThrow('no response')
    // The one that blocks began after its last word.
    expect(resultOf(result).requestsCut).toBeGreaterThanOrEqual(1)
    const told = (await events(scene)).find(({ pid, type }) => pid === scene.old && /Exited|Crashed/.test(type))
    expect(told?.text).toMatch(/under way when it last answered/)
    expect(told?.data).toMatchObject({ requestsCut: resultOf(result).requestsCut })
    expect(await cutByMetric(scene)).toBe(resultOf(result).requestsCut)
    await scene.supervise.stop()
  })

  it.each([
    ['ignores-sigterm.js', 'still there 1 s after SIGTERM'],
    ['hangs-in-sigterm.js', 'still there 1 s after SIGTERM'],
    ['throws-in-sigterm.js', 'thrown in the SIGTERM handler'],
  ])('ends %s at the kill time-out at the latest, and the reason is on record (D15)', async (script, words) => {
    const scene = await startScene(fixture(script), SHORT)
    mustExit(await scene.supervise.cli('reload'), 0)
    await until(() => !isAlive(scene.old), 5_000, 'the old worker is gone')
    expect(await crashes(scene)).toMatchObject([{ pid: scene.old, words: expect.stringContaining(words) }])
    expect(await events(scene)).toContainEqual(expect.objectContaining({ type: 'workerCrashed', pid: scene.old }))
    const next = await send(scene, post('/echo', 3))
    expect((await next.response()).status).toBe(200)
    await scene.supervise.stop()
  })
})
