// A listener that the new workers open later than their first one is kept for them meanwhile: its queue waits.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { mixedLanes, mustHaveLostNothing, startLoad, type Load } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { canConnect } from '../support/plain-app.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

/** The mix on each target at once. */
async function loadEach(targets: readonly Target[]): Promise<Load> {
  const lanes = targets.flatMap((target) => mixedLanes({ webSockets: 0, target }))
  const load = startLoad({ lanes, ratePerSecond: 1_000, durationMs: 60_000 })
  await load.answers(300)
  return load
}

describe('supervise reload', () => {
  it('hands over a listener that comes 3 s after the boot, while the first one serves (A11)', async () => {
    const port = await freePort(2)
    const variables = ['--env', `SECOND_PORT=${port + 1}`, '--env', 'LATE_MS=3000']
    const args = [fixture('late-second-listen.js'), '-i', '2', '--port', String(port), ...variables, ...QUICK]
    const supervise = await startSupervise(args)
    const late = { host: '127.0.0.1', port: port + 1 }
    await until(() => canConnect(late), 8_000, 'the second port accepts')
    const load = await loadEach([{ host: '127.0.0.1', port }, late])

    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    const [first = 0] = await supervise.pids()
    await until(async () => (await get(late)).pid === first, 8_000, 'a new worker answers on the late port')

    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})
