// A Unix socket's path stays and accepts, whichever process bound it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startSupervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'

describe('a Unix-socket listener', () => {
  it('accepts through reloads (A6)', async () => {
    const home = makeHome()
    const path = join(home.work, 'app.sock')
    const supervise = await startSupervise(
      [fixture('unix-socket-kept.js'), '-i', '2', '--env', `SOCKET=${path}`, ...QUICK],
      { home },
    )
    const lanes = mixedLanes({ webSockets: 0 })
    const load = startLoad({ target: { path }, lanes, ratePerSecond: 1_000, durationMs: 60_000 })
    await load.answers(200)

    for (const round of [1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- one reload after the other
      expect(await supervise.cli('reload'), `reload ${round}`).toMatchObject({ code: 0 })
    }
    await load.answers(500)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('accepts again at once when the app unlinks the path at its boot; only that gap shows (A6)', async () => {
    const home = makeHome()
    const path = join(home.work, 'app.sock')
    const args = [fixture('unix-socket.js'), '-i', '2', '--env', `SOCKET=${path}`, ...QUICK]
    const supervise = await startSupervise(args, { home })
    const lanes = mixedLanes({ webSockets: 0 })
    const load = startLoad({ target: { path }, lanes, ratePerSecond: 1_000, durationMs: 60_000 })
    await load.answers(200)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(500)
    const report = await load.stop()
    // Between its unlink and its listen() nobody can connect, under plain node either; nothing else may be lost.
    expect(report.failed).toBe(report.failures.refused)
    expect(report.firstFailures.every(({ detail }) => detail.includes('ENOENT'))).toBe(true)
    expect(report.failed).toBeLessThan(100)
    await supervise.stop()
  })

  it('is there after the worker that listened first was killed (A6)', async () => {
    const home = makeHome()
    const path = join(home.work, 'app.sock')
    const supervise = await startSupervise(
      [fixture('unix-socket.js'), '-i', '2', '--env', `SOCKET=${path}`, ...QUICK],
      { home },
    )
    const [first = 0] = await supervise.pids()

    sendIfAlive(first, 'SIGKILL')
    await supervise.online()
    expect(existsSync(path)).toBe(true)
    const load = startLoad({ target: { path }, lanes: [{ kind: 'once', connections: 4 }], requests: 200 })
    mustHaveLostNothing(await load.report)
    await supervise.stop()
  })
})
