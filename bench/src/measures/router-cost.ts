// 14. What the router costs: a request that is forwarded to the other release beside one that is not, and one that nobody
// forwards beside the same without any router.

import { cpuMs } from '../../../test/support/processes.ts'
import { Asker } from '../asker.ts'
import type { Bench, Measure } from '../bench.ts'
import { makeBuild, scriptOf } from '../builds.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { startSupervise } from '../contenders/supervise.ts'
import { cell, type Figure, type Target } from '../figure.ts'
import { median, percentile, sum } from '../statistics.ts'
import { startWarmPair } from '../warm-pair.ts'
import { buildWithoutRouter } from '../without-router.ts'
import { requestsPerSecond } from '../wrk.ts'

const SECRET = 'bench-secret'
/** The second release is the green group's, and has the traffic. */
const DIRECT = { release: '2', header: `x-supervise-group: green ${SECRET}` }
const FORWARDED = { release: '1', header: `x-supervise-group: blue ${SECRET}` }
const REQUESTS = 300
/** Until the code that forwards is compiled as well as the app's own. */
const WARM_UP = 5_000
const QUIET = ['--release-header', 'false']

export const routerCost: Measure = {
  id: 14,
  title: 'What the router costs',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const { app } = await startWarmPair(bench, 1, { superviseFlags: ['--group-header', SECRET] })
    const waits = await waitsOf(app.port, bench.pace.quick ? 4 : bench.pace.rounds * 8)
    const rates = await ratesOf(bench, bench.pace.rounds * 2, [
      { what: 'not forwarded, a second release beside it', app, header: DIRECT.header },
      { what: 'forwarded', app, header: FORWARDED.header },
    ])
    await bench.stopAll()
    const builds = await ratesOf(bench, bench.pace.rounds * 8, await startBuilds(bench))
    await bench.stopAll()
    const without = builds.find(({ what }) => what === WITHOUT)
    const all = [...builds, ...rates]
    return [
      ...waits,
      ...all.map((one) =>
        figure('req/s', one.what, one.rates, one.what === WITH && without ? [notSlower(one, without)] : []),
      ),
      ...all.map((one) => figure('µs', `CPU a request, ${one.what}`, one.cpu, [])),
    ]
  },
}

// ---- one request after the other --------------------------------------------------------------------

async function waitsOf(port: number, rounds: number): Promise<readonly Figure[]> {
  const direct: number[] = []
  const forwarded: number[] = []
  for (const how of [DIRECT, FORWARDED]) await medianWait(port, how, WARM_UP)
  for (let round = 0; round < rounds; round++) {
    const [one, two] = round % 2 === 0 ? [DIRECT, FORWARDED] : [FORWARDED, DIRECT]
    for (const how of [one, two]) (how === DIRECT ? direct : forwarded).push(await medianWait(port, how, REQUESTS))
  }
  const more = median(forwarded.map((wait, round) => wait - (direct[round] ?? Number.NaN)))
  const target = { text: '≤ 200 µs more', reached: `${more.toFixed(0)} µs more`, met: more <= 200 }
  return [
    figure('µs', 'one request after the other, not forwarded, median', direct, []),
    figure('µs', 'one request after the other, forwarded, median', forwarded, [target]),
  ]
}

async function medianWait(port: number, { release, header }: typeof DIRECT, requests: number): Promise<number> {
  const asker = await Asker.connect(port, header)
  const waits: number[] = []
  for (let asked = 0; asked <= requests; asked++) waits.push(await asker.time(release))
  asker.close()
  // The first one has a connection between the workers opened.
  return median(waits.slice(1))
}

// ---- as many as possible ----------------------------------------------------------------------------

interface Way {
  readonly what: string
  readonly app: RunningApp
  readonly header?: string
}

interface Rates {
  readonly what: string
  readonly rates: readonly number[]
  readonly cpu: readonly number[]
}

const WITHOUT = 'keep-alive, 1 worker, a build without the router'
const WITH = 'keep-alive, 1 worker, no table'
const NAMED = 'keep-alive, 1 worker, no table, the release named in each response'

async function startBuilds(bench: Bench): Promise<readonly Way[]> {
  const script = scriptOf(makeBuild(bench.place.room(), '1'))
  const start = async (flags: readonly string[], superviseLauncher?: string) =>
    bench.keep(
      await startSupervise(
        { script, workers: 1, superviseFlags: flags, ...(superviseLauncher !== undefined && { superviseLauncher }) },
        bench.place,
      ),
    )
  return [
    { what: WITHOUT, app: await start(QUIET, await buildWithoutRouter(bench.place.room())) },
    { what: WITH, app: await start(QUIET) },
    { what: NAMED, app: await start([]) },
  ]
}

/** In turns, there and back (a b c c b a …), so that whoever comes after another is not always the same. */
async function ratesOf(bench: Bench, turns: number, ways: readonly Way[]): Promise<readonly Rates[]> {
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

function cpuOf(app: RunningApp): number {
  return sum([app.supervisorPid, ...app.workerPids()].map(cpuMs))
}

/** How far the turns are apart tells whether the machine was quiet enough for a difference of 1 %. */
function notSlower(own: Rates, without: Rates): Target {
  const ratios = own.rates.map((rate, turn) => rate / (without.rates[turn] ?? Number.NaN))
  const ratio = median(ratios)
  const [low, high] = [percentile(ratios, 0.25), percentile(ratios, 0.75)]
  const reached = `${roundedDown(ratio)} × (half of the turns ${roundedDown(low)}–${roundedDown(high)})`
  return { text: '≥ 0.99 × without', reached, met: ratio >= 0.99 }
}

function roundedDown(ratio: number): string {
  return (Math.floor(ratio * 1_000) / 1_000).toFixed(3)
}

function figure(unit: 'req/s' | 'µs', what: string, samples: readonly number[], targets: readonly Target[]): Figure {
  return { what, unit, cells: { supervise: cell(samples) }, targets }
}
