// The well-behaved fixtures lose nothing under plain `node`: what a promise loses on them was lost by supervise.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { io } from 'socket.io-client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { failuresOf, mixedLanes, runLoad } from './load.ts'
import type { LaneRequest } from './load/options.ts'
import { startPlain } from './plain-app.ts'

const HTTP = ['hello.js', 'express.js', 'fastify.ts', 'koa.js', 'esm.mjs', 'top-level-await.mjs', 'typescript.ts']
const OVER_TLS: LaneRequest[] = mixedLanes({ webSockets: 0 }).map((lane) => Object.assign(lane, { tls: true }))
const HTTP2: LaneRequest = { kind: 'http2', connections: 4, postShare: 0.25, expect: { text: 'hello\n' } }

describe('startPlain()', () => {
  it.each(HTTP)('%s answers the whole mix without a failure, and says who answers', async (script) => {
    const { target, child } = await startPlain(script, { RELEASE: 'r7' })
    const report = await runLoad({ target, durationMs: 600, lanes: mixedLanes({ webSockets: 0 }) })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
    expect(report.pids.map(({ value }) => value)).toEqual([String(child.pid)])
    expect(report.releases.map(({ value }) => value)).toEqual(['r7'])
  })

  it('ws.js answers the mix with WebSockets', async () => {
    const { target } = await startPlain('ws.js')
    const report = await runLoad({ target, requests: 2_000, lanes: mixedLanes() })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
    expect(report.lanes.find(({ lane }) => lane === 'webSocket')?.ok).toBeGreaterThan(10)
  })

  it('hello-https.js answers over TLS', async () => {
    const { target } = await startPlain('hello-https.js')
    const report = await runLoad({ target, durationMs: 600, lanes: OVER_TLS })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
  })

  it.each([
    ['hello-h2c.js', false],
    ['hello-h2.js', true],
  ])('%s answers over HTTP/2', async (script, tls) => {
    const { target } = await startPlain(script)
    const report = await runLoad({ target, requests: 300, lanes: [{ ...HTTP2, tls }] })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
    expect(report.ok).toBeGreaterThan(100)
  })

  it('hello-net.js echoes', async () => {
    const { target } = await startPlain('hello-net.js')
    const report = await runLoad({ target, requests: 300, lanes: [{ kind: 'tcpEcho', connections: 4 }] })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
    expect(report.ok).toBeGreaterThan(100)
  })

  it('unix-socket.js answers on its path', async () => {
    const directory = mkdtempSync('/tmp/sv-')
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const { target } = await startPlain('unix-socket.js', { SOCKET: join(directory, 'app.sock') })
    const report = await runLoad({ target, durationMs: 400, lanes: mixedLanes({ webSockets: 0 }) })
    expect(failuresOf(report)).toMatchObject({ failed: 0 })
  })

  it('hello.js streams the pattern that the load client checks', async () => {
    const { target } = await startPlain('hello.js')
    const lane: LaneRequest = { kind: 'once', connections: 2, path: '/stream?mb=3', expect: { patternBytes: 3 << 20 } }
    const report = await runLoad({ target, requests: 20, lanes: [lane] })
    expect(failuresOf(report)).toMatchObject({ ok: 20, failed: 0 })
  })

  it('socketio.js acknowledges echoes', async () => {
    const { target } = await startPlain('socketio.js')
    const port = 'port' in target ? target.port : 0
    const socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] })
    onTestFinished(() => void socket.close())
    await expect(socket.timeout(2_000).emitWithAck('echo', 'there and back')).resolves.toBe('there and back')
  })
})
