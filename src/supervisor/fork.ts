// Starting one worker: node:cluster's own fork, with what it does not offer.

import { ChildProcess } from 'node:child_process'
import cluster, { type Worker } from 'node:cluster'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AppConfig } from '../config/app-config.ts'
import type { AgentSettings } from '../protocol/messages.ts'
import type { ChildStdio } from '../telemetry/worker-output.ts'
import { workerEnvironment } from './worker-environment.ts'

/** The agent, a bundle beside the command's own (scripts/bundle.ts). */
const AGENT = fileURLToPath(new URL('../agent/preload.js', import.meta.url))

export interface ForkRequest {
  readonly config: AppConfig
  readonly settings: AgentSettings
  /** What people know the release by; null when it has none. */
  readonly version: string | null
  readonly linkPath: string
  readonly stdio: ChildStdio
}

/** Forks, or throws where there is no process then (a missing directory, too many processes). */
export function forkWorker(request: ForkRequest): Worker {
  const { config, settings } = request
  cluster.setupPrimary({
    exec: config.script,
    args: [...config.args],
    cwd: config.cwd,
    execArgv: [...config.nodeArgs, ...(settings.addedFlags ?? []), '--require', AGENT],
    stdio: ['ignore', ...request.stdio, 'ipc'],
    serialization: 'json',
    silent: false,
  })
  const start = { file: config.node ?? process.execPath, environment: environmentOf(request) }
  const worker = withSpawnOptions(start, () => cluster.fork())
  if (worker.process.pid !== undefined) return worker
  // Node tells it later, by an event, and no exit ever follows.
  worker.on('error', () => undefined)
  throw new Error(whyNotForked(config))
}

/** Ends node:cluster's own channels: workers send over the link from then on. */
export function forsakeWorkers(): void {
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (worker?.process.connected === true) worker.process.disconnect()
  }
}

function whyNotForked({ cwd, node }: AppConfig): string {
  const missing = [cwd, node ?? process.execPath].find((path) => !existsSync(path))
  return missing === undefined ? 'the system has no room for one more' : `"${missing}" does not exist any more`
}

function environmentOf({ config, settings, version, linkPath }: ForkRequest): Record<string, string> {
  const identity = { settings, version, instanceId: randomUUID() }
  return workerEnvironment(config, identity, { path: linkPath, settings })
}

interface Start {
  /** The Node binary. */
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
}

interface SpawnOptions {
  file: string
  args: string[]
  detached?: boolean
  envPairs?: string[]
}

/** node:cluster's own variables, which it adds to whatever the environment is. */
const CLUSTER_VARIABLES = /^NODE_UNIQUE_ID=/

/**
 * `cluster.fork` passes neither another binary nor `detached` nor an environment without the supervisor's own, and binds `fork` at load time;
 * it reaches the system through this one method, synchronously. See docs/decisions/005-process-groups.md.
 */
function withSpawnOptions<Result>({ file, environment }: Start, body: () => Result): Result {
  // The method is not in the type definitions: it is what `child_process.spawn` itself calls.
  const prototype = ChildProcess.prototype as unknown as { spawn(options: SpawnOptions): number }
  const original = prototype.spawn
  prototype.spawn = function spawn(options) {
    // A session of its own: Ctrl-C in the terminal reaches the supervisor alone, and the worker's children are its group.
    options.detached = true
    options.file = file
    options.args[0] = file
    const own = (options.envPairs ?? []).filter((pair) => CLUSTER_VARIABLES.test(pair))
    options.envPairs = [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), ...own]
    return original.call(this, options)
  }
  try {
    return body()
  } finally {
    prototype.spawn = original
  }
}
