// PM2 in cluster mode, with a PM2_HOME and a daemon of its own, which its own `pm2 kill` ends.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { freePort } from '../../../test/support/free-port.ts'
import { childrenOf } from '../../../test/support/processes.ts'
import { mustRun, runCommand, type Finished } from '../command.ts'
import type { Place } from '../place.ts'
import { firstAnswer } from '../wait.ts'
import type { AppPlan, RunningApp } from './contender.ts'

const START_MS = 60_000
const MANIFEST = createRequire(import.meta.url).resolve('pm2/package.json')
const PM2 = join(dirname(MANIFEST), 'bin/pm2')

export function pm2Version(): string {
  const { version }: { version: string } = JSON.parse(readFileSync(MANIFEST, 'utf8'))
  return version
}

export async function startPm2(plan: AppPlan, place: Place): Promise<RunningApp> {
  const home = place.room()
  const port = await freePort()
  const node = plan.node ?? process.execPath
  const env = place.environment(home, {
    PORT: String(port),
    PM2_HOME: home,
    // It would look for a newer version on the network.
    PM2_DISABLE_VERSION_CHECK: 'true',
    ...(plan.graceful === true && { GRACEFUL: '1' }),
  })
  const pm2 = (...args: string[]): Promise<Finished> => runCommand([node, PM2, ...args], env)
  const began = performance.now()
  const started = mustRun([node, PM2, 'start', plan.script, '-i', String(plan.workers), ...flagsOf(plan)], env)
  let failure: string | null = null
  started.catch((error: unknown) => (failure = String(error)))
  const answered = await firstAnswer(port, START_MS, () => failure)
  await started
  const pid = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'))
  return {
    name: 'pm2',
    port,
    firstAnswerMs: answered - began,
    supervisorPid: pid,
    workerPids: () => childrenOf(pid),
    reload: () => pm2('reload', 'app'),
    status: () => pm2('list'),
    stop: async () => void (await pm2('kill')),
  }
}

function flagsOf({ graceful = false, readyTimeoutMs }: AppPlan): string[] {
  const flags = ['--name', 'app']
  if (graceful) flags.push('--wait-ready')
  if (readyTimeoutMs !== undefined) flags.push('--listen-timeout', String(readyTimeoutMs))
  return flags
}
