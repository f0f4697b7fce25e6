// A worker whose descriptors run out leaves the queue to its siblings.

import { chmodSync } from 'node:fs'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { Bench, NODE, type TestSupervisor } from './support/test-supervisor.ts'

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

const APP = `
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}).write('pid ' + process.pid))
  server.on('error', (error) => console.log('error', error.code))
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
`

describe('saturation', () => {
  it('stops taking connections while some descriptors are left, and takes them again later (A14)', async () => {
    // Node raises its soft limit to the hard one, so the hard one is what must be small.
    const execPath = bench.app(`#!/bin/sh\nulimit -n 100\nexec ${NODE} "$@"\n`, 'sh')
    chmodSync(execPath, 0o755)
    const app = bench.app(APP)
    const { pid, port } = await supervisor.serve(app, { execPath })
    const sockets: net.Socket[] = []
    const served = new Map<number, string>()
    const connect = (n: number) => {
      const socket = net.connect(port, '127.0.0.1')
      socket.on('data', (data) => served.set(n, String(data)))
      socket.on('error', () => served.set(n, 'error'))
      socket.on('end', () => served.set(n, 'ended'))
      sockets.push(socket)
    }
    for (let n = 0; n < 150; n++) connect(n)
    const saturated = await supervisor.said(pid, 'saturated')
    expect(saturated.limit).toBe(100)
    expect(saturated.descriptors).toBeLessThan(100)
    // Those that wait are served by a sibling, and nobody was turned away.
    const sibling = await supervisor.fork(app, { execPath })
    await supervisor.said(sibling, 'saturated')
    expect([...served.values()].filter((text) => !text.startsWith('pid'))).toEqual([])
    for (const socket of sockets.slice(0, 75)) socket.destroy()
    await supervisor.said(pid, 'unsaturated')
    await expect.poll(() => served.size, { timeout: 8_000 }).toBe(150)
    expect([...served.values()].filter((text) => !text.startsWith('pid'))).toEqual([])
    expect(new Set(served.values())).toEqual(new Set([`pid ${pid}`, `pid ${sibling}`]))
    for (const socket of sockets) socket.destroy()
    expect(supervisor.outputOf(pid)).not.toMatch(/error/)
  })
})
