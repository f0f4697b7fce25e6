// 14. What the router costs: a request that is forwarded to the other release beside one that is not, and one that nobody
// forwards beside the same without any router.

import { Asker } from '../asker.ts'
import { buildWithout, ROUTER } from '../build-without.ts'
import type { Bench, Measure } from '../bench.ts'
import { makeBuild, scriptOf } from '../builds.ts'
import { startSupervise } from '../contenders/supervise.ts'
import type { Figure } from '../figure.ts'
import { notSlower, ownSamples, ratesOf, type Way } from '../paired-rates.ts'
import { median } from '../statistics.ts'
import { startWarmPair } from '../warm-pair.ts'

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
        ownSamples('req/s', one.what, one.rates, one.what === WITH && without ? [notSlower(one, without)] : []),
      ),
      ...all.map((one) => ownSamples('µs', `CPU a request, ${one.what}`, one.cpu, [])),
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
    ownSamples('µs', 'one request after the other, not forwarded, median', direct),
    ownSamples('µs', 'one request after the other, forwarded, median', forwarded, [target]),
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
    { what: WITHOUT, app: await start(QUIET, await buildWithout(ROUTER, bench.place.room())) },
    { what: WITH, app: await start(QUIET) },
    { what: NAMED, app: await start([]) },
  ]
}
