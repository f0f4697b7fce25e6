// A Node that lacks what the link needs: the same messages go over node:cluster's own channel, without adoption.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { get } from './support/clients.ts'
import { Bench, isAlive, type TestSupervisor } from './support/test-supervisor.ts'

let bench: Bench
let supervisor: TestSupervisor

beforeEach(async () => {
  bench = new Bench()
  supervisor = await bench.supervisor()
})

afterEach(() => bench.close())

describe('IpcChannel', () => {
  it('carries the slots to a worker, unseen by the app, which serves on after the supervisor', async () => {
    const poorer = bench.app(`require('node:net')._createServerHandle = undefined`)
    const { pid, port } = await supervisor.serve(
      bench.app(`
        process.on('message', (body) => console.log('app got', JSON.stringify(body)))
        const server = require('node:http').createServer((request, response) => response.end('pid ' + process.pid))
        server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
      `),
      { execArgv: ['--require', poorer] },
    )
    expect((await supervisor.said(pid, 'notice')).text).toMatch(/no net\._createServerHandle/)
    expect((await get({ port })).body).toBe(`pid ${pid}`)
    supervisor.do({ do: 'ipc', pid, body: 'for the app' })
    await supervisor.output(pid, /app got "for the app"/)
    expect(supervisor.outputOf(pid).match(/app got/g)).toHaveLength(1)
    supervisor.say(pid, { type: 'give', key: 'tcp:127.0.0.1:0#0', slots: [0] })
    await supervisor.said(pid, 'slot')
    for (const slot of [0, 1]) supervisor.say(pid, { type: 'detach', key: 'tcp:127.0.0.1:0#0', slot })
    await supervisor.said(pid, 'detached', (message) => message.slot === 1)
    await supervisor.kill()
    await bench.longAlone()
    expect(isAlive(pid)).toBe(true)
    expect((await get({ port })).body).toBe(`pid ${pid}`)
  })
})
