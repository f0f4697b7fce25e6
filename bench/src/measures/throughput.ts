// Requests a second of several contenders in turns, after a warm-up each, and what CPU each request took of the supervisor and
// its workers together.

import { cpuMs } from '../../../test/support/processes.ts'
import { HELLO, type Bench } from '../bench.ts'
import type { ContenderName, RunningApp } from '../contenders/contender.ts'
import { cell, type Cells, type Figure, type Target } from '../figure.ts'
import { sum } from '../statistics.ts'
import { takeTurns } from '../turns.ts'
import { requestsPerSecond } from '../wrk.ts'

export interface ThroughputPlan {
  readonly contenders: readonly ContenderName[]
  readonly workers: number
  readonly close: boolean
  readonly turns: number
}

export interface Throughput {
  readonly requestsPerSecond: Cells
  /** Hardly depends on what else the machine does, unlike the rate. */
  readonly cpuMicroseconds: Cells
}

export async function measureThroughput(bench: Bench, plan: ThroughputPlan): Promise<Throughput> {
  const { workers, close, turns } = plan
  const seconds = bench.pace.quick ? 1 : 2
  const apps = await bench.startAll(plan.contenders, { script: HELLO, workers })
  const cpu = new Map(apps.map(({ name }) => [name, [] as number[]]))
  for (const { port } of apps) await requestsPerSecond({ port, seconds, close })
  const rates = await takeTurns(apps, turns, async (app) => {
    const before = cpuOf(app)
    const rate = await requestsPerSecond({ port: app.port, seconds, close })
    cpu.get(app.name)?.push(((cpuOf(app) - before) * 1_000) / (rate * seconds))
    return rate
  })
  await bench.stopAll()
  const cpuMicroseconds = Object.fromEntries([...cpu].map(([name, samples]) => [name, cell(samples)]))
  return { requestsPerSecond: rates, cpuMicroseconds }
}

function cpuOf(app: RunningApp): number {
  return sum([...new Set([app.supervisorPid, ...app.workerPids()])].map(cpuMs))
}

export function throughputFigure(
  what: string,
  { requestsPerSecond: cells }: Throughput,
  targets: (cells: Cells) => readonly Target[],
): Figure {
  return { what, unit: 'req/s', cells, targets: targets(cells) }
}

export function cpuFigure(what: string, { cpuMicroseconds: cells }: Throughput): Figure {
  return { what: `CPU a request, ${what}`, unit: 'µs', cells, targets: [] }
}
