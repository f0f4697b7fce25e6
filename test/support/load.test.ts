// The load client must itself be trusted: each fault that it looks for is made on purpose here, and must get its right name.

import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocketServer } from 'ws'
import { goodAnswer, portOf, serve } from './bad-servers.ts'
import { freePort } from './free-port.ts'
import { failuresOf, mixedLanes, runLoad, startLoad, type Report } from './load.ts'
import type { LaneKind, Target } from './load/options.ts'

const KEEP_ALIVE = { kind: 'keepAlive', connections: 4, expect: { text: 'hello\n' } } as const

/** A short run of one lane; returns what failed, by kind. */
async function failuresAt(target: Target, kind: LaneKind = 'keepAlive', requests = 40): Promise<[object, Report]> {
  const report = await runLoad({
    target,
    requests,
    durationMs: 5_000,
    timeoutMs: 400,
    lanes: [{ ...KEEP_ALIVE, kind }],
  })
  return [Object.fromEntries(Object.entries(report.failures).filter(([, count]) => count > 0)), report]
}

async function listen(server: net.Server): Promise<Target> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { host: '127.0.0.1', port: portOf(server) }
}

function http2Server(onStream: (stream: http2.ServerHttp2Stream, n: number) => void): net.Server {
  let streams = 0
  const server = http2.createServer()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    onStream(stream, ++streams)
  })
  return server
}

function answerStream(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'x-pid': '5' })
  stream.end('hello\n')
}

describe('runLoad() against a clean server', () => {
  it('finds no failure in the whole mix, and says who answered', async () => {
    const server = http.createServer((request, response) => {
      response.setHeader('x-pid', '77')
      response.setHeader('x-release', 'r1')
      response.setHeader('x-request-id', request.headers['x-request-id'] ?? '')
      let length = 0
      request.on('data', (chunk: Buffer) => (length += chunk.length))
      request.on('end', () => response.end(request.method === 'POST' ? String(length) : 'hello\n'))
    })
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })))

    const report = await runLoad({ target: await listen(server), requests: 3_000, lanes: mixedLanes() })

    expect(failuresOf(report)).toMatchObject({ failed: 0, failures: {} })
    expect(report.ok).toBeGreaterThan(1_000)
    expect(report.lanes.every((lane) => lane.ok > 0)).toBe(true)
    expect(report.pids.map(({ value }) => value)).toEqual(['77'])
    expect(report.releases.map(({ value }) => value)).toEqual(['r1'])
    sockets.close()
  })

  it('checks a streamed body byte for byte', async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, place) => place % 251))
    const wrong = Buffer.from(body)
    wrong.writeUInt8(wrong.readUInt8(200_000) ^ 1, 200_000)
    let requests = 0
    const server = http.createServer((_request, response) => response.end(++requests % 4 === 0 ? wrong : body))
    const target = await listen(server)

    const lane = { kind: 'keepAlive', connections: 1, expect: { patternBytes: body.length } } as const
    const report = await runLoad({ target, requests: 8, lanes: [lane] })

    expect([report.ok, report.failures.wrongBody]).toEqual([6, 2])
  })

  it('keeps to a rate', async () => {
    const target = await serve((socket) => socket.write(goodAnswer()))
    const report = await runLoad({ target, durationMs: 2_000, ratePerSecond: 200, lanes: [KEEP_ALIVE] })
    expect(report.ok).toBeGreaterThan(100)
    expect(report.ok).toBeLessThanOrEqual((report.tookMs * 200) / 1_000 + 10)
  })

  it('ends on SIGTERM with what it has', async () => {
    const target = await serve((socket) => socket.write(goodAnswer()))
    const load = startLoad({ target, durationMs: 60_000, lanes: [KEEP_ALIVE] })
    await load.answers(100)
    const report = await load.stop()
    expect(report).toMatchObject({ endedBy: 'signal', failed: 0 })
    expect(report.ok).toBeGreaterThanOrEqual(100)
  })
})

describe('runLoad() against a bad server', () => {
  it('counts a reset in place of every 10th answer', async () => {
    const target = await serve((socket, n) => (n % 10 === 0 ? socket.resetAndDestroy() : socket.write(goodAnswer())))
    const [failures, report] = await failuresAt(target, 'once')
    expect(failures).toEqual({ reset: 4 })
    expect(report.ok).toBe(36)
    expect(report.firstFailures[0]).toMatchObject({ kind: 'reset', lane: 'once', bytesSeen: 0 })
  })

  it('finds the one reset among a thousand answers', async () => {
    const target = await serve((socket, n) => (n === 1_000 ? socket.resetAndDestroy() : socket.write(goodAnswer())))
    const [failures] = await failuresAt(target, 'keepAlive', 1_500)
    expect(failures).toEqual({ reset: 1 })
  })

  it('counts a clean end without an answer', async () => {
    const target = await serve((socket, n) => (n % 10 === 0 ? socket.end() : socket.write(goodAnswer())))
    expect((await failuresAt(target))[0]).toEqual({ emptyReply: 4 })
  })

  it('counts an end in the middle of a body, of a header and of a chunk', async () => {
    const cut = [
      goodAnswer().slice(0, -2),
      goodAnswer().slice(0, 30),
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n',
    ]
    const target = await serve((socket, n) => {
      if (n % 10 === 0) socket.end(cut[(n / 10) % 3] ?? '')
      else socket.write(goodAnswer())
    })
    expect((await failuresAt(target))[0]).toEqual({ truncated: 4 })
  })

  it('counts a reset in the middle of a body', async () => {
    const target = await serve((socket, n) => {
      if (n % 10 !== 0) return socket.write(goodAnswer())
      return socket.write(goodAnswer().slice(0, -2), () => setTimeout(() => socket.resetAndDestroy(), 50))
    })
    expect((await failuresAt(target))[0]).toEqual({ truncated: 4 })
  })

  it('counts wrong bodies', async () => {
    const target = await serve((socket, n) =>
      socket.write(goodAnswer('keep-alive', n % 10 === 0 ? 'hullo\n' : 'hello\n')),
    )
    expect((await failuresAt(target))[0]).toEqual({ wrongBody: 4 })
  })

  it('counts the answer to another request as a wrong body', async () => {
    const target = await serve((socket) => socket.write(goodAnswer().replace('x-pid: 1', 'x-request-id: 999999')))
    expect((await failuresAt(target, 'once', 5))[0]).toEqual({ wrongBody: 5 })
  })

  it('counts a length that promises more than comes as a time-out', async () => {
    const target = await serve((socket) => socket.write(goodAnswer().replace('Length: 6', 'Length: 7')))
    const [failures, report] = await failuresAt(target, 'once', 4)
    expect(failures).toEqual({ timedOut: 4 })
    expect(report.firstFailures[0]?.bytesSeen).toBeGreaterThan(50)
  })

  it('counts a length that promises less than comes as bytes after the end', async () => {
    const target = await serve((socket) =>
      socket.write(goodAnswer('keep-alive', 'hello\n').replace('hello\n', 'hello\n!')),
    )
    const [failures, report] = await failuresAt(target, 'keepAlive', 4)
    expect(failures).toEqual({ extraBytes: 4 })
    expect(report.ok).toBe(4)
  })

  it('counts bytes after an answer that announced its close', async () => {
    const target = await serve((socket) => socket.write(goodAnswer('close') + goodAnswer('close')))
    expect((await failuresAt(target, 'once', 4))[0]).toEqual({ extraBytes: 4 })
  })

  it('counts what is no HTTP', async () => {
    const target = await serve((socket) => socket.write('SMTP at your service\r\n\r\n'))
    expect((await failuresAt(target, 'once', 4))[0]).toEqual({ malformed: 4 })
  })

  it('counts statuses other than 200', async () => {
    const target = await serve((socket) => socket.write(goodAnswer().replace('200 OK', '502 Bad Gateway')))
    expect((await failuresAt(target, 'once', 4))[0]).toEqual({ unexpectedStatus: 4 })
  })

  it('counts silence, and a connection that nobody accepts, as time-outs', async () => {
    const target = await serve(() => {})
    expect((await failuresAt(target, 'once', 4))[0]).toEqual({ timedOut: 4 })
  })

  it('counts a port where nobody listens, and a Unix socket that is gone', async () => {
    expect((await failuresAt({ host: '127.0.0.1', port: await freePort() }, 'once', 4))[0]).toEqual({ refused: 4 })
    expect((await failuresAt({ path: '/tmp/sv-no-such-socket' }, 'once', 4))[0]).toEqual({ refused: 4 })
  })

  it('counts requests that were behind an answer with Connection: close', async () => {
    const target = await serve((socket, n) => {
      if (n % 3 === 2) socket.end(goodAnswer('close'))
      else if (socket.writable) socket.write(goodAnswer())
    })
    const [failures, report] = await failuresAt(target, 'pipelined', 12)
    expect(failures).toEqual({ pipelineCut: 4 })
    expect(report.ok).toBe(8)
  })
})

describe('runLoad() and connections that end', () => {
  it('takes an end while nothing is asked for no failure', async () => {
    const target = await serve((socket) => socket.write(goodAnswer(), () => setTimeout(() => socket.end(), 20)))
    const lane = { ...KEEP_ALIVE, thinkMs: [100, 120] } as const
    const report = await runLoad({ target, requests: 12, lanes: [lane] })
    expect(failuresOf(report)).toMatchObject({ ok: 12, failed: 0 })
    expect(report.connections.closedIdle).toBeGreaterThanOrEqual(8)
  })

  it('takes a new connection after Connection: close, and notices whether the server kept its word', async () => {
    const target = await serve((socket, n) =>
      n % 2 === 0 ? socket.end(goodAnswer('close')) : socket.write(goodAnswer()),
    )
    const lane = { ...KEEP_ALIVE, connections: 1 } as const
    const report = await runLoad({ target, requests: 20, lanes: [lane] })
    expect(failuresOf(report)).toMatchObject({ ok: 20, failed: 0 })
    expect(report.connections).toMatchObject({ opened: 10, closedIdle: 0 })
    expect(report.connections.closedAsAnnounced).toBeGreaterThanOrEqual(9)
  })

  it('counts a request that was under way when a keep-alive connection was closed', async () => {
    // The server stops reading before the second request comes, and then resets: what stock `server.close()` does.
    const target = await serve((socket) => {
      socket.write(goodAnswer())
      socket.pause()
      setTimeout(() => socket.resetAndDestroy(), 800)
    })
    const lane = { ...KEEP_ALIVE, thinkMs: [20, 20] } as const
    const report = await runLoad({ target, requests: 8, lanes: [lane] })
    expect(failuresOf(report)).toMatchObject({ ok: 4, failures: { reset: 4 } })
    expect(report.firstFailures[0]).toMatchObject({ requestsBefore: 1, bytesSeen: 0 })
    expect(report.firstFailures[0]?.idleBeforeMs).toBeGreaterThanOrEqual(15)
  })
})

describe('runLoad() over WebSockets', () => {
  it('records close codes, and echoes that were under way apart', async () => {
    const server = http.createServer()
    const sockets = new WebSocketServer({ server })
    let echoes = 0
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => {
        if (++echoes % 10 === 0) socket.close(1001, 'going away')
        else socket.send(data, { binary: false })
      }),
    )
    const target = await listen(server)
    const report = await runLoad({ target, requests: 60, lanes: [{ kind: 'webSocket', connections: 2 }] })
    expect(report.failed).toBe(0)
    expect(report.webSocketCut).toBe(echoes / 10 - ((echoes / 10) % 1))
    expect(report.webSocketCloses).toEqual({ 1001: report.webSocketCut })
    sockets.close()
  })

  it('counts an end without a close frame, idle or not', async () => {
    const server = http.createServer()
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket, request) => {
      setTimeout(() => request.socket.end(), 50)
      socket.on('message', (data) => socket.send(data, { binary: false }))
    })
    const target = await listen(server)
    const lane = { kind: 'webSocket', connections: 2, thinkMs: [150, 150] } as const
    const report = await runLoad({ target, durationMs: 600, lanes: [lane] })
    expect(report.failures.abnormalClose).toBeGreaterThan(1)
    expect(report.webSocketCloses).toEqual({ 1006: report.failures.abnormalClose })
    sockets.close()
  })

  it('counts a handshake that is answered like any request', async () => {
    const target = await serve((socket) => socket.write(goodAnswer()))
    expect((await failuresAt(target, 'webSocket', 4))[0]).toEqual({ unexpectedStatus: 4 })
  })
})

describe('runLoad() over HTTP/2', () => {
  it('finds no failure at a clean server', async () => {
    const [failures, report] = await failuresAt(await listen(http2Server(answerStream)), 'http2', 200)
    expect(failures).toEqual({})
    expect(report.ok).toBe(200)
    expect(report.pids).toHaveLength(1)
  })

  it('counts refused streams apart, and cut ones as failures', async () => {
    const target = await listen(
      http2Server((stream, n) => {
        if (n % 10 === 5) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
        else if (n % 10 === 9) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
        else answerStream(stream)
      }),
    )
    const [failures, report] = await failuresAt(target, 'http2', 40)
    expect(report).toMatchObject({ ok: 32, retryable: 4 })
    expect(failures).toEqual({ emptyReply: 4 })
  })

  it('goes on over a new connection after a GOAWAY', async () => {
    const target = await listen(
      http2Server((stream, n) => {
        answerStream(stream)
        if (n % 20 === 0) stream.session?.close()
      }),
    )
    const [failures, report] = await failuresAt(target, 'http2', 200)
    expect(failures).toEqual({})
    expect(report.ok + report.retryable).toBe(200)
    expect(report.connections.goaways).toBeGreaterThan(3)
  })

  it('counts a port where nobody listens', async () => {
    const target = { host: '127.0.0.1', port: await freePort() }
    expect((await failuresAt(target, 'http2', 8))[0]).toEqual({ refused: 8 })
  })
})

describe('runLoad() over plain TCP', () => {
  it('counts echoes, and ends in the middle of one', async () => {
    let echoes = 0
    const server = net.createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => (++echoes % 10 === 0 ? socket.end(data.subarray(0, 3)) : socket.write(data)))
    })
    const [failures, report] = await failuresAt(await listen(server), 'tcpEcho', 40)
    expect(failures).toEqual({ truncated: 4 })
    expect(report.ok).toBe(36)
  })
})
