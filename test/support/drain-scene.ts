// One worker whose clients are connected, and a reload that makes it drain: the scene of the tests about drains.

import type { OperationResult } from '../../src/control/messages.ts'
import type { Supervise } from './harness.ts'
import type { CliResult } from './home.ts'
import { startApp, type StartedApp } from './start-app.ts'
import { Hopeless, until } from './until.ts'

export interface DrainScene extends StartedApp {
  /** The worker that the clients are with. */
  readonly old: number
  /** Begins a reload and resolves when the old worker drains; `done` is the command's end. */
  beginReload(): Promise<{ readonly done: Promise<CliResult> }>
}

export async function startScene(script: string, args: readonly string[] = []): Promise<DrainScene> {
  const started = await startApp(script, ['-i', '1', '--min-ready', '0', ...args])
  const [old = 0] = await started.supervise.pids()
  return {
    ...started,
    old,
    async beginReload() {
      const done = started.supervise.cli('reload', '--json')
      await until(() => isDraining(started.supervise, old), 15_000, 'the old worker drains')
      return { done }
    },
  }
}

/** Whether this process drains now. One that is gone does not, and will not again. */
export async function isDraining(supervise: Supervise, pid: number): Promise<boolean> {
  const { body } = await supervise.api('GET', '/v1/status')
  const { apps } = body as Awaited<ReturnType<Supervise['status']>>
  const workers = apps.flatMap(({ groups }) => groups.blue?.workers ?? [])
  const worker = workers.find((each) => each.pid === pid)
  if (worker === undefined) throw new Hopeless(`Worker ${pid} is gone`)
  return worker.state === 'draining' || worker.state === 'stopping'
}

/** What `supervise … --json` answered for the one app that it was about. */
export function resultOf({ stdout }: CliResult): OperationResult {
  const { results }: { readonly results: readonly OperationResult[] } = JSON.parse(stdout)
  const [result] = results
  if (result === undefined) throw new Error(`There is no result in ${stdout}`)
  return result
}
