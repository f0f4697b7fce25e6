// What is found of one app: whether it can be reached, and what a reload would say.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { appFacts } from '../../../src/control/checkup/app-facts.ts'
import { connectInstance } from '../../../src/control/client.ts'
import type { ListenerStatus } from '../../../src/control/messages.ts'
import { connectionLost } from '../../../src/errors/control.ts'
import { SuperviseError } from '../../../src/errors.ts'
import type { SupervisorOperations } from '../../../src/supervisor/operations.ts'
import { freePort } from '../../support/free-port.ts'
import { until } from '../../support/until.ts'
import { makeDirectory } from '../../supervisor/command-scene.ts'
import { scriptSupervisor, serve } from '../scripted-supervisor.ts'

async function factsOf(listeners: readonly ListenerStatus[], script: Partial<SupervisorOperations> = {}) {
  const running = await serve(script)
  onTestFinished(() => running.stop())
  const [app] = scriptSupervisor().operations.status().apps
  if (app === undefined) throw new Error('The script has no app')
  return appFacts({ ...app, listeners }, connectInstance(running.directory))
}

async function listenOn(place: { readonly host: string; readonly ipv6Only?: boolean } | { readonly path: string }) {
  const server = createServer((socket) => socket.destroy())
  onTestFinished(() => void server.close())
  server.listen('path' in place ? place : { port: 0, ...place })
  await once(server, 'listening')
  const address = server.address() as AddressInfo | string
  return typeof address === 'string' ? 0 : address.port
}

function at(address: string | null, port: number | null, path: string | null = null): ListenerStatus {
  return { address, port, path, slots: 1 }
}

function pipes(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('Pipe')).length
}

describe('appFacts()', () => {
  // The first of all: others leave connections that are still ending.
  it('waits for no config that takes longer, and lets go of the question', async () => {
    const before = pipes()
    const { configProblem } = await factsOf([], { diff: () => new Promise(() => {}) })
    expect(configProblem).toBeNull()
    // The server of it is one; a connection would be two more, and would keep a process that has said all it has to say.
    await until(() => pipes() <= before + 1, 5000, 'no connection is left')
  })

  // As where IPv6 is off: `::` is listened on, and `::1` is no address.
  it.each(['127.0.0.1', '::1'])('reaches at %s what listens on any address', async (host) => {
    const port = await listenOn({ host, ipv6Only: true })
    expect((await factsOf([at('::', port), at(null, port)])).unreachable).toEqual([])
  })

  it('reaches a path, and one address alone', async () => {
    const path = join(makeDirectory(), 'web.sock')
    await listenOn({ path })
    const port = await listenOn({ host: '127.0.0.1' })
    expect((await factsOf([at('0.0.0.0', port), at('127.0.0.1', port), at(null, null, path)])).unreachable).toEqual([])
  })

  it('names the addresses on which nobody accepts', async () => {
    const port = await freePort()
    const path = join(makeDirectory(), 'web.sock')
    const { unreachable } = await factsOf([at('::', port), at('127.0.0.1', port), at(null, null, path)])
    expect(unreachable).toEqual([`[::]:${port}`, `127.0.0.1:${port}`, path])
  })

  it('tells why a reload would refuse its config, and of nothing else that goes wrong with the question', async () => {
    const wrong = new SuperviseError('CONFIG_INVALID', 'Cannot use the config', 'Mend it.')
    expect((await factsOf([], { diff: () => Promise.reject(wrong) })).configProblem).toBe('Cannot use the config')
    const lost = connectionLost('diff of "web"', true)
    expect((await factsOf([], { diff: () => Promise.reject(lost) })).configProblem).toBeNull()
  })
})
