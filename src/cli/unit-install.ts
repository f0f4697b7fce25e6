// Writes unit files where systemd looks for them, and tells systemd.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeDirectories } from '../config/make-directories.ts'
import { noManager, systemctlFailed, unitIsForeign, unitMissing, unitNotWritable } from '../errors/systemd.ts'
import { MADE_BY } from '../systemd/unit-files.ts'
import type { Environment } from './invocation.ts'

export interface UnitFile {
  readonly name: string
  readonly text: string
}

interface InstallOptions {
  readonly user?: boolean
  readonly force?: boolean
  readonly start?: false
}

/** Null where there is no systemd. */
export function systemdVersion(): number | null {
  const asked = spawnSync('systemctl', ['--version'], { encoding: 'utf8' })
  const version = asked.status === 0 ? /^systemd (\d+)/.exec(asked.stdout)?.[1] : undefined
  return version === undefined ? null : Number(version)
}

/** Returns what was done, in words. */
export function installUnits(
  files: readonly UnitFile[],
  options: InstallOptions,
  environment: Environment,
): { readonly files: readonly string[]; readonly words: readonly string[] } {
  const directory = unitDirectory(options, environment)
  const paths = files.map(({ name }) => join(directory, name))
  if (options.force !== true) for (const path of paths) refuseForeign(path)
  refuseWithoutManager(options)
  makeDirectory(directory)
  for (const { name, text } of files) write(join(directory, name), text)
  const systemctl = systemctlOf(options)
  systemctl('daemon-reload')
  const names = files.map(({ name }) => name)
  systemctl('enable', ...names)
  // Sockets first: the service finds them open.
  const isStarted = options.start !== false
  if (isStarted) for (const name of names.toReversed()) systemctl('restart', name)
  const service = names[0] ?? ''
  const manager = options.user === true ? 'systemctl --user' : 'systemctl'
  const words = paths.map((path) => `Wrote ${path}`)
  const next = isStarted
    ? `Started ${service}; see it with \`${manager} status ${service}\` and \`supervise status\`.`
    : `Start it with \`${manager} start ${service}\`.`
  return { files: paths, words: [...words, next] }
}

/** Returns the files that were removed. */
export function uninstallUnits(name: string, options: InstallOptions, environment: Environment): readonly string[] {
  const directory = unitDirectory(options, environment)
  const files = [`${name}.socket`, `${name}.service`].filter((file) => existsSync(join(directory, file)))
  if (!files.includes(`${name}.service`)) throw unitMissing(name, directory)
  if (options.force !== true) for (const file of files) refuseForeign(join(directory, file))
  const systemctl = systemctlOf(options)
  systemctl('disable', '--now', ...files)
  for (const file of files) rmSync(join(directory, file))
  systemctl('daemon-reload')
  return files.map((file) => join(directory, file))
}

/** systemd's own variable for where units are wins. */
export function unitDirectory({ user }: InstallOptions, environment: Environment): string {
  const [chosen] = (environment['SYSTEMD_UNIT_PATH'] ?? '').split(':')
  if (chosen) return chosen
  if (user !== true) return '/etc/systemd/system'
  return join(environment['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'systemd', 'user')
}

function refuseForeign(path: string): void {
  if (existsSync(path) && !readFileSync(path, 'utf8').startsWith(MADE_BY)) throw unitIsForeign(path)
}

function makeDirectory(directory: string): void {
  try {
    makeDirectories(resolve(directory), 0o755)
  } catch (error) {
    throw unitNotWritable(directory, whyOf(error))
  }
}

/** Whole or not at all: systemd may read it at any time. */
function write(path: string, text: string): void {
  try {
    writeFileSync(`${path}.new`, text, { mode: 0o644 })
    renameSync(`${path}.new`, path)
  } catch (error) {
    rmSync(`${path}.new`, { force: true })
    throw unitNotWritable(path, whyOf(error))
  }
}

/** Nothing is written where nobody would read it. */
function refuseWithoutManager({ user }: InstallOptions): void {
  const problem = runSystemctl([...scopeOf(user), 'show', '--property=Version'])
  if (problem !== null) throw noManager(user === true, problem)
}

function systemctlOf({ user }: InstallOptions) {
  return (...words: readonly string[]): void => {
    const all = [...scopeOf(user), ...words]
    const problem = runSystemctl(all)
    if (problem !== null) throw systemctlFailed(all, problem.split('\n').at(-1) || 'no reason given')
  }
}

function scopeOf(user: boolean | undefined): readonly string[] {
  return user === true ? ['--user'] : []
}

/** What it had to say when it failed; null when it did not. */
function runSystemctl(words: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync('systemctl', words, { encoding: 'utf8' })
  return status === 0 ? null : (error?.message ?? stderr.trim())
}

function whyOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
