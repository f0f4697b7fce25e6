// Where an instance lives: one directory, ours alone (0700), with its sockets, pipes and state. Finds it, creates it and
// refuses one that others could tamper with or whose socket paths the system would cut.

import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, type Stats } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { directoryNotUsable, invalidInstanceName, socketPathTooLong, unsafeDirectory } from '../errors/control.ts'
import { EXIT } from '../errors.ts'
import { makeDirectories } from '../config/make-directories.ts'
import { systemCodeOf } from '../config/failure.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface InstanceDirectory {
  readonly name: string
  /** The directory that instances have in common. */
  readonly root: string
  readonly path: string
  readonly controlSocket: string
  readonly linkSocket: string
  /** Private endpoints of workers. */
  readonly endpoints: string
  /** FIFOs that workers write their stdout and stderr to. */
  readonly output: string
  readonly stateFile: string
}

/** `sockaddr_un` has 108 bytes on Linux and 104 on macOS, one of them for the final zero; Node 22 cuts without a word. */
const SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** The longest names that are bound inside an instance directory: endpoints, and sockets before they are renamed. */
const LONGEST_SOCKETS = [join('endpoints', `${'x'.repeat(16)}.sock`), 'control.sock.new', 'link.sock.4194304']

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Where system units keep theirs, one directory each (`RuntimeDirectory=supervise/web`). */
const UNITS_ROOT = '/run/supervise'

/** Says where an instance of this name is or would be; touches nothing. */
export function instanceDirectory(name: string, env: Environment = process.env): InstanceDirectory {
  if (!NAME.test(name)) throw invalidInstanceName(name)
  const roots = rootsToSearch(env)
  return directoryIn(roots.find((root) => isUsable(root, name)) ?? runtimeRoot(env), name)
}

function directoryIn(root: string, name: string): InstanceDirectory {
  const path = join(root, name)
  return {
    name,
    root,
    path,
    controlSocket: join(path, 'control.sock'),
    linkSocket: join(path, 'link.sock'),
    endpoints: join(path, 'endpoints'),
    output: join(path, 'output'),
    stateFile: join(path, 'state.json'),
  }
}

/** Creates what is missing of the directory, or refuses; nothing is created when it refuses for the path's length. */
export function openInstanceDirectory(name: string, env: Environment = process.env): InstanceDirectory {
  if (!NAME.test(name)) throw invalidInstanceName(name)
  const directory = directoryIn(runtimeRoot(env), name)
  checkSocketPaths(directory)
  const root = findRoot(env)
  createRoot(root.path)
  checkRoot(root)
  completeDirectory(directory)
  return directory
}

/** A supervisor that ends removes its directory, and another may be making it just then. */
const TRIES = 20

/** Creates what is missing below the root, and checks what is there. */
export function completeDirectory(directory: InstanceDirectory): void {
  for (let tries = 1; ; tries += 1) {
    try {
      return complete(directory)
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') throw error
      if (tries === TRIES) throw asDirectoryError(directory.path, error)
    }
  }
}

function complete(directory: InstanceDirectory): void {
  for (const path of [directory.path, directory.endpoints, directory.output]) {
    createBelow(path)
    checkOurs(path)
  }
}

/** Names of the instances that have a directory, running or not, in alphabetical order. */
export function instanceNames(env: Environment = process.env): readonly string[] {
  const names = rootsToSearch(env).flatMap((root) => namesIn(root).filter((name) => isUsable(root, name)))
  return [...new Set(names)].toSorted()
}

/** Whose directory that is or was; null when no instance of this user is looked for there. */
export function instanceAt(path: string, env: Environment = process.env): InstanceDirectory | null {
  const root = dirname(path)
  return rootsToSearch(env).includes(root) && NAME.test(basename(path)) ? directoryIn(root, basename(path)) : null
}

/** The user's own, and what system units of this user have; root may look into all of them. */
function rootsToSearch(env: Environment): readonly string[] {
  const own = runtimeRoot(env)
  const isChosen = Boolean(env['SUPERVISE_RUNTIME_DIR']) || Boolean(env['RUNTIME_DIRECTORY'])
  return isChosen || own === UNITS_ROOT ? [own] : [own, UNITS_ROOT]
}

function isUsable(root: string, name: string): boolean {
  const path = join(root, name)
  return isOurs(path) || (root === UNITS_ROOT && uid() === 0 && statOf(path)?.isDirectory() === true)
}

function namesIn(root: string): readonly string[] {
  try {
    const entries = readdirSync(root, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory() && NAME.test(entry.name)).map((entry) => entry.name)
  } catch (error) {
    const code = systemCodeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw asDirectoryError(root, error)
  }
}

/** The directory that holds one directory an instance. */
export function runtimeRoot(env: Environment = process.env): string {
  return findRoot(env).path
}

/**
 * Whether a socket found there could be somebody else's, waiting for what is meant for our supervisor: a start request
 * carries the environment. Root may use the instances of others where only they could have put them.
 */
export function isStrangers(directory: InstanceDirectory): boolean {
  const stats = statOf(directory.path)
  if (stats === null || stats.uid === uid()) return false
  return uid() !== 0 || ((statOf(dirname(directory.root))?.mode ?? 0) & 0o002) !== 0
}

interface Root {
  readonly path: string
  /** It stands in a directory that everybody may write to, so that somebody else may have made it first. */
  readonly inPublicPlace: boolean
}

function findRoot(env: Environment): Root {
  if (env['SUPERVISE_RUNTIME_DIR']) return { path: resolve(env['SUPERVISE_RUNTIME_DIR']), inPublicPlace: false }

  const fromSystemd = env['RUNTIME_DIRECTORY']?.split(':')[0]
  if (fromSystemd) return { path: rootOfUnit(resolve(fromSystemd)), inPublicPlace: false }

  // A relative XDG_RUNTIME_DIR is to be ignored, says its specification.
  const xdg = env['XDG_RUNTIME_DIR']
  if (xdg?.startsWith('/')) return { path: join(xdg, 'supervise'), inPublicPlace: false }

  const ofUser = `/run/user/${uid()}`
  if (isOurs(ofUser)) return { path: join(ofUser, 'supervise'), inPublicPlace: false }

  return { path: join(env['TMPDIR'] || tmpdir(), `supervise-${uid()}`), inPublicPlace: true }
}

/** A unit of ours has a directory named like its instance; any other is given one to hold instances. */
function rootOfUnit(path: string): string {
  return basename(dirname(path)) === 'supervise' ? dirname(path) : path
}

/** Of the longest path that is bound in it, and what the system takes. */
export function socketPathLength({ path }: InstanceDirectory): { readonly bytes: number; readonly limit: number } {
  const lengths = LONGEST_SOCKETS.map((socket) => Buffer.byteLength(join(path, socket)))
  return { bytes: Math.max(...lengths), limit: SOCKET_PATH_BYTES }
}

function checkSocketPaths(directory: InstanceDirectory): void {
  const { root, name } = directory
  const { bytes: longest } = socketPathLength(directory)
  if (longest <= SOCKET_PATH_BYTES) return
  throw socketPathTooLong(
    root,
    name,
    longest,
    SOCKET_PATH_BYTES,
    Buffer.byteLength(root) - (longest - SOCKET_PATH_BYTES),
  )
}

function createRoot(path: string): void {
  try {
    makeDirectories(path)
  } catch (error) {
    throw asDirectoryError(path, error)
  }
}

/** Throws the system's error where the directory above is gone, since that may be so for a moment only. */
function createBelow(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
    // The umask may have taken bits away that we need ourselves.
    chmodSync(path, 0o700)
  } catch (error) {
    const code = systemCodeOf(error)
    // What is there already is looked at next.
    if (code === 'EEXIST') return
    throw code === 'ENOENT' ? error : asDirectoryError(path, error)
  }
}

function checkRoot(root: Root): void {
  if (root.inPublicPlace) return checkOurs(root.path)
  const { mode, uid: owner } = statSync(root.path)
  // Who may rename entries of the root could put their own directory in the place of ours.
  if (owner !== uid() && owner !== 0)
    throw unsafeDirectory(
      root.path,
      `it belongs to uid ${owner}, who could put another directory in the place of ours, and this is uid ${uid()}`,
      'Set SUPERVISE_RUNTIME_DIR to a directory of your own.',
    )
  if ((mode & 0o022) !== 0 && (mode & 0o1000) === 0)
    throw unsafeDirectory(
      root.path,
      `others may write to it (mode ${(mode & 0o7777).toString(8)}), and so could put their own directory in the place of ours`,
      `Set SUPERVISE_RUNTIME_DIR to a directory of your own, or take the right away: \`chmod go-w ${root.path}\`.`,
    )
}

function checkOurs(path: string): void {
  const stats = lstatSync(path)
  const fix = `Look at what it is; remove it or set SUPERVISE_RUNTIME_DIR to a directory of your own.`
  if (stats.isSymbolicLink()) throw unsafeDirectory(path, 'it is a symbolic link', fix)
  if (!stats.isDirectory()) throw directoryNotUsable(path, 'it is not a directory', fix, EXIT.noPermission)
  if (stats.uid !== uid()) throw unsafeDirectory(path, `it belongs to uid ${stats.uid}, and this is uid ${uid()}`, fix)
  if ((stats.mode & 0o077) !== 0)
    throw unsafeDirectory(
      path,
      `others may use it (mode ${(stats.mode & 0o7777).toString(8)})`,
      `If nobody else has put anything into it: \`chmod 700 ${path}\`. Or set SUPERVISE_RUNTIME_DIR to another directory.`,
    )
}

/** Why a path in a runtime directory cannot be made or bound, for people. */
export function asDirectoryError(path: string, error: unknown): Error {
  const elsewhere = 'Set SUPERVISE_RUNTIME_DIR to a directory that you may write to.'
  switch (systemCodeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return directoryNotUsable(path, `uid ${uid()} may not write there`, elsewhere, EXIT.noPermission)
    case 'EROFS':
      return directoryNotUsable(path, 'its file system is read-only', elsewhere, EXIT.noPermission)
    case 'ENOSPC':
    case 'EDQUOT':
      return directoryNotUsable(
        path,
        'the disk is full',
        'Make room there, or set SUPERVISE_RUNTIME_DIR to a directory on another file system.',
        EXIT.failed,
      )
    case 'ENOENT':
      // Such as /proc and /sys, or an automounter that knows no such name.
      return directoryNotUsable(path, 'nothing can be made there', elsewhere, EXIT.noPermission)
    case 'ENOTDIR':
    case 'EEXIST':
      return directoryNotUsable(path, `"${fileAmong(path)}" is not a directory`, elsewhere, EXIT.noPermission)
    case undefined:
    default:
      return directoryNotUsable(path, error instanceof Error ? error.message : String(error), elsewhere, EXIT.failed)
  }
}

/** The part of a path that should be a directory and is something else. */
function fileAmong(path: string): string {
  const stats = statOf(path)
  if (stats !== null && !stats.isDirectory()) return path
  return path === dirname(path) ? path : fileAmong(dirname(path))
}

function isOurs(path: string): boolean {
  const stats = statOf(path)
  return stats !== null && stats.isDirectory() && stats.uid === uid()
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path)
  } catch {
    return null
  }
}

function uid(): number {
  return process.getuid?.() ?? 0
}
