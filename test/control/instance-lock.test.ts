/* oxlint-disable typescript/no-unsafe-type-assertion -- a test knows what it was answered */

import { spawn, type ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openInstanceDirectory, type InstanceDirectory } from '../../src/control/instance-directory.ts'
import { takeLock } from '../../src/control/instance-lock.ts'
import { startControlServer } from '../../src/control/server.ts'
import { EXIT } from '../../src/errors.ts'
import { scriptSupervisor } from './scripted-supervisor.ts'

const holder = fileURLToPath(new URL('hold-lock.ts', import.meta.url))
const children: ChildProcess[] = []
let root: string
let directory: InstanceDirectory

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lock-'))
  directory = openInstanceDirectory('web', { SUPERVISE_RUNTIME_DIR: root })
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true })
})

/** Starts a process that takes the lock; `said` is its first line. */
function start(
  runtimeDirectory = root,
  variables = {},
): { readonly child: ChildProcess; readonly said: Promise<string> } {
  const child = spawn(process.execPath, [holder], {
    env: { ...process.env, SUPERVISE_RUNTIME_DIR: runtimeDirectory, ...variables },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  const said = new Promise<string>((resolve) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk.includes('\n') ? '' : chunk))
    child.stdout?.once('data', (chunk: string) => resolve(chunk.trim()))
    child.once('exit', () => resolve(text))
  })
  return { child, said }
}

const bindAt = (path: string) =>
  new Promise<Server>((resolve) => {
    const server = createServer((socket) => socket.destroy()).listen(path, () => resolve(server))
  })

/** The abstract names that a process has bound. */
function lockNames({ pid }: ChildProcess): string[] {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n')
  const own = sockets.filter((line) => descriptors.includes(`socket:[${line.split(' ').at(-2)}]`))
  return own.flatMap((line) => line.match(/@supervise\/[0-9a-f]{32}$/) ?? []).map((name) => `\0${name.slice(1)}`)
}

test('takeLock() gives the lock once, and again after it was released (S5)', async () => {
  const lock = await takeLock(directory)
  await expect(takeLock(directory, 50)).rejects.toMatchObject({ code: 'INSTANCE_ALREADY_RUNS', exitCode: EXIT.busy })
  await lock.release()
  await (await takeLock(directory, 50)).release()
})

test('takeLock(): of five supervisors started at once exactly one wins; the others say who did and what to type (S5)', async () => {
  const all = Array.from({ length: 5 }, () => start())
  const said = await Promise.all(all.map((each) => each.said))
  const winner = all[said.indexOf('held')]
  const losers = said.filter((text) => text !== 'held').map((text) => JSON.parse(text) as Record<string, unknown>)
  expect(losers).toHaveLength(4)
  for (const loser of losers) {
    expect(loser['exitCode']).toBe(EXIT.busy)
    expect(loser['message']).toContain(`instance "web"`)
    expect(loser['message']).toContain(`pid ${winner?.child.pid}`)
    expect(loser['fix']).toContain('supervise status --instance web')
  }
})

test('takeLock() waits for the lock of a supervisor that was killed just now (S5)', async () => {
  const first = start()
  expect(await first.said).toBe('held')
  const second = takeLock(directory)
  first.child.kill('SIGKILL')
  await (await second).release()
})

test('takeLock() gives a lock that is handed over to the one that it is for, and to nobody else (S7)', async () => {
  const lock = await takeLock(directory)
  await lock.handOver()
  // Whoever comes along meanwhile sees that its holder lives.
  expect(await start().said).toContain(`pid ${process.pid}`)
  const next = start(root, { HANDED_OVER_BY: String(process.pid) })
  expect(await next.said).toBe('held')
  // It died with the lock: the one before takes it back.
  next.child.kill('SIGKILL')
  const back = await takeLock(directory, 1_000, process.pid)
  expect(back.notices).toEqual([])
  await back.release()
})

test('takeLock() is not deceived by another path to the same directory (S5)', async () => {
  symlinkSync(root, `${root}-link`)
  try {
    const lock = await takeLock(directory)
    const said = await start(`${root}-link`).said
    expect(JSON.parse(said)).toMatchObject({ code: 'INSTANCE_ALREADY_RUNS' })
    await lock.release()
  } finally {
    rmSync(`${root}-link`)
  }
})

test('takeLock() names the holder by its control socket once there is one (S5)', async () => {
  const { operations } = scriptSupervisor({
    ping: () => ({ instance: 'web', pid: 4_711, version: '0', uptimeSeconds: 1 }),
  })
  const lock = await takeLock(directory)
  const server = await startControlServer(directory, operations, { onError: () => {} })
  await expect(takeLock(directory, 50)).rejects.toMatchObject({ message: expect.stringContaining('pid 4711') })
  await server.close()
  await lock.release()
})

test('takeLock() names a holder that does not answer (S5)', async () => {
  const first = start()
  expect(await first.said).toBe('held')
  first.child.kill('SIGSTOP')
  await expect(takeLock(directory, 50)).rejects.toMatchObject({
    message: `Cannot start instance "web": another supervisor (pid ${first.child.pid}) runs it`,
  })
})

test('takeLock() passes a stranger that took the name of a holder that was killed (S5)', async () => {
  const first = start()
  expect(await first.said).toBe('held')
  const [name = ''] = lockNames(first.child)
  const ended = once(first.child, 'exit')
  first.child.kill('SIGKILL')
  await ended
  const stranger = await bindAt(name)
  const all = [start(), start(), start()]
  const said = await Promise.all(all.map((each) => each.said))
  const winner = all[said.indexOf('held, with a notice')]
  expect(winner).toBeDefined()
  expect(said.filter((text) => text.includes('INSTANCE_ALREADY_RUNS'))).toHaveLength(2)
  // The stranger goes, and the first name is free again: it still has one holder.
  stranger.close()
  await expect(takeLock(directory, 50)).rejects.toMatchObject({
    message: expect.stringContaining(`pid ${winner?.child.pid}`),
  })
  winner?.child.kill('SIGKILL')
  const last = await takeLock(directory)
  expect(last.notices).toEqual([])
  await last.release()
})

test('takeLock() passes nobody without knowing that the holder is dead (S5)', async () => {
  const first = start()
  expect(await first.said).toBe('held')
  rmSync(directory.path, { recursive: true })
  await expect(takeLock(directory, 50)).rejects.toMatchObject({ code: 'INSTANCE_ALREADY_RUNS' })
})

test.each(['controlSocket', 'linkSocket'] as const)(
  'takeLock() respects a live %s even without its lock (S5)',
  async (socket) => {
    const server = await bindAt(directory[socket])
    await expect(takeLock(directory, 50)).rejects.toMatchObject({ code: 'INSTANCE_ALREADY_RUNS' })
    server.close()
    await (await takeLock(directory, 50)).release()
  },
)

test('takeLock() takes no notice of dead sockets and of files in their place (S5)', async () => {
  const server = await bindAt(join(root, 'dead'))
  // Renamed away, so that closing does not unlink it.
  renameSync(join(root, 'dead'), directory.linkSocket)
  await new Promise((resolve) => server.close(resolve))
  writeFileSync(directory.controlSocket, '')
  await (await takeLock(directory, 50)).release()
})

test('takeLock() makes the directory again when the holder that it waited for removed it (S5)', async () => {
  const first = start()
  expect(await first.said).toBe('held')
  const second = takeLock(directory)
  rmSync(directory.path, { recursive: true })
  first.child.kill('SIGKILL')
  const lock = await second
  for (const path of [directory.path, directory.endpoints, directory.output]) expect(existsSync(path)).toBe(true)
  await lock.release()
})
