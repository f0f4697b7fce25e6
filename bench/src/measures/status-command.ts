// 8. How long the command takes that shows what runs.

import { HELLO, type Bench, type Measure } from '../bench.ts'
import { atMost, below, type Cells, type Figure } from '../figure.ts'
import { percentile } from '../statistics.ts'
import { takeTurns } from '../turns.ts'

export const statusCommand: Measure = {
  id: 8,
  title: 'Status command',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const apps = await bench.startAll(['pm2', 'supervise'], { script: HELLO, workers: 2 })
    const cells = await takeTurns(apps, bench.pace.quick ? 3 : 10, async (app) => {
      const { code, output, tookMs } = await app.status()
      if (code !== 0) throw new Error(`The status command of ${app.name} exited with ${code}:\n${output}`)
      return tookMs
    })
    await bench.stopAll()
    const worst: Cells = Object.fromEntries(
      Object.entries(cells).map(([name, { samples }]) => [name, { value: percentile(samples, 0.9), samples }]),
    )
    return [
      {
        what: '`supervise status`, `pm2 list`',
        unit: 'ms',
        cells,
        targets: [atMost(cells, 100, ' ms'), below(cells, 'pm2')],
      },
      { what: 'the same, p90', unit: 'ms', cells: worst, targets: [] },
    ]
  },
}
