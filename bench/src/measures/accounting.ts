// 16. What it costs to count and time every request: hello-world beside a build whose workers do not, and the path in the
// agent by itself.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import { ACCOUNTING, buildWithout } from '../build-without.ts'
import { startSupervise } from '../contenders/supervise.ts'
import { noMoreThan, type Figure } from '../figure.ts'
import { notSlower, ownSamples, ratesOf } from '../paired-rates.ts'
import { median } from '../statistics.ts'

const PATH = fileURLToPath(new URL('../accounting-path.ts', import.meta.url))
const NS_A_REQUEST = 300
const WITHOUT = 'keep-alive, 1 worker, a build that counts no request'
const WITH = 'keep-alive, 1 worker, every request counted'

export const accounting: Measure = {
  id: 16,
  title: 'What counting requests costs',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const launcher = await buildWithout(ACCOUNTING, bench.place.room())
    const start = async (more: { readonly superviseLauncher?: string }) =>
      bench.keep(await startSupervise({ script: HELLO, workers: 1, ...more }, bench.place))
    const ways = [
      { what: WITHOUT, app: await start({ superviseLauncher: launcher }) },
      { what: WITH, app: await start({}) },
    ]
    const rates = await ratesOf(bench, bench.pace.rounds * 8, ways)
    await bench.stopAll()
    const without = rates.find(({ what }) => what === WITHOUT)
    const ns = pathNs()
    return [
      ...rates.map((one) =>
        ownSamples('req/s', one.what, one.rates, one.what === WITH && without ? [notSlower(one, without)] : []),
      ),
      ...rates.map((one) => ownSamples('µs', `CPU a request, ${one.what}`, one.cpu)),
      ownSamples('ns', 'the path in the agent alone, CPU a request', ns, [noMoreThan(NS_A_REQUEST, median(ns), ' ns')]),
    ]
  },
}

function pathNs(): readonly number[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PATH], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot measure the agent's path: ${stderr}`)
  return stdout.trim().split('\n').map(Number)
}
