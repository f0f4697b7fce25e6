// 24. The supervisor is followed by another one, as after an installation of a newer version, again and again under load.

import { HELLO, type Bench, type Measure } from '../bench.ts'
import { exactly, ownFigure, type Figure } from '../figure.ts'
import { startInBackground } from '../in-background.ts'
import { lifeAt, lostIn, timesOf, turnsUnderLoad } from '../turns-under-load.ts'

export function upgrades(count: number): Measure {
  return {
    id: 24,
    title: `${count} upgrades of the supervisor`,
    async run(bench: Bench): Promise<readonly Figure[]> {
      const { app, end } = await startInBackground(bench, HELLO)
      let changed = 0
      try {
        const lived = await turnsUnderLoad(bench, app.port, count, async () => {
          const before = await lifeAt(app.controlSocket)
          const { code, output, tookMs } = await app.command('upgrade')
          const after = await lifeAt(app.controlSocket)
          if (code !== 0 || after.pid === before.pid) throw new Error(`No upgrade, exit code ${code}: ${output}`)
          if (after.workers !== before.workers) changed++
          return tookMs
        })
        return [
          lostIn(`${count} upgrades`, lived),
          ...timesOf('one `supervise upgrade`', lived),
          ownFigure('upgrades after which a worker was another', 'count', changed, { target: exactly(0, changed) }),
        ]
      } finally {
        await end()
      }
    },
  }
}
