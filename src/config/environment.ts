// The environment that an app gets: what it inherits, what files and options add, and what is ours and stays out.

import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { codeOf } from './failure.ts'
import { quote } from './parser.ts'

/**
 * Ours, or meant for the supervisor's own process alone: systemd's sockets and notifications, and what node:cluster and
 * `fork` told the process that the command was typed in.
 */
const NOT_FOR_APPS =
  /^(?:SUPERVISE_.*|LISTEN_(?:FDS|PID|FDNAMES|PIDFDID)|NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID)|NODE_UNIQUE_ID|NODE_CHANNEL_.*)$/

/** What an app may inherit of the environment that the command was typed in. */
export function inheritable(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !NOT_FOR_APPS.test(name)))
}

/** Later ones win; null takes a variable away. */
export function mergeEnvironments(layers: readonly Readonly<Record<string, string | null>>[]): Record<string, string> {
  const merged = new Map<string, string>()
  for (const [name, value] of layers.flatMap((layer) => Object.entries(layer))) {
    if (value === null) merged.delete(name)
    else merged.set(name, value)
  }
  return Object.fromEntries(merged)
}

export type EnvFile =
  | { readonly ok: true; readonly variables: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly problem: string }

export function readEnvFile(file: string): EnvFile {
  try {
    const variables = Object.entries(parseEnv(readFileSync(file, 'utf8')))
    return { ok: true, variables: Object.fromEntries(variables.map(([name, value]) => [name, value ?? ''])) }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return { ok: false, problem: `${quote(file)} does not exist; create it, or leave it out` }
    if (code === 'EISDIR') return { ok: false, problem: `${quote(file)} is a directory; name a file in it` }
    return { ok: false, problem: `${quote(file)} cannot be read (${code})` }
  }
}
