// Throughput of apps that are hardly apart, in turns there and back (a b c c b a …), so that whoever comes after another is
// not always the same; and what CPU a request took of supervisor and workers together.

import { cpuMs } from '../../test/support/processes.ts'
import type { Bench } from './bench.ts'
import type { RunningApp } from './contenders/contender.ts'
import { cell, type Figure, type Target } from './figure.ts'
import { median, percentile, sum } from './statistics.ts'
import { requestsPerSecond } from './wrk.ts'

export interface Way {
  readonly what: string
  readonly app: RunningApp
  readonly header?: string
}

export interface Rates {
  readonly what: string
  readonly rates: readonly number[]
  readonly cpu: readonly number[]
}

export async function ratesOf(bench: Bench, turns: number, ways: readonly Way[]): Promise<readonly Rates[]> {
  const taken = ways.map((way) => ({ way, rates: [] as number[], cpu: [] as number[] }))
  const seconds = bench.pace.quick ? 1 : 2
  for (let turn = -1; turn < turns; turn++) {
    for (const { way, rates, cpu } of turn % 2 === 0 ? taken : taken.toReversed()) {
      const before = cpuOf(way.app)
      const { port } = way.app
      const rate = await requestsPerSecond({ port, seconds, close: false, ...(way.header && { header: way.header }) })
      if (turn < 0) continue
      rates.push(rate)
      cpu.push(((cpuOf(way.app) - before) * 1_000) / (rate * seconds))
    }
  }
  return taken.map(({ way, rates, cpu }) => ({ what: way.what, rates, cpu }))
}

/** How far the turns are apart tells whether the machine was quiet enough for a difference of 1 %. */
export function notSlower(own: Rates, without: Rates): Target {
  const ratios = own.rates.map((rate, turn) => rate / (without.rates[turn] ?? Number.NaN))
  const ratio = median(ratios)
  const [low, high] = [percentile(ratios, 0.25), percentile(ratios, 0.75)]
  const reached = `${roundedDown(ratio)} × (half of the turns ${roundedDown(low)}–${roundedDown(high)})`
  return { text: '≥ 0.99 × without', reached, met: ratio >= 0.99 }
}

/** What only supervise has, in several samples. */
export function ownSamples(
  unit: Figure['unit'],
  what: string,
  samples: readonly number[],
  targets: readonly Target[] = [],
): Figure {
  return { what, unit, cells: { supervise: cell(samples) }, targets }
}

function cpuOf(app: RunningApp): number {
  return sum([app.supervisorPid, ...app.workerPids()].map(cpuMs))
}

function roundedDown(ratio: number): string {
  return (Math.floor(ratio * 1_000) / 1_000).toFixed(3)
}
