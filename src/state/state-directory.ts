// Where an instance keeps what outlives a reboot: one directory, readable by its owner alone.

import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

export function stateDirectory(instance: string, env: Environment = process.env): string {
  return join(stateRoot(env), instance)
}

function stateRoot(env: Environment): string {
  const fromSystemd = env['STATE_DIRECTORY']?.split(':')[0]
  if (fromSystemd?.startsWith('/') === true) return fromSystemd
  // A relative XDG_STATE_HOME is to be ignored, says its specification.
  const xdg = env['XDG_STATE_HOME']
  if (xdg?.startsWith('/') === true) return join(xdg, 'supervise')
  return join(env['HOME'] || homedir(), '.local', 'state', 'supervise')
}

/** What is in it may be secret: messages of an app, paths that were asked for. */
export function makePrivate(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
}
