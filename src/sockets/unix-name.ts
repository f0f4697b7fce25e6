// Names of Unix sockets in the file system. A socket is bound under a hidden name beside the app's path, and published
// by a hard link: the path outlives whoever bound it, and can be put back when an app deletes it before its own listen().
//
// Rules
// 1. What is not a socket of ours is never deleted, and what accepts is never replaced.
// 2. No name goes by itself: libuv deletes the name it bound when the handle or the process ends, so that name is
//    renamed at once.

import { spawnSync } from 'node:child_process'
import { chmodSync, linkSync, lstatSync, readFileSync, renameSync, unlinkSync, type Stats } from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'

import type { SocketHandle } from '../protocol/handle.ts'
import { bindPipeHandle, UV } from './server-handle.ts'

/** What fits into `sun_path`, whose last byte is zero. */
export const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107

const { EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK } = constants.errno
const NO_LINKS = new Set([-EPERM, -ENOTSUP, -EOPNOTSUPP, -ENOSYS, -EMLINK])

export interface UnixName {
  readonly path: string
  /** The name that keeps the socket reachable; null when there is none. */
  readonly hidden: string | null
  /** The socket's inode; null for an abstract one. */
  readonly inode: number | null
}

export interface BoundUnixSocket {
  readonly handle: SocketHandle
  readonly name: UnixName
  /** What a person should know; null when all is as it should be. */
  readonly note: string | null
}

/**
 * Binds and publishes; returns a negative errno when that cannot be. `flags` are those of a `ListenRequest`. `replaced` is a
 * socket of ours that still accepts and cannot be handed on: from now on the path leads to the new one.
 */
export function bindUnixSocket(
  path: string,
  flags: number,
  replaced: UnixName | null = null,
): BoundUnixSocket | number {
  if (isAbstract(path)) {
    const handle = bindPipeHandle(path)
    return typeof handle === 'number' ? handle : { handle, name: { path, hidden: null, inode: null }, note: null }
  }
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return UV.invalid
  const there = inodeOf(path)
  const mayReplace = replaced !== null && (there === null || there === replaced.inode)
  const obstacle = mayReplace ? there : obstacleAt(path)
  return obstacle === 'taken' ? UV.inUse : bindHidden(path, flags, obstacle)
}

/** The name of a socket that another process bound and handed over. */
export function adoptUnixName(path: string): UnixName {
  if (isAbstract(path)) return { path, hidden: null, inode: null }
  const hidden = inodeOf(hiddenOf(path))
  return { path, hidden: hidden === null ? null : hiddenOf(path), inode: hidden ?? inodeOf(path) }
}

/** Puts the path back when it was deleted. What else has taken its place is left alone. */
export function restoreUnixName(name: UnixName): boolean {
  const { path, hidden, inode } = name
  if (hidden === null || inodeOf(path) !== null || inodeOf(hidden) !== inode) return false
  return attempt(() => linkSync(hidden, path)) === 0
}

/** Deletes the names, as far as they still name this socket. */
export function removeUnixName(name: UnixName): void {
  for (const path of [name.path, name.hidden]) {
    if (path !== null && name.inode !== null && inodeOf(path) === name.inode) attempt(() => unlinkSync(path))
  }
}

export function isAbstract(path: string): boolean {
  return path.startsWith('\0')
}

function hiddenOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.bound`)
}

/** What the kernel goes on calling the socket: as long a name as there is room for. */
function draftOf(path: string): string {
  const draft = join(dirname(path), `.${basename(path)}.draft`)
  return Buffer.byteLength(draft) <= MAX_PATH_BYTES ? draft : join(dirname(path), '.d')
}

function bindHidden(path: string, flags: number, stale: number | null): BoundUnixSocket | number {
  const [draft, hidden] = [draftOf(path), hiddenOf(path)]
  if (isSocket(draft)) attempt(() => unlinkSync(draft))
  const handle = bindPipeHandle(draft)
  if (typeof handle === 'number') return handle
  const renamed = attempt(() => {
    openToAll(draft, flags)
    renameSync(draft, hidden)
  })
  const errno =
    renamed ||
    attempt(() => (stale !== null && inodeOf(path) === stale ? replaceBy(hidden, draft, path) : linkSync(hidden, path)))
  const name = { path, hidden, inode: inodeOf(hidden) }
  if (errno === 0) return { handle, name, note: null }
  if (renamed === 0 && NO_LINKS.has(errno) && attempt(() => renameSync(hidden, path)) === 0) {
    const note = `${path} cannot be put back when the app deletes it: its file system has no hard links`
    return { handle, name: { ...name, hidden: null }, note }
  }
  handle.close()
  attempt(() => unlinkSync(hidden))
  return errno === -constants.errno.EEXIST ? UV.inUse : errno
}

/** At no moment is there nothing at the path. */
function replaceBy(hidden: string, spare: string, path: string): void {
  linkSync(hidden, spare)
  renameSync(spare, path)
}

/** As `uv_pipe_chmod`: bit 0 lets everybody read, bit 1 lets everybody write. */
function openToAll(path: string, flags: number): void {
  const added = ((flags & 1) !== 0 ? 0o444 : 0) | ((flags & 2) !== 0 ? 0o222 : 0)
  if (added !== 0) chmodSync(path, (lstatSync(path).mode & 0o777) | added)
}

/**
 * Under plain node whatever has the path is in the way. Here the one exception is a dead socket of our own, which is
 * told by its two names; returns its inode, or null when nothing is there.
 */
function obstacleAt(path: string): 'taken' | number | null {
  const [there, hidden] = [inodeOf(path), inodeOf(hiddenOf(path))]
  if (there !== null && there !== hidden) return 'taken'
  if (hidden === null) return null
  if (!isSocket(hiddenOf(path)) || isBound(draftOf(path))) return 'taken'
  return accepts(there === null ? hiddenOf(path) : path) ? 'taken' : there
}

/**
 * Also sees what is bound and not yet listened on, but not into other network namespaces. Accepted connections have the
 * name too; a state of 01 tells the others.
 */
function isBound(kernelName: string): boolean {
  try {
    return readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .some((line) => / 01 +\d+ /.test(line) && line.endsWith(` ${kernelName}`))
  } catch {
    return false
  }
}

/** Dials in a process of its own: only there can the answer be waited for, and it is asked for once in a crash's wake. */
function accepts(path: string): boolean {
  const dial = `require('net').connect(process.argv[1]).on('connect', () => process.exit(0)).on('error', (error) => process.exit(error.code === 'ECONNREFUSED' ? 3 : 0))`
  return spawnSync(process.execPath, ['-e', dial, path], { env: {}, stdio: 'ignore', timeout: 5_000 }).status !== 3
}

function inodeOf(path: string): number | null {
  return statOf(path)?.ino ?? null
}

function isSocket(path: string): boolean {
  return statOf(path)?.isSocket() ?? false
}

/** A directory that may not be searched has nothing for us: the bind that follows says why. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** Returns 0 or a negative errno. */
function attempt(effect: () => void): number {
  try {
    effect()
    return 0
  } catch (error) {
    return error instanceof Error && 'errno' in error ? Number(error.errno) : UV.invalid
  }
}
