// Asks systemd, by way of its own command.

import { spawnSync } from 'node:child_process'

/** Of the host, or of the user who runs this. */
export type ManagerScope = 'system' | 'user'

export interface SystemctlAnswer {
  /** What it had to say when it failed; null when it did not. */
  readonly problem: string | null
  readonly stdout: string
}

export interface SystemctlOptions {
  /** @default none: what is asked for is waited for, such as a start */
  readonly timeoutMs?: number
}

export function systemctl(
  scope: ManagerScope,
  words: readonly string[],
  { timeoutMs }: SystemctlOptions = {},
): SystemctlAnswer {
  const all = scopeWords(scope, words)
  const { status, stdout, stderr, error } = spawnSync('systemctl', all, { encoding: 'utf8', timeout: timeoutMs })
  const problem = status === 0 ? null : (error?.message ?? stderr.trim())
  return { problem, stdout: stdout ?? '' }
}

/** What is typed after `systemctl`. */
export function scopeWords(scope: ManagerScope, words: readonly string[]): readonly string[] {
  return scope === 'user' ? ['--user', ...words] : words
}

/** The whole command, for a person to type. */
export function systemctlCommand(scope: ManagerScope, ...words: readonly string[]): string {
  return ['systemctl', ...scopeWords(scope, words)].join(' ')
}

/** One property of a unit or, without one, of the manager; empty where there is none, null when nobody answers. */
export function propertyOf(scope: ManagerScope, property: string, unit?: string): string | null {
  const words = ['show', `--property=${property}`, '--value', ...(unit === undefined ? [] : [unit])]
  const { problem, stdout } = systemctl(scope, words)
  return problem === null ? stdout.trim() : null
}

/** Null where there is no systemd. */
export function systemdVersion(): number | null {
  const version = /^systemd (\d+)/.exec(systemctl('system', ['--version']).stdout)?.[1]
  return version === undefined ? null : Number(version)
}
