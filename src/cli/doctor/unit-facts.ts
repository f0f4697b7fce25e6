// systemd on this host, and every unit that `supervise systemd` has written.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { systemctl, systemdVersion, type ManagerScope } from '../../systemd/systemctl.ts'
import { wordsOf } from '../../systemd/read-units.ts'
import { MADE_BY } from '../../systemd/unit-files.ts'
import type { Environment } from '../invocation.ts'
import { unitDirectory } from '../unit-install.ts'

export interface SystemdFacts {
  /** Null where there is none. */
  readonly version: number | null
  /** `systemd-notify` can be run. */
  readonly hasHelper: boolean
  readonly units: readonly UnitFacts[]
}

export interface UnitFacts {
  /** Of the instance, and of the units. */
  readonly name: string
  readonly path: string
  readonly scope: ManagerScope
  readonly service: string
  readonly socket: string | null
  /** As they are in force, drop-ins included; null when no manager answers. */
  readonly properties: Readonly<Record<string, string>> | null
  readonly socketProperties: Readonly<Record<string, string>> | null
  readonly node: NodeOfUnit | null
}

export interface NodeOfUnit {
  readonly path: string
  readonly runs: boolean
  /** What it leads to, when that is another file. */
  readonly leadsTo: string | null
}

const ANSWER_MS = 1000
const SHOWN = [
  'Id',
  'ActiveState',
  'Result',
  'UnitFileState',
  'NeedDaemonReload',
  'Type',
  'NotifyAccess',
  'KillMode',
  'Restart',
  'WatchdogUSec',
  'TimeoutStopUSec',
  'PrivateTmp',
  'RemoveIPC',
]

export function systemdFacts(environment: Environment, only: string | null): SystemdFacts {
  const version = systemdVersion()
  const found = [...unitsIn('system', environment), ...unitsIn('user', environment)]
  const units = found.filter(({ name }) => only === null || name === only)
  const shown = version === null ? new Map<string, Properties>() : propertiesOf(units)
  return {
    version,
    hasHelper: spawnSync('systemd-notify', ['--version'], { timeout: ANSWER_MS }).status === 0,
    units: units.map((unit) => complete(unit, shown)),
  }
}

function complete(unit: Found, shown: ReadonlyMap<string, Properties>): UnitFacts {
  return {
    ...unit,
    properties: shown.get(keyOf(unit, 'service')) ?? null,
    socketProperties: shown.get(keyOf(unit, 'socket')) ?? null,
    node: nodeOf(unit.service),
  }
}

type Found = Pick<UnitFacts, 'name' | 'path' | 'scope' | 'service' | 'socket'>
type Properties = Readonly<Record<string, string>>

function unitsIn(scope: UnitFacts['scope'], environment: Environment): readonly Found[] {
  // Where systemd looks may be told with one variable, for a manager of either kind. Both would find the same files there.
  if (scope === 'user' && environment['SYSTEMD_UNIT_PATH']) return []
  const directory = unitDirectory({ user: scope === 'user' }, environment)
  return namesIn(directory).flatMap((file): Found[] => {
    const path = join(directory, file)
    const service = textOf(path)
    if (service?.startsWith(MADE_BY) !== true) return []
    const name = file.slice(0, -'.service'.length)
    return [{ name, path, scope, service, socket: textOf(join(directory, `${name}.socket`)) }]
  })
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.service'))
  } catch {
    return []
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** One question a manager. */
function propertiesOf(units: readonly Found[]): ReadonlyMap<string, Properties> {
  const scopes = ['system', 'user'] as const
  const answers = scopes.flatMap((scope) => {
    const names = units
      .filter((unit) => unit.scope === scope)
      .flatMap(({ name, socket }) =>
        (socket === null ? ['service'] : ['service', 'socket']).map((kind) => `${name}.${kind}`),
      )
    return names.length === 0 ? [] : ask(scope, names).map((shown) => [`${scope} ${shown['Id']}`, shown] as const)
  })
  return new Map(answers)
}

function ask(scope: UnitFacts['scope'], names: readonly string[]): readonly Properties[] {
  const words = ['show', `--property=${SHOWN.join(',')}`, ...names]
  const { problem, stdout } = systemctl(scope, words, { timeoutMs: ANSWER_MS })
  if (problem !== null) return []
  return stdout.split('\n\n').map((block) =>
    Object.fromEntries(
      block
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
  )
}

function keyOf({ scope, name }: Found, kind: 'service' | 'socket'): string {
  return `${scope} ${name}.${kind}`
}

function nodeOf(service: string): NodeOfUnit | null {
  const [path] = wordsOf(/^ExecStart=(.*)$/m.exec(service)?.[1] ?? '')
  if (path === undefined) return null
  const real = existsSync(path) ? realpathSync(path) : path
  return { path, runs: isRunnable(path), leadsTo: real === path ? null : real }
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
