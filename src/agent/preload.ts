// The agent's entry, loaded with --require before the app's first line. It does nothing but in the main thread of a
// worker that a supervisor started, and nothing that it does may throw into the app.

import cluster from 'node:cluster'
import { realpathSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

import { AGENT_ENV, type AgentSettings } from '../protocol/messages.ts'
import { RUNTIME_BRIDGE } from '../protocol/runtime-bridge.ts'
import { Agent } from './agent.ts'

function start(): void {
  const link = process.env[AGENT_ENV.link]
  const settings = process.env[AGENT_ENV.settings]
  if (!isMainThread || !cluster.isWorker || link === undefined || settings === undefined) return
  const parsed: AgentSettings = JSON.parse(settings)
  leaveNoTrace(parsed.addedFlags ?? [])
  const agent = new Agent(parsed, link)
  agent.start()
  Object.defineProperty(globalThis, RUNTIME_BRIDGE, { value: agent.bridge })
  surviveClosedOutput()
}

/** What the app itself forks must not become a worker of ours. */
function leaveNoTrace(flags: readonly string[]): void {
  for (const name of Object.values(AGENT_ENV)) delete process.env[name]
  const { execArgv } = process
  const at = execArgv.findIndex((value, index) => execArgv[index - 1] === '--require' && isThisFile(value))
  if (at > 0) execArgv.splice(at - 1, 2)
  for (const flag of flags) {
    const added = execArgv.indexOf(flag)
    if (added !== -1) execArgv.splice(added, 1)
  }
}

function isThisFile(path: string): boolean {
  try {
    return realpathSync(path) === realpathSync(__filename)
  } catch {
    return false
  }
}

/** With the reader of a pipe gone, the first `console.log` would end the process. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Where the app listens too, it is the app's to decide.
      if (error.code !== 'EPIPE' && stream.listenerCount('error') === 1) throw error
    })
  }
}

try {
  start()
} catch (error) {
  // The app runs on under node:cluster alone, which a person should know.
  process.emitWarning(`supervise's agent could not start: ${error instanceof Error ? error.stack : String(error)}`)
}
