/* oxlint-disable unicorn/consistent-function-scoping -- what a promise hands out is assigned later */

import { spawn } from 'node:child_process'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { connectInstance } from '../../src/control/client.ts'
import type { AppDescription, InstanceStatus, OperationResult, ProgressLine } from '../../src/control/messages.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import { eventRecord, logRecord, resultOf, serve, stepLine, until, type Running } from './scripted-supervisor.ts'

let running: Running
let other: Server | null = null

afterEach(async () => {
  other?.closeAllConnections()
  other?.close()
  other = null
  await running.stop()
})

async function collect<Line>(lines: AsyncIterable<Line>): Promise<Line[]> {
  const all: Line[] = []
  for await (const line of lines) all.push(line)
  return all
}

/** Something else than our server at the instance's control socket. */
async function serveInstead(server: Server): Promise<void> {
  running = await serve()
  await running.server.close()
  other = server
  await new Promise<void>((resolve) => server.listen(running.directory.controlSocket, () => resolve()))
}

const answering = (text: string, type = 'application/json') =>
  createServer((_, response) => response.setHeader('content-type', type).end(text))

test('get() answers a document, with a query', async () => {
  running = await serve()
  const client = connectInstance(running.directory)
  expect(await client.get<InstanceStatus>('/v1/status')).toMatchObject({ schema: 1, instance: 'test' })
  expect(await client.get<AppDescription>(`/v1/apps/${encodeURIComponent('my app/1')}`)).toMatchObject({
    name: 'my app/1',
  })
  await client.get('/v1/crashes', { app: 'web', other: null, more: undefined })
  expect(running.supervisor.asked).toEqual([{ operation: 'crashes', values: ['web'], cause: null }])
})

test('send() says who asks and answers the result', async () => {
  running = await serve()
  const client = connectInstance(running.directory)
  expect(await client.send<OperationResult>('POST', '/v1/apps/web/scale', { workers: '+1' })).toMatchObject({
    ok: true,
  })
  expect(await client.send<OperationResult>('DELETE', '/v1/apps/web')).toMatchObject({ kind: 'delete' })
  expect(running.supervisor.asked[0]?.cause).toBe(`command by ${userInfo().username}`)
})

test('send() answers a result that is not ok, and throws an error that is none', async () => {
  const error = new SuperviseError('NOT_READY', 'Cannot', 'Fix.', EXIT.rolloutFailed, { lines: ['a'] })
  running = await serve({ reload: () => Promise.resolve(resultOf('reload', { ok: false, error: error.toJSON() })) })
  const client = connectInstance(running.directory)
  expect(await client.send('POST', '/v1/apps/web/reload', {})).toMatchObject({
    ok: false,
    error: { code: 'NOT_READY' },
  })
  const thrown: unknown = await client.send('POST', '/v1/apps/nope/stop', {}).catch((caught: unknown) => caught)
  expect(thrown).toBeInstanceOf(SuperviseError)
  expect(thrown).toMatchObject({ code: 'UNKNOWN_APP', exitCode: EXIT.unknownTarget, fix: 'Look at status.' })
})

test('stream() gives line after line, and the result last', async () => {
  running = await serve({
    reload: (_app, _request, { progress }) => {
      progress(stepLine)
      return Promise.resolve(resultOf('reload'))
    },
  })
  const lines = await collect(
    connectInstance(running.directory).stream<ProgressLine>('POST', '/v1/apps/web/reload', { body: {} }),
  )
  expect(lines).toMatchObject([stepLine, { type: 'result' }])
})

test('stream() carries long lines and letters of several bytes across chunks', async () => {
  running = await serve()
  const long = 'ü€😀'.repeat(50_000)
  running.supervisor.logFeed.recent = [logRecord(long), logRecord(''), logRecord('last')]
  const lines = await collect(connectInstance(running.directory).stream<{ line: string }>('GET', '/v1/logs'))
  expect(lines.map((each) => each.line)).toEqual([long, '', 'last'])
})

test('stream() throws what the supervisor answered instead of lines', async () => {
  running = await serve()
  const client = connectInstance(running.directory)
  await expect(collect(client.stream('POST', '/v1/apps/nope/reload'))).rejects.toMatchObject({ code: 'UNKNOWN_APP' })
  await expect(collect(client.stream('GET', '/v1/logs', { query: { lines: -1 } }))).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    exitCode: EXIT.usage,
  })
})

test('stream() throws an error that comes as the last line', async () => {
  running = await serve({
    reload: (_app, _request, { progress }) => {
      progress(stepLine)
      return Promise.reject(new SuperviseError('LATE', 'Cannot', 'Fix.', EXIT.degraded))
    },
  })
  const seen: ProgressLine[] = []
  const follow = async () => {
    for await (const line of connectInstance(running.directory).stream<ProgressLine>('POST', '/v1/apps/web/reload'))
      seen.push(line)
  }
  await expect(follow()).rejects.toMatchObject({ code: 'LATE', exitCode: EXIT.degraded })
  expect(seen).toHaveLength(1)
})

test('stream() leaves the supervisor when the loop is left', async () => {
  running = await serve()
  const { eventFeed } = running.supervisor
  eventFeed.recent = [eventRecord(1)]
  for await (const event of connectInstance(running.directory).stream('GET', '/v1/events', {
    query: { follow: true },
  })) {
    expect(event).toMatchObject({ seq: 1 })
    expect(eventFeed.followers).toBe(1)
    break
  }
  await until('it is left', () => eventFeed.followers === 0)
})

test('stream() detaches at its signal, before and after the first line; the operation goes on', async () => {
  let finish = () => {}
  let isDone = false
  running = await serve({
    reload: async (_app, _request, { progress }) => {
      progress(stepLine)
      await new Promise<void>((resolve) => (finish = resolve))
      isDone = true
      return resultOf('reload')
    },
  })
  const client = connectInstance(running.directory)
  const detach = new AbortController()
  const lines = client.stream('POST', '/v1/apps/web/reload', { signal: detach.signal })[Symbol.asyncIterator]()
  await lines.next()
  const next = lines.next()
  detach.abort(new Error('Ctrl-C'))
  await expect(next).rejects.toThrow('Ctrl-C')
  await expect(collect(client.stream('GET', '/v1/logs', { signal: detach.signal }))).rejects.toThrow('Ctrl-C')
  finish()
  await until('the operation is done', () => isDone)
})

test('a stream that follows ends with the server, without an error', async () => {
  running = await serve()
  const all = collect(connectInstance(running.directory).stream('GET', '/v1/logs', { query: { follow: true } }))
  await until('it follows', () => running.supervisor.logFeed.followers === 1)
  await running.server.close()
  expect(await all).toEqual([])
})

test('an instance that is not there is not running: exit 3, and what to type', async () => {
  running = await serve()
  const client = connectInstance(running.directory)
  await running.server.close()
  const notRunning = { code: 'NOT_RUNNING', exitCode: EXIT.notRunning, fix: expect.stringContaining('supervise start') }
  await expect(client.get('/v1/status')).rejects.toMatchObject(notRunning)
  await expect(collect(client.stream('GET', '/v1/logs'))).rejects.toMatchObject(notRunning)
  rmSync(running.directory.root, { recursive: true })
  await expect(client.send('POST', '/v1/stop')).rejects.toMatchObject(notRunning)
})

test.skipIf(process.getuid?.() === 0)('an instance of another user is not permitted: exit 77', async () => {
  running = await serve()
  chmodSync(running.directory.controlSocket, 0)
  await expect(connectInstance(running.directory).get('/v1/status')).rejects.toMatchObject({
    exitCode: EXIT.noPermission,
  })
})

test.each([
  ['an answer that is not JSON', 'nonsense', 'UNREADABLE_ANSWER'],
  ['an empty answer', '', 'UNREADABLE_ANSWER'],
  ['an answer that is no document', '3', 'UNREADABLE_ANSWER'],
  ['an answer of another schema', '{"schema":2}', 'OTHER_SCHEMA'],
  ['an answer without schema', '{}', 'OTHER_SCHEMA'],
])('get() refuses %s', async (_, text, code) => {
  await serveInstead(answering(text))
  await expect(connectInstance(running.directory).get('/v1/status')).rejects.toMatchObject({ code })
})

test('stream() refuses what is not a stream, and lines that are not JSON', async () => {
  await serveInstead(answering('{"schema":1}'))
  await expect(collect(connectInstance(running.directory).stream('GET', '/v1/logs'))).rejects.toMatchObject({
    code: 'UNREADABLE_ANSWER',
  })
  other?.removeAllListeners('request').on('request', (_, response) => {
    response.setHeader('content-type', 'application/x-ndjson').end('{"schema":1}\nnonsense\n')
  })
  await expect(collect(connectInstance(running.directory).stream('GET', '/v1/logs'))).rejects.toMatchObject({
    code: 'UNREADABLE_ANSWER',
  })
})

test('a connection that is cut under a living supervisor says that the operation goes on: exit 7', async () => {
  running = await serve({ reload: () => new Promise(() => {}) }, {})
  const client = connectInstance(running.directory)
  const lines = client.stream('POST', '/v1/apps/web/reload')[Symbol.asyncIterator]()
  const cut = createServer((request, response) => {
    if (request.url === '/v1/ping')
      response.end(JSON.stringify({ schema: 1, instance: 'test', pid: 1, version: '0', uptimeSeconds: 1_000 }))
    else response.setHeader('content-type', 'application/x-ndjson').write('{"schema":1}\n{"sch')
  })
  await running.server.close()
  other = cut
  await new Promise<void>((resolve) => cut.listen(running.directory.controlSocket, () => resolve()))
  await lines.next()
  const next = lines.next()
  cut.closeAllConnections()
  await expect(next).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    exitCode: EXIT.timedOut,
    message: 'Cannot follow reload of "web": the connection to the supervisor ended before the result',
    fix: expect.stringContaining('goes on'),
  })
})

test('a connection that ends with its supervisor says so, also when a new one is there already', async () => {
  await serveInstead(
    createServer((request, response) => {
      if (request.url !== '/v1/ping') return request.socket.destroy()
      return response.end(JSON.stringify({ schema: 1, instance: 'test', pid: 2, version: '0', uptimeSeconds: 0 }))
    }),
  )
  await expect(connectInstance(running.directory).send('POST', '/v1/apps/web/reload')).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: 'Cannot follow reload of "web": the supervisor ended before the result',
  })
})

test('a supervisor that does not answer is found out in 5 s: exit 7', async () => {
  await serveInstead(createServer(() => {}))
  const startedAt = performance.now()
  await expect(connectInstance(running.directory).get('/v1/status')).rejects.toMatchObject({
    code: 'SUPERVISOR_SILENT',
    exitCode: EXIT.timedOut,
  })
  expect(performance.now() - startedAt).toBeLessThan(6_000)
})

test('a supervisor that still answers pings is waited for, however long an operation takes', async () => {
  let finish = () => {}
  let pings = 0
  running = await serve({
    ping: () => {
      pings += 1
      if (pings === 2) finish()
      return { instance: 'test', pid: 1, version: '0', uptimeSeconds: 1 }
    },
    reload: () => new Promise((resolve) => (finish = () => resolve(resultOf('reload')))),
  })
  expect(await connectInstance(running.directory).send('POST', '/v1/apps/web/reload')).toMatchObject({ ok: true })
  expect(pings).toBe(2)
})

test('the client lets its process end as soon as it is answered', async () => {
  running = await serve()
  const client = fileURLToPath(new URL('../../src/control/client.ts', import.meta.url))
  const script = `import(process.argv[1])
    .then((m) => m.connectInstance(JSON.parse(process.argv[2])).get('/v1/status'))
    .then(() => console.log('answered'))`
  const child = spawn(process.execPath, ['-e', script, client, JSON.stringify(running.directory)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const answeredAt = performance.now()
  expect(await ended).toBe(0)
  // A connection or a timer that is left would hold it for the 5 s of either.
  expect(performance.now() - answeredAt).toBeLessThan(3_000)
})
