// Clients that stay connected keep their worker, whatever was reloaded since, until the drain's deadline.

import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

/** Far longer than three reloads take on a busy machine. */
const DEADLINE_MS = 20_000

interface Connected {
  readonly pid: number
  /** Resolves when this socket has echoed. */
  echo(text: string): Promise<unknown>
  readonly closed: { code: number; reason: string }[]
  end(): void
}

async function connect(port: number): Promise<Connected> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`)
  onTestFinished(() => socket.terminate())
  const echoed = new Set<string>()
  const closed: { code: number; reason: string }[] = []
  let pid = 0
  socket.on('upgrade', ({ headers }) => (pid = Number(headers['x-pid'])))
  socket.on('message', (data: Buffer) => echoed.add(data.toString()))
  socket.on('close', (code, reason) => closed.push({ code, reason: reason.toString() }))
  await until(() => socket.readyState === WebSocket.OPEN, 5_000, 'the WebSocket is open')
  return {
    pid,
    closed,
    end: () => socket.close(),
    echo(text) {
      socket.send(text)
      return until(() => echoed.has(text), 5_000, `"${text}" is echoed by ${pid}`)
    },
  }
}

describe('WebSocket clients', () => {
  it('of three generations ago are served until their deadline, and no reload waits for them (R21)', async () => {
    const args = ['-i', '1', '--min-ready', '0', '--drain-timeout', `${DEADLINE_MS}ms`, '--drain-spread', '0']
    const { supervise, port } = await startApp(fixture('ws.js'), args)
    const clients = [await connect(port)]
    for (const reload of [1, 2, 3]) {
      /* oxlint-disable no-await-in-loop -- one reload after the other */
      const result = await supervise.cli('reload')
      mustExit(result, 0)
      expect(result.tookMs, `reload ${reload}`).toBeLessThan(DEADLINE_MS)
      clients.push(await connect(port))
      /* oxlint-enable no-await-in-loop */
    }

    expect(new Set(clients.map(({ pid }) => pid)).size).toBe(4)
    await Promise.all(clients.map((client, place) => client.echo(`generation ${place}`)))
    const [oldest, , , newest] = clients
    await until(() => oldest?.closed.length === 1, DEADLINE_MS + 5_000, 'the oldest one is closed')
    expect(oldest?.closed).toMatchObject([{ code: 1001 }])
    await newest?.echo('still here')
    expect(newest?.closed).toEqual([])
    for (const { end } of clients) end()
    await until(async () => (await supervise.pids()).length === 1, 5_000, 'the older workers are gone')
    await supervise.stop()
  })
})
