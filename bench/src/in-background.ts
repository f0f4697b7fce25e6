// An app of two workers whose supervisor is in the background, and is not the same process for long.

import type { Bench } from './bench.ts'
import { startSupervise, type SuperviseApp } from './contenders/supervise.ts'

export async function startInBackground(bench: Bench, script: string) {
  const superviseFlags = ['--drain-spread', '0']
  const plan = { script, workers: 2, detached: true, superviseFlags }
  const app: SuperviseApp = bench.keep(await startSupervise(plan, bench.place))
  const end = async () => {
    await app.command('stop', '--all')
    await bench.stop(app)
  }
  return { app, end }
}
