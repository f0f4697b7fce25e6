// 6. From the start of the command, with nothing running, to the first answer, less what the app itself takes for it.

import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { AppPlan, ContenderName } from '../contenders/contender.ts'
import { atMost, below, cell, type Figure } from '../figure.ts'
import { median } from '../statistics.ts'
import { ownBoot } from './own-boot.ts'

const PLAN: AppPlan = { script: HELLO, workers: 2 }
const NAMES = ['cluster', 'pm2', 'supervise'] as const

export const start: Measure = {
  id: 6,
  title: 'Start',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const boots: number[] = []
    const detached: number[] = []
    const taken: Record<(typeof NAMES)[number], number[]> = { cluster: [], pm2: [], supervise: [] }
    for (let turn = 0; turn < bench.pace.rounds; turn++) {
      boots.push(await ownBoot(bench))
      for (const name of NAMES) taken[name].push(await firstAnswerMs(bench, name, PLAN))
      detached.push(await firstAnswerMs(bench, 'supervise', { ...PLAN, detached: true }))
    }
    const boot = median(boots)
    const beyond = (samples: readonly number[]) => cell(samples.map((sample) => sample - boot))
    const cells = {
      cluster: beyond(taken.cluster),
      pm2: beyond(taken.pm2),
      supervise: beyond(taken.supervise),
    }
    const inBackground = { pm2: cells.pm2, supervise: beyond(detached) }
    return [
      { what: "the app's own boot, to its first answer", unit: 'ms', cells: { node: cell(boots) }, targets: [] },
      { what: 'start to first answer, beyond own boot', unit: 'ms', cells, targets: [atMost(cells, 200, ' ms')] },
      {
        what: 'the same, into the background (`start -d`)',
        unit: 'ms',
        cells: inBackground,
        targets: [below(inBackground, 'pm2')],
      },
    ]
  },
}

async function firstAnswerMs(bench: Bench, name: ContenderName, plan: AppPlan): Promise<number> {
  const app = await bench.start(name, plan)
  await bench.stop(app)
  return app.firstAnswerMs
}
