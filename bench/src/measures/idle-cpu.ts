// 10. What a supervisor costs that has nothing to do, and what its worker costs beside plain node.

import { setTimeout as pause } from 'node:timers/promises'
import { cpuMs } from '../../../test/support/processes.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { cell, type Cells, type Figure, type Target } from '../figure.ts'
import { sum } from '../statistics.ts'
import { answersFrom } from '../wait.ts'

const SETTLE_MS = 5_000

interface Idle {
  readonly supervisor: number
  readonly worker: number
}

export const idleCpu: Measure = {
  id: 10,
  title: 'Idle CPU',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const few = await idleOf(bench, 4)
    const many = await idleOf(bench, bench.pace.quick ? 10 : 50)
    const supervisor = (idle: ReadonlyMap<string, Idle>) => cellsOf(idle, (each) => each.supervisor)
    const [withFew, withMany] = [supervisor(few), supervisor(many)]
    return [
      { what: 'idle supervisor, 4 workers', unit: '%', cells: withFew, targets: [under(withFew, 0.5)] },
      { what: 'idle supervisor, 50 workers', unit: '%', cells: withMany, targets: [under(withMany, 3)] },
      { what: 'one idle worker of 50', unit: '%', cells: cellsOf(many, (each) => each.worker), targets: [] },
    ]
  },
}

/** All idle at the same time: each is measured by its own processes' clocks. */
async function idleOf(bench: Bench, workers: number): Promise<ReadonlyMap<string, Idle>> {
  const apps = await bench.startAll(['cluster', 'pm2', 'supervise'], { script: HELLO, workers })
  for (const { port } of apps) await answersFrom(port, (pids) => pids.size === workers, 60_000)
  await pause(SETTLE_MS)
  const began = performance.now()
  const before = apps.map(cpuOf)
  await pause(bench.pace.quick ? 3_000 : 20_000)
  const after = apps.map(cpuOf)
  const share = (performance.now() - began) / 100
  await bench.stopAll()
  return new Map(
    apps.map(({ name }, place) => {
      const [first, last] = [before[place], after[place]]
      if (first === undefined || last === undefined) throw new Error('Cannot compare: an app is missing')
      const worker = (last.workers - first.workers) / share / workers
      return [name, { supervisor: (last.supervisor - first.supervisor) / share, worker }]
    }),
  )
}

function cpuOf(app: RunningApp): { readonly supervisor: number; readonly workers: number } {
  return { supervisor: cpuMs(app.supervisorPid), workers: sum(app.workerPids().map(cpuMs)) }
}

function cellsOf(idle: ReadonlyMap<string, Idle>, read: (each: Idle) => number): Cells {
  return Object.fromEntries([...idle].map(([name, each]) => [name, cell([read(each)])]))
}

function under(cells: Cells, limit: number): Target {
  const value = cells.supervise?.value ?? Number.NaN
  return { text: `< ${limit} %`, reached: `${value.toFixed(2)} %`, met: value < limit }
}
