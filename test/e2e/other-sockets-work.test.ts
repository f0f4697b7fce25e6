// Servers without HTTP, and sockets that are not gated, work as under plain node, with two workers and through a reload.

import dgram from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { get } from '../support/get.ts'
import { startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

describe('two workers', () => {
  it('serve a TCP server without HTTP, and a reload waits for its connections until the deadline', async () => {
    const { supervise, target } = await startApp(fixture('hello-net.js'))
    const load = startLoad({ target, lanes: [{ kind: 'tcpEcho', connections: 8, thinkMs: [0, 20] }] })
    await load.answers(200)
    mustExit(await supervise.cli('reload'), 0)
    await load.answers(200)
    const report = await load.stop()
    expect(report.failures.refused + report.failures.reset + report.failures.wrongBody).toBe(0)
    await supervise.stop()
  })

  it('leave a socket with `exclusive: true` to the worker that got it first', async () => {
    const { supervise, target } = await startApp(fixture('exclusive.js'), ['-i', '1'])
    expect((await get(target)).text).toBe('hello\n')
    const [pid] = await supervise.pids()
    expect((await get(target)).pid).toBe(pid)

    const result = await supervise.cli('scale', '2')
    mustExit(result, 1)
    expect(result.stdout + result.stderr).toContain('EADDRINUSE')
    expect((await get(target)).pid).toBe(pid)
    expect((await supervise.app()).instances).toBe(1)
    await supervise.stop()
  })

  it('answer datagrams on one UDP port, also after a reload', async () => {
    const { supervise, target, port } = await startApp(fixture('udp.js'))
    const ask = async (): Promise<number> => {
      const socket = dgram.createSocket('udp4')
      onTestFinished(() => void socket.close())
      const answer = once(socket, 'message')
      socket.send('ping', port, '127.0.0.1')
      const [data]: [Buffer] = await Promise.race([
        answer as Promise<[Buffer]>,
        new Promise<[Buffer]>((resolve) => setTimeout(() => resolve([Buffer.from('0 lost')]), 1_000)),
      ])
      return Number(data.toString().split(' ')[0])
    }
    const before = await supervise.pids()
    await until(async () => before.includes(await ask()), 5_000, 'a worker answers a datagram')
    expect((await get(target)).status).toBe(200)

    mustExit(await supervise.cli('reload'), 0)
    const after = await supervise.pids()
    await until(async () => after.includes(await ask()), 5_000, 'a new worker answers a datagram')
    await supervise.stop()
  })
})
