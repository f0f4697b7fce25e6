// Exactly one supervisor an instance: an abstract Unix socket that the kernel frees when its holder dies, so that a lock
// is never stale. It has no file, so a directory on another file system or network namespace is told apart by the
// sockets in it: whoever accepts on them is respected as well.

import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { instanceAlreadyRuns, lockFailed } from '../errors/control.ts'
import { ping } from './ping.ts'
import { completeDirectory, type InstanceDirectory } from './instance-directory.ts'

export interface InstanceLock {
  release(): Promise<void>
}

const RETRY_MS = 25
const ASK_HOLDER_MS = 500

/**
 * Takes the instance's lock, or says who has it. A killed holder's lock can be held a moment longer, so it is tried for
 * `waitMs` in all.
 */
export async function takeLock(directory: InstanceDirectory, waitMs = 1_000): Promise<InstanceLock> {
  const deadline = performance.now() + waitMs
  let lock = await tryLock(directory)
  while (lock === null && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other is the point
    lock = await delay(RETRY_MS).then(() => tryLock(directory))
  }
  if (lock === null) throw instanceAlreadyRuns(directory.name, await pidOfHolder(directory))
  return lock
}

async function tryLock(directory: InstanceDirectory): Promise<InstanceLock | null> {
  const server = process.platform === 'linux' ? await bindLock(directory) : null
  if (server === 'held') return null
  // The holder that we waited for may have removed the directory on its way out.
  completeDirectory(directory)
  const release = () => new Promise<void>((done) => (server === null ? done() : server.close(() => done())))
  if ((await accepts(directory.controlSocket)) || (await accepts(directory.linkSocket))) {
    await release()
    return null
  }
  return { release }
}

function bindLock(directory: InstanceDirectory): Promise<Server | 'held'> {
  return new Promise((resolve, reject) => {
    // Tells the pid to a supervisor that came second, even before there is a control socket to ask.
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(`${process.pid}\n`, () => socket.destroy())
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('held')
      else reject(lockFailed(directory.name, error.message))
    })
    // Without `exclusive` a cluster worker would ask its primary to bind.
    server.listen({ path: lockAddress(directory), exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

/**
 * Named from the root, which stays, since a holder that ends removes its own directory. Containers that share a network
 * share abstract names too; the device tells their equal paths apart.
 */
function lockAddress({ root, name }: InstanceDirectory): string {
  const key = `${join(realpathSync(root), name)}\0${statSync(root).dev}`
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
  return process.platform === 'linux' ? askLock(lockAddress(directory)) : null
}

function askLock(address: string): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = connect(address)
    let text = ''
    const finish = () => {
      socket.destroy()
      const pid = Number.parseInt(text, 10)
      resolve(pid > 0 ? pid : null)
    }
    socket.setEncoding('latin1').setTimeout(ASK_HOLDER_MS, finish)
    // Anybody may bind an abstract name, so what answers is not trusted to be short.
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > 20) finish()
    })
    socket.on('error', finish).on('end', finish)
  })
}
