// A reload may move an app to other ports: the new one answers before the old one stops, and one that cannot be had refuses
// the reload.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { mustExit } from '../support/must-exit.ts'
import { canConnect } from '../support/plain-app.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

const ROLLOUT_FAILED = 5
const LOCAL = '127.0.0.1'

interface Configured {
  readonly supervise: Supervise
  /** Writes the config file anew; nothing is reloaded by it. */
  write(more: object): void
}

async function startConfigured(script: string, first: object): Promise<Configured> {
  const home = makeHome()
  const config = join(home.work, 'supervise.config.json')
  const common = {
    name: 'web',
    script: fixture(script),
    workers: 2,
    minReady: '100ms',
    drainTimeout: '3s',
    readyTimeout: '15s',
  }
  const write = (more: object) => writeFileSync(config, JSON.stringify({ ...common, ...more }))
  write(first)
  return { supervise: await startSupervise([config], { home }), write }
}

/** Looks at a port until `over`: when it was first seen to accept, and when it was last. */
async function watchPort(port: number, over: AbortSignal): Promise<{ first: number; last: number }> {
  let first = Infinity
  let last = -Infinity
  while (!over.aborted) {
    /* oxlint-disable no-await-in-loop -- one look after the other */
    const answers = await get({ host: LOCAL, port }, '/', 2_000).then(
      ({ status }) => status === 200,
      () => false,
    )
    if (answers) first = Math.min(first, performance.now())
    if (answers) last = performance.now()
    await pause(2)
    /* oxlint-enable no-await-in-loop */
  }
  return { first, last }
}

async function reloadWatching(supervise: Supervise, from: number, to: number) {
  const over = new AbortController()
  const watched = Promise.all([watchPort(from, over.signal), watchPort(to, over.signal)])
  const result = await supervise.cli('reload')
  await pause(50)
  over.abort()
  const [old, next] = await watched
  return { result, old, next }
}

/** A port that nobody opens any more is kept for a little while, since an app may open it late. */
async function mustClose(port: number): Promise<void> {
  await until(async () => !(await canConnect({ host: LOCAL, port })), 5_000, `port ${port} is closed`)
}

async function occupy(port: number): Promise<void> {
  const server = net.createServer().listen(port, LOCAL)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
}

describe('supervise reload with another port', () => {
  it('has the new port answer before the old one stops, and going back restores the old one (A8)', async () => {
    const port = await freePort(2)
    // Both ports answer for so long, which two watchers that are kept waiting cannot overlook.
    const minReady = '2s'
    const { supervise, write } = await startConfigured('hello.js', { port, minReady })

    write({ port: port + 1, minReady })
    const there = await reloadWatching(supervise, port, port + 1)
    mustExit(there.result, 0)
    expect(there.next.first).toBeLessThan(there.old.last)
    await mustClose(port)
    expect((await supervise.app()).listeners).toMatchObject([{ port: port + 1 }])

    write({ port, minReady })
    const back = await reloadWatching(supervise, port + 1, port)
    mustExit(back.result, 0)
    expect(back.next.first).toBeLessThan(back.old.last)
    await mustClose(port + 1)
    expect((await get({ host: LOCAL, port })).status).toBe(200)
    await supervise.stop()
  })

  it('leaves nothing on the new port when the new code fails there (A8)', async () => {
    const port = await freePort(2)
    const { supervise, write } = await startConfigured('hello.js', { port })
    const load = startLoad({
      target: { host: LOCAL, port },
      lanes: mixedLanes({ webSockets: 0 }),
      ratePerSecond: 1_000,
    })
    await load.answers(200)

    write({ port: port + 1, script: fixture('crashes-after-ready.js'), minReady: '1s' })
    mustExit(await supervise.cli('reload'), ROLLOUT_FAILED)

    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    await mustClose(port + 1)
    expect((await supervise.app()).listeners).toMatchObject([{ port }])
    await supervise.stop()
  })
})

describe('supervise reload with a port that cannot be had', () => {
  it.each([
    ['is taken', 'it is in use by process', () => ({})],
    ['is on an address that is not here', 'this machine has no such address', () => ({ HOST: '192.0.2.1' })],
  ])('that %s: exit code 5, the reason, and the old workers as they were (A9)', async (_what, words, more) => {
    const port = await freePort(3)
    const taken = port + 2
    await occupy(taken)
    const env = { SECOND_PORT: String(port + 1), HOST: LOCAL }
    const { supervise, write } = await startConfigured('two-ports.js', { port, env })
    const before = await supervise.pids()
    const lanes = [port, port + 1].flatMap((each) => mixedLanes({ webSockets: 0, target: { host: LOCAL, port: each } }))
    const load = startLoad({ lanes, ratePerSecond: 1_000 })
    await load.answers(200)

    write({ port, env: { ...env, SECOND_PORT: String(taken), ...more() } })
    const result = await supervise.cli('reload')

    mustExit(result, ROLLOUT_FAILED)
    const said = result.stdout + result.stderr
    expect(said).toContain(words)
    expect(said).toContain('2 of 2 workers')
    await load.answers(200)
    mustHaveLostNothing(await load.stop())
    expect(new Set(await supervise.pids())).toEqual(new Set(before))
    await until(() => supervise.home.workers().length === 2, 5_000, 'what was tried is gone')
    expect((await supervise.app()).listeners.map((each) => each.port)).toEqual([port, port + 1])
    await supervise.stop()
  })
})
