// 19. What it costs a supervisor to take its workers' lines and write them to a file, and what it costs the workers.

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuMs } from '../../../test/support/processes.ts'
import type { Bench, Measure } from '../bench.ts'
import type { ContenderName, RunningApp } from '../contenders/contender.ts'
import { atMost, cell, type Cell, type Cells, type Figure } from '../figure.ts'
import { sum } from '../statistics.ts'
import { answersFrom } from '../wait.ts'

const CHATTY = fileURLToPath(new URL('../../apps/chatty.js', import.meta.url))
const WORKERS = 4
const LINES_A_SECOND = 10_000
const SETTLE_MS = 5_000

interface Cost {
  readonly supervisor: number
  readonly workers: number
}

export const logLines: Measure = {
  id: 19,
  title: '10,000 log lines a second',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const costs: Record<'pm2' | 'supervise', Cost[]> = { pm2: [], supervise: [] }
    // Turn by turn, so that what the machine does meanwhile falls on both.
    for (let round = 0; round < bench.pace.rounds; round += 1) {
      for (const name of ['pm2', 'supervise'] as const) costs[name].push(await costOf(bench, name, round))
    }
    const supervisor = cellsOf(costs, (cost) => cost.supervisor)
    return [
      {
        what: 'CPU of the supervisor, 4 workers, to a file',
        unit: '%',
        cells: supervisor,
        targets: [atMost(supervisor, 30, ' %')],
      },
      {
        what: 'CPU of the 4 workers that write them',
        unit: '%',
        cells: cellsOf(costs, (cost) => cost.workers),
        targets: [],
      },
    ]
  },
}

async function costOf(bench: Bench, name: ContenderName, round: number): Promise<Cost> {
  process.env['LINES_A_SECOND'] = String(LINES_A_SECOND / WORKERS)
  const file = join(bench.place.directory, `chatty-${round}.log`)
  // PM2 writes to files as well, without an end to them; here they are rotated and compressed, as they are by default.
  const app = await bench.start(name, { script: CHATTY, workers: WORKERS, superviseFlags: ['--log-file', file] })
  try {
    await answersFrom(app.port, (pids) => pids.size === WORKERS, 60_000)
    await pause(SETTLE_MS)
    const [began, before] = [performance.now(), cpuOf(app)]
    await pause(bench.pace.quick ? 3_000 : 12_000)
    const after = cpuOf(app)
    const share = (performance.now() - began) / 100
    return {
      supervisor: (after.supervisor - before.supervisor) / share,
      workers: (after.workers - before.workers) / share,
    }
  } finally {
    await bench.stop(app)
  }
}

function cpuOf(app: RunningApp): Cost {
  return { supervisor: cpuMs(app.supervisorPid), workers: sum(app.workerPids().map(cpuMs)) }
}

function cellsOf(costs: Readonly<Record<'pm2' | 'supervise', readonly Cost[]>>, read: (cost: Cost) => number): Cells {
  const of = (list: readonly Cost[]): Cell => cell(list.map(read))
  return { pm2: of(costs.pm2), supervise: of(costs.supervise) }
}
