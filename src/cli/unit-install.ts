// Writes unit files where systemd looks for them, and tells systemd.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeDirectories } from '../config/make-directories.ts'
import {
  noManager,
  systemctlFailed,
  unitHidesAnother,
  unitIsForeign,
  unitMissing,
  unitNotWritable,
} from '../errors/systemd.ts'
import { propertyOf, scopeWords, systemctl, systemctlCommand, type ManagerScope } from '../systemd/systemctl.ts'
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

interface Hidden {
  readonly path: string
  readonly by: string
}

/** Returns what was done, in words. `files` are those of one instance, the service first. */
export function installUnits(
  files: readonly UnitFile[],
  options: InstallOptions,
  environment: Environment,
): { readonly files: readonly string[]; readonly words: readonly string[] } {
  const directory = unitDirectory(options, environment)
  const scope = scopeOf(options)
  const names = files.map(({ name }) => name)
  const paths = names.map((name) => join(directory, name))
  if (options.force !== true) for (const path of paths) refuseForeign(path)
  refuseWithoutManager(scope)
  const hidden = names.flatMap((name) => hiddenBy(join(directory, name), name, scope))
  if (options.force !== true) for (const { path, by } of hidden) throw unitHidesAnother(by, path)
  makeDirectory(directory)
  const changed = files.filter(({ name, text }) => textOf(join(directory, name)) !== text).map(({ name }) => name)
  for (const { name, text } of files) write(join(directory, name), text)
  // The service needs its old socket no longer, once systemd has read it.
  mustDo(scope, 'daemon-reload')
  const removed = removeSocket(names, directory, scope)
  mustDo(scope, 'enable', ...names)
  const isStarted = options.start !== false
  if (isStarted) restart(names, changed, scope)
  return {
    files: paths,
    words: [
      ...paths.map((path) => `Wrote ${path}`),
      ...hidden.map(({ path, by }) => `${by} hides ${path}, which is not made by supervise`),
      ...removed.map((path) => `Removed ${path}`),
      nextWords(names[0] ?? '', scope, isStarted),
    ],
  }
}

/**
 * A socket is restarted only when it is another: it closes meanwhile. In one call, since a service whose socket is
 * restarted restarts as well; systemd opens the socket first.
 */
function restart(names: readonly string[], changed: readonly string[], scope: ManagerScope): void {
  mustDo(scope, 'restart', ...names.filter((name) => name.endsWith('.service') || changed.includes(name)))
}

/** Of an earlier install that had sockets; returns what was removed. */
function removeSocket(names: readonly string[], directory: string, scope: ManagerScope): readonly string[] {
  const socket = (names[0] ?? '').replace(/\.service$/, '.socket')
  const path = join(directory, socket)
  if (names.includes(socket) || !isOurs(path)) return []
  mustDo(scope, 'disable', '--now', socket)
  rmSync(path)
  mustDo(scope, 'daemon-reload')
  return [path]
}

function nextWords(service: string, scope: ManagerScope, isStarted: boolean): string {
  return isStarted
    ? `Started ${service}; see it with \`${systemctlCommand(scope, 'status', service)}\` and \`supervise status\`.`
    : `Start it with \`${systemctlCommand(scope, 'start', service)}\`.`
}

/** Returns the files that were removed. */
export function uninstallUnits(name: string, options: InstallOptions, environment: Environment): readonly string[] {
  const directory = unitDirectory(options, environment)
  const files = [`${name}.socket`, `${name}.service`].filter((file) => existsSync(join(directory, file)))
  if (!files.includes(`${name}.service`)) throw unitMissing(name, directory)
  if (options.force !== true) for (const file of files) refuseForeign(join(directory, file))
  const scope = scopeOf(options)
  mustDo(scope, 'disable', '--now', ...files)
  for (const file of files) rmSync(join(directory, file))
  mustDo(scope, 'daemon-reload')
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
  if (existsSync(path) && !isOurs(path)) throw unitIsForeign(path)
}

/** The unit of this name that is in force now, such as that of a package, and would not be any more. */
function hiddenBy(path: string, name: string, scope: ManagerScope): readonly Hidden[] {
  const inForce = propertyOf(scope, 'FragmentPath', name) ?? ''
  return inForce === '' || inForce === resolve(path) || isOurs(inForce) ? [] : [{ path: inForce, by: path }]
}

function isOurs(path: string): boolean {
  return textOf(path)?.startsWith(MADE_BY) === true
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
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
function refuseWithoutManager(scope: ManagerScope): void {
  const { problem } = systemctl(scope, ['show', '--property=Version'])
  if (problem !== null) throw noManager(scope === 'user', problem)
}

function mustDo(scope: ManagerScope, ...words: readonly string[]): void {
  const { problem } = systemctl(scope, words)
  if (problem !== null) throw systemctlFailed(scopeWords(scope, words), problem.split('\n').at(-1) || 'no reason given')
}

function scopeOf({ user }: InstallOptions): ManagerScope {
  return user === true ? 'user' : 'system'
}

function whyOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
