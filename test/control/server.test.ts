/* oxlint-disable typescript/no-unsafe-type-assertion, unicorn/consistent-function-scoping -- a test knows what it was answered */

import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { startControlServer } from '../../src/control/server.ts'
import { EXIT, SuperviseError } from '../../src/errors.ts'
import { ask, codeOfAnswer, post, readAll, say } from './raw-client.ts'
import { resultOf, scriptSupervisor, serve, until, type Running } from './scripted-supervisor.ts'

let running: Running

afterEach(() => running.stop())

test('startControlServer() makes a socket for its own user alone and leaves no temporary name', async () => {
  running = await serve()
  expect(lstatSync(running.directory.controlSocket).mode & 0o777).toBe(0o600)
  expect(readdirSync(running.directory.path).toSorted()).toEqual(['control.sock', 'endpoints', 'output'])
})

test('startControlServer() takes over a dead socket and the leavings of a crash (S5)', async () => {
  running = await serve()
  await running.server.close()
  writeFileSync(running.directory.controlSocket, '')
  writeFileSync(`${running.directory.controlSocket}.new`, '')
  const second = await startControlServer(running.directory, scriptSupervisor().operations, { onError: () => {} })
  expect((await ask(running.directory.controlSocket, '/v1/ping')).status).toBe(200)
  await second.close()
  expect(existsSync(running.directory.controlSocket)).toBe(false)
})

test('close() leaves the socket of a supervisor that took over', async () => {
  running = await serve()
  const second = await startControlServer(running.directory, scriptSupervisor().operations, { onError: () => {} })
  await running.server.close()
  expect((await ask(running.directory.controlSocket, '/v1/ping')).status).toBe(200)
  await second.close()
})

test('close() lets an operation under way answer, and ends what only follows', async () => {
  let finish = () => {}
  running = await serve({
    shutdown: () => new Promise((resolve) => (finish = () => resolve([resultOf('stop')]))),
  })
  const path = running.directory.controlSocket
  const stopped = post(path, '/v1/stop', {})
  const followed = ask(path, '/v1/events?follow')
  await until('the follower is there', () => running.supervisor.eventFeed.followers === 1)
  const closed = running.server.close(2_000)
  finish()
  expect((await stopped).json['results']).toHaveLength(1)
  expect((await followed).status).toBe(200)
  await closed
  expect(running.supervisor.eventFeed.followers).toBe(0)
})

test.each([
  ['/v1/ping', 'pid'],
  ['/v1/status', 'apps'],
  ['/v1/apps/web', 'config'],
  ['/v1/apps/web/diff', 'changes'],
  ['/v1/crashes', 'crashes'],
])('GET %s answers a document with schema and %s', async (path, field) => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, path)
  expect(answer.status).toBe(200)
  expect(answer.json['schema']).toBe(1)
  expect(answer.json).toHaveProperty(field)
})

test.each([
  ['POST', '/v1/apps/web/start', {}, 'start', ['web']],
  ['POST', '/v1/apps/web/reload', { cause: 'new\u0007 code' }, 'reload', ['web', { cause: 'new code' }]],
  ['POST', '/v1/apps/web/restart', { workers: [1, 2] }, 'restart', ['web', { workers: [1, 2] }]],
  ['POST', '/v1/apps/web/scale', { workers: 4 }, 'scale', ['web', { workers: '4' }]],
  ['POST', '/v1/apps/web/scale', { workers: '-1' }, 'scale', ['web', { workers: '-1' }]],
  ['POST', '/v1/apps/web/stop', { now: true }, 'stop', ['web', { now: true }]],
  ['POST', '/v1/apps/web/signal', { signal: 'SIGUSR2' }, 'signal', ['web', { signal: 'SIGUSR2' }]],
  ['DELETE', '/v1/apps/web', {}, 'delete', ['web']],
  ['POST', '/v1/stop', {}, 'stop', [{}]],
])('%s %s with %j asks the supervisor for %s', async (method, path, body, operation, values) => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  })
  expect(answer.status).toBe(200)
  expect(running.supervisor.asked).toEqual([{ operation, values, cause: 'control API' }])
})

test('POST /v1/apps hands a start request on as it is', async () => {
  running = await serve()
  const source = {
    file: null,
    app: null,
    flags: { script: '/a.js', args: ['x'], watch: true },
    directory: '/srv',
    environment: { PATH: '/bin' },
  }
  const answer = await post(running.directory.controlSocket, '/v1/apps', { sources: [source] })
  expect(answer.json['results']).toHaveLength(1)
  expect(running.supervisor.asked[0]?.values).toEqual([{ sources: [source] }])
})

test('an app is found by its decoded name', async () => {
  running = await serve()
  expect((await ask(running.directory.controlSocket, '/v1/apps/my%20app%2F1')).json['name']).toBe('my app/1')
})

test('curl needs to say nothing but the path', async () => {
  running = await serve()
  const curl = ['-sS', '-X', 'POST', '--unix-socket', running.directory.controlSocket]
  const { stdout } = await promisify(execFile)('curl', [...curl, 'http://localhost/v1/apps/web/reload'], {
    timeout: 5_000,
  })
  expect(JSON.parse(stdout)).toMatchObject({ schema: 1, kind: 'reload', ok: true })
})

test.each([
  ['root', 'command by root'],
  ['J%C3%BCrgen', 'command by Jürgen'],
  ['%E0%A4%A', 'command by %E0%A4%A'],
  ['a%0Ab%00%1b[31mc', 'command by a b [31mc'],
  ['x'.repeat(100), `command by ${'x'.repeat(64)}`],
  ['', 'control API'],
  ['%20', 'control API'],
])('the caller %j is noted as the cause %j', async (caller, cause) => {
  running = await serve()
  await post(running.directory.controlSocket, '/v1/apps/web/reload', {}, { 'x-supervise-caller': caller })
  expect(running.supervisor.asked[0]?.cause).toBe(cause)
})

// ---- errors --------------------------------------------------------------------------------------

test.each([
  [EXIT.usage, 400],
  [EXIT.unknownTarget, 404],
  [EXIT.busy, 409],
  [EXIT.invalidConfig, 422],
  [EXIT.noPermission, 403],
  [EXIT.rolloutFailed, 500],
] as const)('an error with exit code %i has status %i and keeps its code, fix and lines', async (exitCode, status) => {
  const error = new SuperviseError('SOME_CODE', 'Cannot do it: so', 'Do this.', exitCode, { lines: ['a'] })
  running = await serve({ reload: () => Promise.reject(error) })
  const answer = await post(running.directory.controlSocket, '/v1/apps/web/reload', {})
  expect(answer.status).toBe(status)
  expect(answer.json).toEqual({ schema: 1, error: error.toJSON() })
})

test('an operation that failed answers its result with the status of its error, never 200', async () => {
  const error = new SuperviseError('NOT_READY', 'Cannot reload', 'Look.', EXIT.rolloutFailed).toJSON()
  running = await serve({ reload: () => Promise.resolve(resultOf('reload', { ok: false, error })) })
  const answer = await post(running.directory.controlSocket, '/v1/apps/web/reload', {})
  expect(answer.status).toBe(500)
  expect(answer.json).toMatchObject({ schema: 1, ok: false, kind: 'reload' })
})

test.each([
  [
    'thrown',
    () => {
      throw new TypeError('surprise')
    },
  ],
  ['rejected', () => Promise.reject(new TypeError('surprise'))],
  [
    'not even an error',
    () => {
      throw 'surprise'
    },
  ], // oxlint-disable-line no-throw-literal
] as const)('an unexpected error, %s, is INTERNAL, reported, and ends nothing', async (_, diff) => {
  running = await serve({ diff })
  const answer = await ask(running.directory.controlSocket, '/v1/apps/web/diff')
  expect(answer.status).toBe(500)
  expect(codeOfAnswer(answer)).toBe('INTERNAL')
  expect(answer.text).toContain('surprise')
  expect(running.errors).toHaveLength(1)
  expect((await ask(running.directory.controlSocket, '/v1/ping')).status).toBe(200)
})

test('an answer that cannot be written as JSON is INTERNAL', async () => {
  const loop: Record<string, unknown> = {}
  loop['loop'] = loop
  running = await serve({ diff: () => Promise.resolve(loop as never) })
  expect(codeOfAnswer(await ask(running.directory.controlSocket, '/v1/apps/web/diff'))).toBe('INTERNAL')
})

test('an unknown path is 404 with a list of the routes', async () => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, '/v2/status')
  expect(answer.status).toBe(404)
  expect((answer.json['error'] as { lines: string[] }).lines).toContain('POST   /v1/apps/:app/reload')
})

test('a wrong method is 405 and names the right ones', async () => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, '/v1/apps/web', { method: 'PUT' })
  expect(answer.status).toBe(405)
  expect(answer.headers['allow']).toBe('GET, DELETE')
})

test.each([
  ['/v1/apps/%E0%A4%A', 400],
  ['//', 400],
  ['/v1/apps/', 404],
  ['/v1/apps//reload', 404],
  ['/v1/status/', 404],
  ['/v1/status?verbose=1', 400],
  ['/v1/logs?lines=-1', 400],
  ['/v1/logs?lines=1e3', 400],
  ['/v1/logs?lines=100001', 400],
  ['/v1/logs?lines=1&lines=2', 400],
  ['/v1/logs?worker=0', 400],
  ['/v1/logs?worker=x', 400],
  ['/v1/logs?stream=stdin', 400],
  ['/v1/logs?follow=maybe', 400],
  ['/v1/events?worker=1', 400],
  ['/v1/apps/nope', 404],
])('GET %s is refused with %i', async (path, status) => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, path)
  expect(answer.status).toBe(status)
  expect(answer.json['error']).toMatchObject({ code: expect.any(String), fix: expect.stringMatching(/\.|:$/) })
})

const source = { directory: '/srv' }

test.each([
  ['/v1/apps/web/start', { now: true }],
  ['/v1/apps/web/reload', { cause: 1 }],
  ['/v1/apps/web/reload', { casue: 'x' }],
  ['/v1/apps/web/restart', { workers: [] }],
  ['/v1/apps/web/restart', { workers: [0] }],
  ['/v1/apps/web/restart', { workers: '1' }],
  ['/v1/apps/web/scale', {}],
  ['/v1/apps/web/scale', { workers: -2 }],
  ['/v1/apps/web/scale', { workers: 1.5 }],
  ['/v1/apps/web/scale', { workers: 'many' }],
  ['/v1/apps/web/stop', { now: 'yes' }],
  ['/v1/apps/web/signal', {}],
  ['/v1/apps/web/signal', { signal: 9 }],
  ['/v1/apps/web/signal', { signal: 'rm -rf' }],
  ['/v1/apps/web/reload?app=web', {}],
  ['/v1/apps', {}],
  ['/v1/apps', { sources: [] }],
  ['/v1/apps', { sources: [null] }],
  ['/v1/apps', { sources: [{}] }],
  ['/v1/apps', { sources: [{ directory: 'relative' }] }],
  ['/v1/apps', { sources: [{ ...source, file: 'relative' }] }],
  ['/v1/apps', { sources: [{ ...source, app: 1 }] }],
  ['/v1/apps', { sources: [{ ...source, flags: { a: 1 } }] }],
  ['/v1/apps', { sources: [{ ...source, flags: [] }] }],
  ['/v1/apps', { sources: [{ ...source, environment: { A: null } }] }],
  ['/v1/apps', { sources: [{ ...source, extra: 1 }] }],
  ['/v1/stop', { force: true }],
])('POST %s with %j is refused with 400 before anything is asked', async (path, body) => {
  running = await serve()
  const answer = await post(running.directory.controlSocket, path, body)
  expect([answer.status, codeOfAnswer(answer)]).toEqual([400, 'BAD_REQUEST'])
  expect(running.supervisor.asked).toEqual([])
})

test.each([
  ['broken JSON', 400, { body: '{"a":', headers: { 'content-type': 'application/json' } }],
  ['a list', 400, { body: '[]', headers: { 'content-type': 'application/json' } }],
  ['null', 400, { body: 'null', headers: { 'content-type': 'application/json' } }],
  [
    'bytes that are not UTF-8',
    400,
    { body: Buffer.from([0x22, 0xff, 0x22]), headers: { 'content-type': 'application/json' } },
  ],
  ['a form', 415, { body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['no content type', 415, { body: '{}' }],
  ['another charset', 415, { body: '{}', headers: { 'content-type': 'application/json; charset=latin1' } }],
  ['compressed', 415, { body: '{}', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } }],
])('a body that is %s is refused with %i', async (_, status, request) => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, '/v1/apps/web/reload', { method: 'POST', ...request })
  expect(answer.status).toBe(status)
})

test('a body with a charset of UTF-8 is taken', async () => {
  running = await serve()
  const headers = { 'content-type': 'application/json; charset=UTF-8' }
  expect((await post(running.directory.controlSocket, '/v1/apps/web/reload', {}, headers)).status).toBe(200)
})

test.each([
  ['announced', { 'content-length': String(1_048_577) }],
  ['chunked', { 'transfer-encoding': 'chunked' }],
])('a body over 1 MB, %s, is refused with 413', async (_, headers) => {
  running = await serve()
  const answer = await ask(running.directory.controlSocket, '/v1/apps/web/reload', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.alloc(1_048_577, 0x20),
  })
  expect([answer.status, codeOfAnswer(answer)]).toEqual([413, 'BODY_TOO_LARGE'])
})

test('a body of 1 MB is taken', async () => {
  running = await serve()
  const environment = { LARGE: 'x'.repeat(1_048_000) }
  const answer = await post(running.directory.controlSocket, '/v1/apps', { sources: [{ ...source, environment }] })
  expect(answer.status).toBe(200)
})

test('a body that is announced endlessly is refused while the client still writes', async () => {
  running = await serve()
  const head =
    'POST /v1/apps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n'
  const socket = await say(running.directory.controlSocket, head)
  const answer = await readAll(socket)
  expect(answer).toContain('413 Payload Too Large')
  expect(answer.toLowerCase()).toContain('connection: close')
})
