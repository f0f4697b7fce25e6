// 7. From the SIGKILL of one worker of 2 until its replacement answers.

import { setTimeout as pause } from 'node:timers/promises'
import { sendIfAlive } from '../../../test/support/processes.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { cell, type Figure } from '../figure.ts'
import { median } from '../statistics.ts'
import { takeTurns } from '../turns.ts'
import { answersFrom } from '../wait.ts'
import { ownBoot } from './own-boot.ts'

const WORKERS = 2

/** So short a life counts as a healthy one, and crashes are forgotten as fast, so that the first crash of a healthy worker is
    what each turn measures. */
const HEALTHY_MS = 500

export const killedWorker: Measure = {
  id: 7,
  title: 'SIGKILL of a worker',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const boots: number[] = []
    const apps = await bench.startAll(['cluster', 'pm2', 'supervise'], {
      script: HELLO,
      workers: WORKERS,
      superviseFlags: ['--min-uptime', `${HEALTHY_MS}ms`, '--window', `${HEALTHY_MS}ms`],
    })
    const cells = await takeTurns(apps, bench.pace.rounds * 2, async (app) => {
      if (app.name === 'cluster') boots.push(await ownBoot(bench))
      return await toFullStrength(app)
    })
    await bench.stopAll()
    const boot = median(boots)
    const limit = 1.1 * boot + 50
    const own = cells.supervise?.value ?? Number.NaN
    const target = {
      text: `≤ 1.1 × own boot + 50 ms (${limit.toFixed(0)} ms)`,
      reached: `${own.toFixed(0)} ms`,
      met: own <= limit,
    }
    return [
      {
        what: 'SIGKILL of a worker of 2 to full strength',
        unit: 'ms',
        cells: { node: cell(boots, 'own boot'), ...cells },
        targets: [target],
      },
    ]
  },
}

async function toFullStrength(app: RunningApp): Promise<number> {
  await answersFrom(app.port, (pids) => pids.size >= WORKERS, 30_000)
  await pause(HEALTHY_MS * 2)
  const before = app.workerPids()
  const [victim] = before
  if (victim === undefined) throw new Error(`Cannot kill a worker of ${app.name}: it has none`)
  const killed = performance.now()
  sendIfAlive(victim, 'SIGKILL')
  const back = await answersFrom(app.port, (pids) => [...pids].some((pid) => !before.includes(pid)), 30_000)
  return back - killed
}
