import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { AGENT_ENV } from '../../src/protocol/messages.ts'
import { leftWorkersOf } from '../../src/supervisor/left-workers.ts'

interface Start {
  readonly output?: number
  readonly detached?: boolean
  readonly uid?: number
}

function start(env: Record<string, string>, { output, detached = true, uid }: Start = {}): ChildProcess {
  const stdio = ['ignore', output ?? 'ignore', output ?? 'ignore'] as const
  const child = spawn('/bin/sleep', ['600'], { env, stdio: [...stdio], detached, ...(uid !== undefined && { uid }) })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const agentOf = (where: string) => ({
  [AGENT_ENV.link]: join(where, 'link.sock'),
  [AGENT_ENV.settings]: JSON.stringify({ incarnation: 'node0001' }),
})

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'left-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** An open FIFO; both ends are open in one, so that nobody waits. */
function openFifo(path: string, mode = '600'): number {
  execFileSync('mkfifo', ['-m', mode, path])
  const descriptor = openSync(path, 'r+')
  onTestFinished(() => closeSync(descriptor))
  return descriptor
}

const WHO = { SUPERVISE_APP: 'web', SUPERVISE_GROUP: 'green', SUPERVISE_RELEASE: 'r3', SUPERVISE_WORKER: '2' }
const COMMAND = { SUPERVISE_INCARNATION: 'comm0001', ...WHO }

it('finds who was forked with the link of that directory, or writes where its FIFOs were, and none of their children', () => {
  const directory = makeDirectory()
  const node = start(agentOf(directory))
  start(agentOf('/somewhere/else'))

  const fifo = join(directory, 'comm0001.out')
  const output = openFifo(fifo)
  rmSync(fifo)
  const command = start(COMMAND, { output })
  // As what a command has started.
  start(COMMAND, { output, detached: false })

  expect(leftWorkersOf(directory)).toEqual([{ directory, pid: node.pid, incarnation: 'node0001', command: null }])
  const [found] = leftWorkersOf(join(directory, '..'))
  expect(found).toMatchObject({
    pid: command.pid,
    incarnation: 'comm0001',
    command: { app: 'web', worker: 2, group: 'green', release: 'r3' },
  })
})

it('takes none for a command that writes to what others could have opened', () => {
  const directory = makeDirectory()
  const file = openSync(join(directory, 'comm0001.out'), 'w')
  onTestFinished(() => closeSync(file))
  start(COMMAND, { output: file })
  start(COMMAND, { output: openFifo(join(directory, 'comm0001.err'), '622') })
  expect(leftWorkersOf(join(directory, '..'))).toEqual([])
})

it.skipIf(process.getuid?.() !== 0)('takes no other user for a worker, but one that a worker has become', () => {
  const directory = makeDirectory()
  chmodSync(directory, 0o755)
  const stranger = join(directory, 'comm0001.out')
  const theirs = openFifo(stranger)
  chownSync(stranger, 65_534, 65_534)
  start(COMMAND, { output: theirs, uid: 65_534 })
  start(agentOf(directory), { uid: 65_534 })
  expect([...leftWorkersOf(directory), ...leftWorkersOf(join(directory, '..'))]).toEqual([])

  const command = start(COMMAND, { output: openFifo(join(directory, 'comm0001.err')), uid: 65_534 })
  const node = start(agentOf(directory), { output: openFifo(join(directory, 'node0001.out')), uid: 65_534 })
  expect(leftWorkersOf(directory).map(({ pid }) => pid)).toEqual([node.pid])
  expect(leftWorkersOf(join(directory, '..')).map(({ pid }) => pid)).toEqual([command.pid])
})
