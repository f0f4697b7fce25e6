// 9. What the supervisor itself keeps in memory.
//
// Each contender runs on a copy of the Node binary of its own: PSS divides what several processes share, and every other
// Node process on the machine, this one too, would take some of the supervisor's share away. The workers serve for a while
// first, since a worker that never did has not touched most of what it shares.

import { copyFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pss, rss } from '../../../test/support/processes.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { requestsPerSecond } from '../wrk.ts'
import { atMost, cell, type Cells, type Figure } from '../figure.ts'

const MB = 1_000_000

export const memory: Measure = {
  id: 9,
  title: 'Memory of the supervisor',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const apps: RunningApp[] = []
    for (const name of ['cluster', 'pm2', 'supervise'] as const) {
      const node = join(bench.place.room(), basename(process.execPath))
      copyFileSync(process.execPath, node)
      apps.push(await bench.start(name, { script: HELLO, workers: 2, node }))
    }
    for (const { port } of apps) await requestsPerSecond({ port, seconds: 2, close: false })
    await pause(bench.pace.quick ? 3_000 : 30_000)
    const cellsOf = (read: (pid: number) => number): Cells =>
      Object.fromEntries(apps.map(({ name, supervisorPid }) => [name, cell([read(supervisorPid) / MB])]))
    const [resident, proportional] = [cellsOf(rss), cellsOf(pss)]
    await bench.stopAll()
    return [
      { what: 'RSS of the supervisor, 2 workers', unit: 'MB', cells: resident, targets: [] },
      {
        what: 'PSS of the supervisor, 2 workers',
        unit: 'MB',
        cells: proportional,
        targets: [atMost(proportional, 40, ' MB')],
      },
    ]
  },
}
