// A supervisor that is killed costs no request; the next one takes the workers back.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { startSupervise } from '../support/harness.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { isAlive, sendIfAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { until } from '../support/until.ts'

describe('SIGKILL of the supervisor under load', () => {
  it('fails no request, and the next supervisor adopts the same pids (S1, S2)', async () => {
    const port = await freePort()
    const args = [
      fixture('ws.js'),
      '-i',
      '2',
      '--port',
      String(port),
      '--min-ready',
      '0',
      '--drain-timeout',
      '3s',
      '--drain-spread',
      '0',
    ]
    const first = await startSupervise(args)
    const load = startLoad({ target: { host: '127.0.0.1', port }, lanes: mixedLanes(), durationMs: 60_000 })
    await load.answers(500)
    const pids = await first.pids()

    first.signal('SIGKILL')
    await first.ended()
    await load.answers(2000)
    expect(pids.every((pid) => isAlive(pid))).toBe(true)

    const second = await startSupervise(args, { home: first.home })
    expect(new Set(await second.pids())).toEqual(new Set(pids))
    expect((await second.workers()).every((worker) => worker.adopted)).toBe(true)
    await load.answers(500)

    // There is no SIGCHLD for somebody else's child.
    const [victim = 0] = pids
    mustHaveLostNothing(await load.stop())
    sendIfAlive(victim, 'SIGKILL')
    await until(
      async () => !(await second.pids()).includes(victim) && (await second.app()).state === 'online',
      10_000,
      'the dead worker is replaced',
    )

    expect(await second.cli('reload')).toMatchObject({ code: 0 })
    expect((await second.workers()).some((worker) => worker.adopted)).toBe(false)
    await second.stop()
  })
})
