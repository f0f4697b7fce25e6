/* oxlint-disable typescript/no-unsafe-type-assertion, unicorn/consistent-function-scoping -- a test knows what it was answered */

import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { supervisorReplaced } from '../../src/errors/upgrade.ts'
import type { SuperviseError } from '../../src/errors.ts'
import { ask, post, readAll, say } from './raw-client.ts'
import { eventRecord, logRecord, resultOf, serve, stepLine, until, type Running } from './scripted-supervisor.ts'

const NO_FILTER = { release: null, group: null, pid: null, since: null, level: null }

let running: Running

afterEach(() => running.stop())

const ndjson = { accept: 'application/x-ndjson' }
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('GET /v1/logs answers what has been, a line each, with schema, and ends', async () => {
  running = await serve()
  running.supervisor.logFeed.recent = [logRecord('a'), logRecord('b\n')]
  const answer = await ask(
    running.directory.controlSocket,
    '/v1/logs?app=web&release=r2&worker=1&stream=stderr&lines=2',
  )
  expect(answer.headers['content-type']).toBe('application/x-ndjson')
  expect(linesOf(answer.text)).toEqual([
    { schema: 1, ...logRecord('a') },
    { schema: 1, ...logRecord('b\n') },
  ])
  expect(running.supervisor.asked[0]?.values).toEqual([
    { ...NO_FILTER, app: 'web', release: 'r2', worker: 1, stream: 'stderr', lines: 2 },
  ])
  expect(running.supervisor.logFeed.followers).toBe(0)
})

test('GET /v1/logs takes filters, and refuses those that it cannot understand', async () => {
  running = await serve()
  const { controlSocket } = running.directory
  await ask(controlSocket, '/v1/logs?release=r2&group=green&pid=7&since=2026-11-26T21:00:00%2B01:00&level=warn')
  const wanted = { release: 'r2', group: 'green', pid: 7, since: '2026-11-26T20:00:00.000Z', level: 'warn' }
  expect(running.supervisor.asked[0]?.values[0]).toMatchObject(wanted)
  for (const query of ['group=red', 'pid=0', 'since=yesterday', 'since=2026-13-01T00:00:00Z', 'level=loud', 'grep=x']) {
    const { status, text } = await ask(controlSocket, `/v1/logs?${query}`)
    expect([query, status, text]).toEqual([query, 400, expect.stringContaining('"BAD_REQUEST"')])
  }
})

test('POST /v1/logs/reopen answers the paths, of one app or of all', async () => {
  running = await serve()
  const { controlSocket } = running.directory
  const answer = await post(controlSocket, '/v1/logs/reopen', { app: 'web' })
  expect(JSON.parse(answer.text)).toEqual({ schema: 1, reopened: ['/var/log/web.log'] })
  await post(controlSocket, '/v1/logs/reopen', {})
  expect(running.supervisor.asked.map(({ values }) => values)).toEqual([['web'], [null]])
})

test('GET /v1/events?follow goes on with what comes, and stops following when the client leaves', async () => {
  running = await serve()
  const { eventFeed } = running.supervisor
  eventFeed.recent = [eventRecord(1)]
  const socket = await say(running.directory.controlSocket, 'GET /v1/events?follow HTTP/1.1\r\nhost: x\r\n\r\n')
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await until('it follows', () => eventFeed.followers === 1 && text.includes('"seq":1'))
  eventFeed.emit(eventRecord(2))
  await until('the second came', () => text.includes('"seq":2'))
  expect(running.server.counts().streams).toBe(1)
  socket.destroy()
  await until('it is forgotten', () => eventFeed.followers === 0)
  expect(running.server.counts().streams).toBe(0)
})

test('what comes while the past is still being sent follows it, nothing lost, doubled or mixed up', async () => {
  running = await serve()
  const { logFeed } = running.supervisor
  logFeed.recent = Array.from({ length: 3_000 }, (_, i) => logRecord(`${i} ${'x'.repeat(1_000)}`))
  const socket = await say(running.directory.controlSocket, 'GET /v1/logs?follow&lines=3000 HTTP/1.0\r\n\r\n')
  socket.pause()
  await until('it follows', () => logFeed.followers === 1)
  for (let i = 3_000; i < 3_100; i++) logFeed.emit(logRecord(`${i} `))
  const text = readAll(socket.resume())
  await until('all has been sent', () => socket.bytesRead > 3_000_000)
  await running.server.close()
  const numbers = [...(await text).matchAll(/"line":"(\d+) /g)].map((match) => Number(match[1]))
  expect(numbers).toEqual(Array.from({ length: 3_100 }, (_, i) => i))
})

test('an operation tells its lines when NDJSON is asked for; the result is the last', async () => {
  running = await serve({
    reload: (_app, _request, { progress }) => {
      progress(stepLine)
      return Promise.resolve(resultOf('reload'))
    },
  })
  const answer = await post(running.directory.controlSocket, '/v1/apps/web/reload', {}, ndjson)
  expect(linesOf(answer.text)).toEqual([
    { schema: 1, ...stepLine },
    { schema: 1, type: 'result', result: resultOf('reload') },
  ])
})

test('an operation on all apps ends with one result for each', async () => {
  running = await serve({ shutdown: () => Promise.resolve([resultOf('stop'), resultOf('stop', { app: 'api' })]) })
  const answer = await post(running.directory.controlSocket, '/v1/stop', {}, ndjson)
  expect(linesOf(answer.text).map((line) => (line['result'] as { app: string }).app)).toEqual(['web', 'api'])
})

test('an operation that is refused at once has an HTTP status, as a stream too', async () => {
  running = await serve()
  expect((await post(running.directory.controlSocket, '/v1/apps/nope/reload', {}, ndjson)).status).toBe(404)
})

test('an operation that breaks after its first line ends with a line that says so', async () => {
  running = await serve({
    reload: async (_app, _request, { progress }) => {
      progress(stepLine)
      await Promise.resolve()
      throw new Error('surprise')
    },
  })
  const answer = await post(running.directory.controlSocket, '/v1/apps/web/reload', {}, ndjson)
  expect(linesOf(answer.text).at(-1)).toMatchObject({ type: 'error', error: { code: 'INTERNAL' } })
})

test('an operation goes on when the client leaves, and its lines harm nobody', async () => {
  let progress: (line: typeof stepLine) => void = () => {}
  let finish = () => {}
  running = await serve({
    reload: (_app, _request, context) => {
      progress = context.progress
      return new Promise((resolve) => (finish = () => resolve(resultOf('reload'))))
    },
  })
  const body = 'POST /v1/apps/web/reload HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n\r\n'
  const socket = connect(running.directory.controlSocket, () => socket.write(body))
  await new Promise<void>((resolve) => socket.once('data', () => resolve()))
  socket.destroy()
  await new Promise((resolve) => socket.once('close', resolve))
  for (let i = 0; i < 1_000; i++) progress(stepLine)
  finish()
  expect((await ask(running.directory.controlSocket, '/v1/ping')).status).toBe(200)
  progress(stepLine)
  expect(running.errors).toEqual([])
})

test('who follows or waits is told when another supervisor takes over, and stays when this one has only moved (S7)', async () => {
  const listeners = new Set<(error: SuperviseError) => void>()
  running = await serve({
    upgrades: {
      upgrade: () => Promise.reject(new Error('not asked')),
      whenInCharge: () => Promise.resolve(),
      onReplaced: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    reload: () => new Promise(() => {}),
    scale: () => Promise.resolve(resultOf('scale')),
  })
  const { controlSocket } = running.directory
  const followed = ask(controlSocket, '/v1/events?follow')
  const waiting = [
    post(controlSocket, '/v1/apps/web/reload', {}),
    post(controlSocket, '/v1/apps/web/reload', {}, ndjson),
  ] as const
  await until('all of them wait', () => listeners.size === 3)
  await post(controlSocket, '/v1/apps/web/scale', { workers: '1' })
  expect(listeners.size).toBe(3)

  running.server.giveWay()
  const { eventFeed } = running.supervisor
  await until('it follows on', () => eventFeed.followers === 1)
  eventFeed.emit(eventRecord(1))
  for (const listener of listeners) listener(supervisorReplaced('test'))
  const error = { code: 'SUPERVISOR_REPLACED', exitCode: 8 }
  expect(linesOf((await followed).text)).toMatchObject([{ seq: 1 }, { type: 'error', error }])
  const [plain, streamed] = await Promise.all(waiting)
  expect([plain.status, plain.json]).toMatchObject([409, { error }])
  // The head may have been out by then.
  expect(linesOf(streamed.text).at(-1)).toMatchObject({ error })
  await until('nobody is left', () => listeners.size === 0)
})
