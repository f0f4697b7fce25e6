// Whatever an app listens on, and whenever, is handed over from one generation to the next.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const LAST_MS = 60_000

/** The mix on each target at once. */
async function loadEach(targets: readonly Target[]): Promise<Load> {
  const lanes = targets.flatMap((target) => mixedLanes({ webSockets: 0, target }))
  const load = startLoad({ lanes, ratePerSecond: 1_000, durationMs: LAST_MS })
  await load.answers(300)
  return load
}

describe('supervise reload', () => {
  it('keeps the port that listen(0) was given, for every worker and generation (A10)', async () => {
    const supervise = await startSupervise([fixture('port-zero.js'), '-i', '3', ...QUICK])
    const port = (await supervise.app()).listeners[0]?.port ?? 0
    expect(port).toBeGreaterThan(0)
    const load = await loadEach([{ host: '127.0.0.1', port }])

    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    expect((await supervise.app()).listeners).toMatchObject([{ port }])
    await load.answers(300)

    mustHaveLostNothing(await load.stop())
    const said = [...supervise.stdout.matchAll(/port (\d+) pid (\d+)/g)]
    expect(new Set(said.map(([, pid]) => pid)).size).toBe(1)
    expect(new Set(said.map(([, , pid]) => pid)).size).toBe(6)
    await supervise.stop()
  })

  it('hands over two ports (A11)', async () => {
    const port = await freePort(2)
    const args = [
      fixture('two-ports.js'),
      '-i',
      '2',
      '--port',
      String(port),
      '--env',
      `SECOND_PORT=${port + 1}`,
      ...QUICK,
    ]
    const supervise = await startSupervise(args)
    const load = await loadEach([port, port + 1].map((each) => ({ host: '127.0.0.1', port: each })))
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(300)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('waits for an app that listens 2 s after its boot (A11)', async () => {
    const port = await freePort()
    const args = [fixture('late-listen.js'), '-i', '2', '--port', String(port), '--env', 'LATE_MS=2000', ...QUICK]
    const supervise = await startSupervise(args)
    const load = await loadEach([{ host: '127.0.0.1', port }])
    const result = await supervise.cli('reload')
    expect(result).toMatchObject({ code: 0 })
    expect(result.tookMs).toBeGreaterThan(2_000)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it.each([
    ['while it served', 500],
    ['before it listened', 0],
  ])('hands over an app that closed its server %s, and listened again (A11)', async (_when, ms) => {
    const port = await freePort()
    const args = ['-i', '2', '--port', String(port), '--env', `RELISTEN_MS=${ms}`, ...QUICK]
    const supervise = await startSupervise([fixture('relisten.js'), ...args])
    await until(() => supervise.stdout.match(/listens again/g)?.length === 2, 8_000, 'both workers listen again')
    const target = { host: '127.0.0.1', port }
    const before = await supervise.pids()
    expect(before).toContain((await get(target)).pid)

    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await until(() => supervise.stdout.match(/listens again/g)?.length === 4, 8_000, 'the new workers listen again')
    const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), requests: 500 })
    mustHaveLostNothing(await load.report)
    await supervise.stop()
  })

  it('hands over `::`, 127.0.0.1 and a second address (A13)', async () => {
    const port = await freePort(2)
    const args = [
      fixture('dual-stack.js'),
      '-i',
      '2',
      '--port',
      String(port),
      '--env',
      `LOOPBACK_PORT=${port + 1}`,
      ...QUICK,
    ]
    const supervise = await startSupervise(args)
    const load = await loadEach([
      { host: '::1', port },
      { host: '127.0.0.1', port },
      { host: '127.0.0.1', port: port + 1 },
      { host: '127.0.0.2', port: port + 1 },
    ])
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    await load.answers(500)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})
