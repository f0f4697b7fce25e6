// The releases of an instance across its death and across a reboot: which group is active, how far a rollout is, what was
// run before. They live in the state directory and are written whole and durably each time. They have environments in
// them, so only their owner can read them.

import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { AppConfig } from '../config/app-config.ts'
import type { BakeRecord } from '../core/bake.ts'
import type { PastRelease } from '../core/release-history.ts'
import type { Rollout } from '../core/rollout.ts'
import { reached } from '../fault-points.ts'
import type { GroupName } from '../protocol/messages.ts'
import { makeDirectories } from '../config/make-directories.ts'
import { setAside } from './set-aside.ts'
import { stateDirectory } from './state-directory.ts'

/** Raised when an older supervisor could not read what this one writes. */
export const RELEASES_SCHEMA = 1

/** As `OLDEST_STATE`. */
export const OLDEST_RELEASES = 1

export interface ReleaseRecord extends PastRelease {
  /** Real path of the release's directory. */
  readonly path: string
  /** ISO 8601, as `endedAt`. */
  readonly createdAt: string
  /** As it was in force, its environment included: going back needs the whole of it. */
  readonly config: AppConfig
  /** Script and directory as they were given, links and all. */
  readonly given: { readonly script: string; readonly cwd: string }
  /** What it was deployed with that the configuration does not say. */
  readonly own: { readonly node?: string; readonly env?: Readonly<Record<string, string>> }
  readonly deployedBy: string
  /** How its smoke test went, when it had one. */
  readonly smoke?: SmokeRecord | null
  /** What was seen of it while it was watched. */
  readonly watch?: BakeRecord | null
  /** The data step that follows its promotion, when there is one. */
  readonly contract?: ContractRecord | null
}

export interface SmokeRecord {
  readonly passed: boolean
  readonly why: string | null
  /** The end of what its commands wrote. */
  readonly output: string
  readonly at: string
}

export interface ContractRecord {
  readonly state: 'due' | 'running' | 'done' | 'failed'
  /** The release that must be gone before. */
  readonly from: string
}

export interface AppReleases {
  readonly nextRelease: number
  readonly active: GroupName
  /** Id of the release to go back to; null as long as none was promoted. */
  readonly lastGood: string | null
  /** Oldest first. */
  readonly releases: readonly ReleaseRecord[]
  readonly rollout: Rollout | null
}

export interface SavedReleases {
  readonly schema: number
  /** The oldest version of a reader that can go by it; left out by an earlier supervisor. */
  readonly oldest?: number
  readonly apps: Readonly<Record<string, AppReleases>>
}

export type ReadReleases =
  | { readonly kind: 'none' }
  | { readonly kind: 'state'; readonly state: SavedReleases }
  /** `problem` says in words what is wrong with it. */
  | { readonly kind: 'unusable'; readonly problem: string }

/** Where the releases of an instance are kept. */
export function releasesFile(instance: string, env?: Readonly<Record<string, string | undefined>>): string {
  return join(stateDirectory(instance, env), 'releases.json')
}

/**
 * When it returns, the state survives a loss of power; when it throws, what was there before is still there. A file that
 * cannot be used is kept beside the new one: whoever can read it may want what is in it.
 */
export function writeReleases(file: string, state: SavedReleases): void {
  const directory = dirname(file)
  makeDirectories(directory)
  chmodSync(directory, 0o700)
  const temporary = `${file}.${process.pid}.tmp`
  reached('releases.writing')
  try {
    writeDurably(temporary, JSON.stringify(state))
    reached('releases.drafted')
    if (readReleases(file).kind === 'unusable') setAside(file)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  syncDirectory(directory)
  reached('releases.written')
}

/** What supervisors that were killed while they wrote have left. Only who holds the instance's lock may ask for it. */
export function removeDrafts(file: string): void {
  const name = basename(file)
  try {
    for (const other of readdirSync(dirname(file))) {
      if (other.startsWith(`${name}.`) && /^\d+\.tmp$/.test(other.slice(name.length + 1)))
        rmSync(join(dirname(file), other), { force: true })
    }
  } catch {
    // Where nothing can be read or deleted, the next write says so.
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'w', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Otherwise the new name itself could be lost. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Never throws: whatever is in the file, workers that live are not harmed by it. */
export function readReleases(file: string): ReadReleases {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT'
      ? { kind: 'none' }
      : { kind: 'unusable', problem: `it cannot be read (${code ?? message})` }
  }
  try {
    const value: unknown = JSON.parse(text)
    const problem = problemOf(value)
    // Written by this project under this schema number, in one piece: its shape is known.
    return problem === null ? { kind: 'state', state: value as SavedReleases } : { kind: 'unusable', problem }
  } catch {
    const isCut = text === '' || text.startsWith('{"schema":')
    return { kind: 'unusable', problem: isCut ? 'it is cut short' : 'it is no JSON' }
  }
}

function problemOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('schema' in value)) return 'it is no file of releases'
  const { schema } = value
  const oldest = 'oldest' in value ? value.oldest : schema
  if (typeof schema === 'number' && schema > RELEASES_SCHEMA && Number(oldest) > RELEASES_SCHEMA)
    return `a newer supervisor wrote it (version ${schema}, and this one knows ${RELEASES_SCHEMA})`
  if (typeof schema !== 'number' || schema < OLDEST_RELEASES)
    return `it is of version ${String(schema)}, and this one knows ${RELEASES_SCHEMA}`
  if (!('apps' in value) || !isRecord(value.apps)) return 'it names no apps'
  const [broken] = Object.entries(value.apps).find(([, app]) => !isAppReleases(app)) ?? []
  return broken === undefined ? null : `what it says of "${broken}" is not whole`
}

/** Somebody may have edited it: what is missing would be an exception at the worst moment. */
function isAppReleases(app: unknown): boolean {
  if (!isRecord(app) || typeof app['nextRelease'] !== 'number' || !Array.isArray(app['releases'])) return false
  return app['releases'].every(
    (release) => isRecord(release) && isRecord(release['config']) && isRecord(release['given']),
  )
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
