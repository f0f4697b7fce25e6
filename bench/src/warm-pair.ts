// An app under supervise with two releases of it warm, so that the traffic can go to either within milliseconds.

import type { Bench } from './bench.ts'
import { makeBuild, scriptOf, type Version } from './builds.ts'
import type { AppPlan } from './contenders/contender.ts'
import { startSupervise, type SuperviseApp } from './contenders/supervise.ts'

/** Nothing goes on beside the flips: no watch, no wait, and the other release stays as long as the run may take. */
const FLAGS = ['--bake', '0s', '--min-ready', '0s', '--rollback-window', '24h']

export interface WarmPair {
  readonly app: SuperviseApp
  /** Serves at first. */
  readonly active: Version
}

export async function startWarmPair(bench: Bench, workers: number, plan: Partial<AppPlan> = {}): Promise<WarmPair> {
  const room = bench.place.room()
  const script = scriptOf(makeBuild(room, '1'))
  const superviseFlags = [...FLAGS, ...(plan.superviseFlags ?? [])]
  const app = bench.keep(await startSupervise({ ...plan, script, workers, superviseFlags }, bench.place))
  const { code, output } = await app.command('deploy', 'app', makeBuild(room, '2'))
  if (code !== 0) throw new Error(`Cannot deploy the second release: exit code ${code}\n${output.slice(-2_000)}`)
  return { app, active: '2' }
}
