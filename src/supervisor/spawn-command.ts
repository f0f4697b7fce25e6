// Starting one process of an app that is a command: no node:cluster, no agent, no link; its sockets are descriptors 3 and up.

import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { AppConfig } from '../config/app-config.ts'
import type { ChildStdio } from '../telemetry/worker-output.ts'
import { commandEnvironment, type CommandIdentity } from './command-environment.ts'
import type { GivenSocket } from './command-sockets.ts'

export interface CommandRequest {
  readonly config: AppConfig
  readonly identity: Omit<CommandIdentity, 'instanceId'>
  readonly stdio: ChildStdio
  readonly sockets: readonly GivenSocket[]
}

/** Only a process itself can know its pid before it runs; `exec` keeps it. */
const TELL_PID = 'export LISTEN_PID=$$; exec "$0" "$@"'

/** Starts it, or throws where there is no process then. */
export function spawnCommand({ config, identity, stdio, sockets }: CommandRequest): ChildProcess {
  const { script, args, cwd } = config
  const missing = [cwd, script].find((path) => !existsSync(path))
  if (missing !== undefined) throw new Error(`"${missing}" does not exist any more`)
  const [file, words] = sockets.length === 0 ? [script, args] : ['/bin/sh', ['-c', TELL_PID, script, ...args]]
  const child = spawn(file, words, {
    cwd,
    env: commandEnvironment(
      config.env,
      { ...identity, instanceId: randomUUID() },
      sockets.map(({ address }) => address),
    ),
    stdio: ['ignore', ...stdio, ...sockets.map(({ fd }) => fd)],
    // A session of its own: Ctrl-C in the terminal reaches the supervisor alone, and what it starts is its group.
    detached: true,
  })
  if (child.pid !== undefined) return child
  // Node tells it by an event as well, and no exit ever follows.
  child.on('error', () => undefined)
  throw new Error(`"${script}" cannot be run: the system has no room for one more, or may not run such a file`)
}
