// Exactly one supervisor an instance: an abstract Unix socket that the kernel frees when its holder dies, so that a lock
// is never stale. It has no file, so a directory on another file system or network namespace is told apart by the
// sockets in it: whoever accepts on them is respected as well.
//
// Anybody on the host may bind an abstract name, and can read ours in /proc/net/unix. So a name that is taken while the
// holder that was named in our directory is dead is a stranger's, and the lock has another name then, made from what
// only the dead holder and we know.

import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { whyNotWritten } from '../config/why-not-written.ts'
import { instanceAlreadyRuns, lockFailed } from '../errors/control.ts'
import { ping } from './ping.ts'
import { completeDirectory, type InstanceDirectory } from './instance-directory.ts'
import { isAlive, readHolder, removeHolder, writeHolder } from './lock-holder.ts'

export interface InstanceLock {
  /** What a person should know of how it was taken. */
  readonly notices: readonly string[]
  release(): Promise<void>
  /** Lets the one take it whom this process is about to name: nobody else does while this process lives. */
  handOver(): Promise<void>
}

const RETRY_MS = 25
const ASK_HOLDER_MS = 500

/**
 * Takes the instance's lock, or says who has it. A killed holder's lock can be held a moment longer, so it is tried for
 * `waitMs` in all. `from` is the holder that hands it over, or this process itself where it takes it back.
 */
export async function takeLock(
  directory: InstanceDirectory,
  waitMs = 1_000,
  from: number | null = null,
): Promise<InstanceLock> {
  const deadline = performance.now() + waitMs
  let lock = await tryLock(directory, '', from)
  while (lock === null && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other is the point
    lock = await delay(RETRY_MS).then(() => tryLock(directory, '', from))
  }
  lock ??= await passStranger(directory, from)
  if (lock === null) throw instanceAlreadyRuns(directory.name, await pidOfHolder(directory))
  return lock
}

async function tryLock(
  directory: InstanceDirectory,
  secret: string,
  from: number | null,
): Promise<InstanceLock | null> {
  const server = process.platform === 'linux' ? await bindLock(directory, secret) : null
  if (server === 'held') return null
  // The holder that we waited for may have removed the directory on its way out.
  completeDirectory(directory)
  const unbind = () => new Promise<void>((done) => (server === null ? done() : server.close(() => done())))
  if (await isHeldElsewhere(directory, from)) {
    await unbind()
    return null
  }
  const notices = secret === '' ? [] : [`another program holds the name of this instance's lock: started beside it`]
  try {
    writeHolder(directory)
  } catch (error) {
    // The lock holds without it, and what serves is not left alone for a disk that is full.
    notices.push(`who has this instance cannot be written into ${directory.path}, since ${whyNotWritten(error)}`)
  }
  const release = () => {
    removeHolder(directory)
    return unbind()
  }
  return { notices, release, handOver: unbind }
}

/** A holder that had to take another name has no socket yet when it has just begun. */
async function isHeldElsewhere(directory: InstanceDirectory, from: number | null): Promise<boolean> {
  const holder = readHolder(directory)
  if (holder !== null && isAlive(holder)) return holder.pid !== process.pid && holder.pid !== from
  // One that takes it back answers on its own socket all the while.
  if (from === process.pid) return false
  return (await accepts(directory.controlSocket)) || (await accepts(directory.linkSocket))
}

async function passStranger(directory: InstanceDirectory, from: number | null): Promise<InstanceLock | null> {
  const holder = readHolder(directory)
  return holder === null || (isAlive(holder) && holder.pid !== from) ? null : tryLock(directory, holder.secret, from)
}

function bindLock(directory: InstanceDirectory, secret: string): Promise<Server | 'held'> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('held')
      else reject(lockFailed(directory.name, error.message))
    })
    // Without `exclusive` a cluster worker would ask its primary to bind.
    server.listen({ path: lockAddress(directory, secret), exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

/**
 * Named from the root, which stays, since a holder that ends removes its own directory. Containers that share a network
 * share abstract names too; the device tells their equal paths apart.
 */
function lockAddress({ root, name }: InstanceDirectory, secret: string): string {
  const key = `${join(realpathSync(root), name)}\0${statSync(root).dev}${secret}`
  return `\0supervise/${createHash('sha256').update(key).digest('hex').slice(0, 32)}`
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // A full queue belongs to somebody who is alive.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'))
  })
}

async function pidOfHolder(directory: InstanceDirectory): Promise<number | null> {
  const answer = await ping(directory.controlSocket, ASK_HOLDER_MS)
  if (typeof answer === 'object') return answer.pid
  const holder = readHolder(directory)
  return holder !== null && isAlive(holder) ? holder.pid : null
}
