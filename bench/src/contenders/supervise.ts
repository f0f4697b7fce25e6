// supervise as this repository has it, built into dist/, with a runtime directory of its own.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InstanceStatus } from '../../../src/control/messages.ts'
import { freePort } from '../../../test/support/free-port.ts'
import { childrenOf } from '../../../test/support/processes.ts'
import { mustRun, runCommand, type Finished } from '../command.ts'
import type { Place } from '../place.ts'
import { firstAnswer } from '../wait.ts'
import type { AppPlan, RunningApp } from './contender.ts'
import { endProcess, startForeground, type Foreground } from './foreground.ts'

const START_MS = 60_000
export const LAUNCHER = fileURLToPath(new URL('../../../bin/supervise.js', import.meta.url))

export interface SuperviseApp extends RunningApp {
  readonly controlSocket: string
  /** Runs a command of the CLI. */
  command(...args: string[]): Promise<Finished>
}

export async function startSupervise(plan: AppPlan, place: Place): Promise<SuperviseApp> {
  const launcher = plan.superviseLauncher ?? LAUNCHER
  const room = place.room()
  const node = plan.node ?? process.execPath
  const env = place.environment(room, {
    SUPERVISE_RUNTIME_DIR: room,
    XDG_STATE_HOME: room,
    ...(plan.graceful === true && { GRACEFUL: '1' }),
  })
  const command: [string, ...string[]] = [node, launcher, 'start', plan.script, ...flagsOf(plan)]
  const start = plan.detached === true ? startDetached : startForeground
  const supervisor = await start(command, (port) => ({ ...env, PORT: String(port) }))
  const supervise = (...args: string[]): Promise<Finished> => runCommand([node, launcher, ...args], env)
  return {
    name: 'supervise',
    port: supervisor.port,
    firstAnswerMs: supervisor.firstAnswerMs,
    supervisorPid: supervisor.pid,
    workerPids: () => childrenOf(supervisor.pid),
    reload: () => supervise('reload', 'app'),
    status: () => supervise('status'),
    controlSocket: join(room, plan.detached === true ? 'default' : 'app', 'control.sock'),
    command: supervise,
    stop: supervisor.stop,
  }
}

function flagsOf({ workers, graceful = false, readyTimeoutMs, superviseFlags = [] }: AppPlan): string[] {
  const flags = ['-n', 'app', '-i', String(workers), ...superviseFlags]
  if (graceful) flags.push('--ready', 'message')
  if (readyTimeoutMs !== undefined) flags.push('--ready-timeout', `${readyTimeoutMs}ms`)
  return flags
}

async function startDetached(
  command: readonly [string, ...string[]],
  environmentAt: (port: number) => Readonly<Record<string, string>>,
): Promise<Foreground> {
  const port = await freePort()
  const env = environmentAt(port)
  const began = performance.now()
  const started = mustRun([...command, '-d'], env)
  let failure: string | null = null
  started.catch((error: unknown) => (failure = String(error)))
  const answered = await firstAnswer(port, START_MS, () => failure)
  await started
  const status = await mustRun([command[0], LAUNCHER, 'status', '--json'], env)
  const { pid }: InstanceStatus = JSON.parse(status.output)
  return { pid, port, firstAnswerMs: answered - began, stop: () => endProcess(pid) }
}
