// What a process was started from. It never changes while the process lives; a reload makes a new one.

import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import type { GroupName } from '../protocol/messages.ts'
import { isInside } from './release-path.ts'
import { readVersion } from './version-label.ts'

export interface Release {
  /** `r1`, `r2`… */
  readonly id: string
  /** Real path of the directory that the script is in. */
  readonly path: string
  readonly version: string | null
}

/** What a release was deployed with that no configuration says: it stays through reloads and a reboot. */
export interface OwnOptions {
  /** Absolute path of a Node binary. */
  readonly node?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One state of code and configuration, given to all workers that are started from it. */
export interface Generation {
  readonly number: number
  readonly group: GroupName
  readonly release: Release
  /** Paths are real: a `current` symlink that is switched changes the next generation, never the restarts of this one. */
  readonly config: AppConfig
  /** Script and directory as they were given, links and all. */
  readonly given: { readonly script: string; readonly cwd: string }
  /** It was deployed: a reload reads its code again, wherever the configuration points by then. */
  readonly isPinned: boolean
  readonly own: OwnOptions
}

export interface GenerationOptions {
  readonly isPinned?: boolean
  /** Read from its files when left out. */
  readonly version?: string | null
  readonly own?: OwnOptions
  /** Real path of the directory that was deployed. */
  readonly root?: string | null
}

/** Takes what the configuration points at as it is now. */
export function makeGeneration(
  number: number,
  group: GroupName,
  releaseId: string,
  config: AppConfig,
  { isPinned = false, version, own = {}, root = null }: GenerationOptions = {},
): Generation {
  const script = realProgram(config)
  const cwd = realpathSync(config.cwd)
  const path = releasePathOf({ ...config, script, cwd })
  const release = { id: releaseId, path, version: version === undefined ? readVersion(path, { root, cwd }) : version }
  return {
    number,
    group,
    release,
    config: { ...config, script, cwd, node: own.node ?? config.node, env: { ...config.env, ...own.env } },
    given: { script: config.script, cwd: config.cwd },
    isPinned,
    own,
  }
}

/** Of a command the last link stays: `venv/bin/python` and the tools of busybox go by the name that they are called by. */
function realProgram({ script, isCommand }: AppConfig): string {
  return isCommand ? join(realpathSync(dirname(script)), basename(script)) : realpathSync(script)
}

/** Where the code is: a program from elsewhere, such as an interpreter, has it where it runs. */
function releasePathOf({ script, cwd, isCommand }: AppConfig): string {
  return isCommand && !isInside(script, cwd) ? cwd : dirname(script)
}

/** The configuration as it was read, to compare with what would be read now. */
export function configAsGiven({ config, given }: Generation): AppConfig {
  return { ...config, ...given }
}

/** Whether a process started from `before` would differ, by more than the contents of the files, from one started from `after`. */
export function startsDifferently(before: Generation, after: Generation): boolean {
  const identity = ({ config }: Generation): string =>
    JSON.stringify([
      config.script,
      config.isCommand,
      config.cwd,
      config.args,
      config.nodeArgs,
      config.node,
      Object.entries(config.env).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ])
  return identity(before) !== identity(after)
}

/** Typed alike; variables of a shell differ from one to the next, and say little. */
export function isSameSource(one: ConfigSource, other: ConfigSource): boolean {
  return typed(one) === typed(other)
}

function typed({ file, app, flags, directory }: ConfigSource): string {
  return JSON.stringify([file, app, flags, directory])
}

/** Also not that of what an earlier supervisor has left: two generations of one number would be one in the state. */
export function numberAfter(last: number, living: readonly { readonly generation: Generation }[]): number {
  return Math.max(last, ...living.map(({ generation }) => generation.number)) + 1
}
