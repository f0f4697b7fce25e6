// S13: garbage, half a message, 1,000 clients, a slow client on the control socket do not stall supervision.

/* oxlint-disable typescript/no-unsafe-type-assertion, unicorn/consistent-function-scoping -- a test knows what it was answered */

import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { ask, codeOfAnswer, post, readAll, say } from './raw-client.ts'
import { logRecord, resultOf, serve, until, type Running } from './scripted-supervisor.ts'

let running: Running
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await running.stop()
})

async function sayAndKeep(text: string): Promise<Socket> {
  const socket = await say(running.directory.controlSocket, text)
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

/** Shorter than any time-out that a ping could have to wait for, and longer than a busy machine makes it. */
const PROMPT_MS = 3_000

/** Milliseconds that a ping takes meanwhile. */
async function pingMs(): Promise<number> {
  const startedAt = performance.now()
  expect((await ask(running.directory.controlSocket, '/v1/ping')).status).toBe(200)
  return performance.now() - startedAt
}

const followLogs = 'GET /v1/logs?follow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'

test('1,000 clients with half a request each delay nobody and are let go of in time (S13)', async () => {
  running = await serve({}, { headMs: 4_000, requestMs: 5_000 })
  const halves = ['', 'G', 'GET /v1/status HTT', 'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{']
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => sayAndKeep(halves[i % halves.length] ?? '')))
  expect(await pingMs()).toBeLessThan(PROMPT_MS)
  for (const socket of sockets) socket.resume()
  await until('all are gone', () => sockets.every((socket) => socket.closed), 10_000)
  expect(running.server.counts().dropped.timedOut).toBe(1_000)
  expect(running.supervisor.asked).toEqual([])
})

test('more clients than may connect are turned away and counted, and there is room again when they leave (S13)', async () => {
  running = await serve({}, { maxConnections: 20 })
  const many = await Promise.all(Array.from({ length: 40 }, () => sayAndKeep('')))
  await until('20 were dropped', () => running.server.counts().dropped.tooMany === 20)
  for (const socket of many) socket.destroy()
  await until('a ping is answered', () =>
    ask(running.directory.controlSocket, '/v1/ping').then(
      (answer) => answer.status === 200,
      () => false,
    ),
  )
})

test.each([
  ['garbage', `${'\u0000\u0001\u00ff'.repeat(100)}\r\n\r\n`, '400'],
  ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', '400'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '40'],
  ['no host', 'GET /v1/ping HTTP/1.1\r\n\r\n', '400'],
  ['two lengths', 'POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}', '400'],
  ['a broken chunk', 'POST /v1/stop HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', '400'],
  ['an enormous head', `GET /v1/ping HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(100_000)}\r\n\r\n`, '431'],
  ['10,000 headers', `GET /v1/ping HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`, '431'],
  ['an endless path', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, '431'],
])('%s is answered with an error and ends nothing (S13)', async (_, text, status) => {
  running = await serve()
  const answer = await readAll(await sayAndKeep(text))
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status}`))
  expect(await pingMs()).toBeLessThan(PROMPT_MS)
  expect(running.supervisor.asked).toEqual([])
})

test('a head that never ends is refused in time, as JSON (S13)', async () => {
  running = await serve({}, { headMs: 200, requestMs: 60_000 })
  const answer = await readAll(await sayAndKeep('GET /v1/ping HTTP/1.1\r\nhost'))
  expect(answer).toContain('408 Request Timeout')
  expect(answer).toContain('"code":"BAD_REQUEST"')
})

test('a client that stops reading is dropped at the limit, told why and counted; others go on (S13)', async () => {
  running = await serve({}, { farewellMs: 60_000 })
  const { logFeed } = running.supervisor
  const stuck = await sayAndKeep(followLogs)
  stuck.pause()
  const reading = await sayAndKeep(followLogs)
  let read = 0
  reading.on('data', (chunk) => (read += chunk.length))
  await until('both follow', () => logFeed.followers === 2)

  let sent = 0
  const line = 'x'.repeat(8_192)
  const before = process.memoryUsage().rss
  await until('one is dropped', async () => {
    for (let i = 0; i < 4; i++) logFeed.emit(logRecord(line))
    sent += 4
    return running.server.counts().dropped.unread === 1
  })
  for (let i = 0; i < 200; i++) {
    for (let j = 0; j < 4; j++) logFeed.emit(logRecord(line))
    sent += 4
    // oxlint-disable-next-line no-await-in-loop -- a turn of the loop, so that the other client can read
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until('the other has it all', () => read > sent * line.length)
  expect(running.server.counts().dropped.unread).toBe(1)
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576)

  const text = readAll(stuck.resume())
  expect((await text).trimEnd()).toContain('READ_TOO_SLOWLY')
})

test('a client that never reads again is cut off for good (S13)', async () => {
  running = await serve({}, { farewellMs: 50 })
  const { logFeed } = running.supervisor
  const stuck = await sayAndKeep(followLogs)
  stuck.pause()
  await until('it follows', () => logFeed.followers === 1)
  while (running.server.counts().dropped.unread === 0) logFeed.emit(logRecord('x'.repeat(8_192)))
  await until('it is gone', () => logFeed.followers === 0)
  expect(running.server.counts().streams).toBe(0)
})

test('more streams than may be open are refused with 503 and counted (S13)', async () => {
  running = await serve({}, { maxStreams: 2 })
  await sayAndKeep(followLogs)
  await sayAndKeep(followLogs)
  await until('both follow', () => running.supervisor.logFeed.followers === 2)
  const answer = await ask(running.directory.controlSocket, '/v1/events')
  expect([answer.status, codeOfAnswer(answer)]).toEqual([503, 'TOO_MANY_STREAMS'])
  expect(running.server.counts().dropped.tooMany).toBe(1)
})

test('a stream and a long operation outlast the time-outs of a request (S13)', async () => {
  let finish = () => {}
  running = await serve(
    { reload: () => new Promise((resolve) => (finish = () => resolve(resultOf('reload')))) },
    { headMs: 100, requestMs: 150 },
  )
  const { logFeed } = running.supervisor
  const stream = await sayAndKeep(followLogs)
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const reloaded = post(running.directory.controlSocket, '/v1/apps/web/reload', {})
  // A third client's time-out shows that theirs would have passed.
  expect(await readAll(await sayAndKeep('GET /'))).toContain('408')
  expect(await readAll(await sayAndKeep('GET /'))).toContain('408')
  logFeed.emit(logRecord('late'))
  await until('the stream lives', () => text.includes('late'))
  finish()
  expect((await reloaded).status).toBe(200)
})

test('a listener of a feed that throws harms neither the feed nor the others (S13)', async () => {
  running = await serve()
  const { logFeed } = running.supervisor
  await sayAndKeep(followLogs)
  await until('it follows', () => logFeed.followers === 1)
  const loop: Record<string, unknown> = { ...logRecord('x') }
  loop['loop'] = loop
  expect(() => logFeed.emit(loop as never)).not.toThrow()
  expect(running.errors).toHaveLength(1)
})
