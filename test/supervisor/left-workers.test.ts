import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { AGENT_ENV } from '../../src/protocol/messages.ts'
import { leftWorkersOf } from '../../src/supervisor/left-workers.ts'

function start(env: Record<string, string>, output: number | 'ignore', detached = true): ChildProcess {
  const child = spawn('sleep', ['600'], { env, stdio: ['ignore', output, output], detached })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const agentOf = (where: string) => ({
  [AGENT_ENV.link]: join(where, 'link.sock'),
  [AGENT_ENV.settings]: JSON.stringify({ incarnation: 'node0001' }),
})

it('finds who was forked with the link of that directory, or writes where its FIFOs were, and none of their children', () => {
  const directory = mkdtempSync(join(tmpdir(), 'left-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const node = start(agentOf(directory), 'ignore')
  start(agentOf('/somewhere/else'), 'ignore')

  const fifo = join(directory, 'comm0001.out')
  const output = openSync(fifo, 'w')
  rmSync(fifo)
  const who = { SUPERVISE_APP: 'web', SUPERVISE_GROUP: 'green', SUPERVISE_RELEASE: 'r3', SUPERVISE_WORKER: '2' }
  const command = start({ SUPERVISE_INCARNATION: 'comm0001', ...who }, output)
  // As what a command has started.
  start({ SUPERVISE_INCARNATION: 'comm0001', ...who }, output, false)

  expect(leftWorkersOf(directory)).toEqual([{ directory, pid: node.pid, incarnation: 'node0001', command: null }])
  const [found] = leftWorkersOf(join(directory, '..'))
  expect(found).toMatchObject({
    pid: command.pid,
    incarnation: 'comm0001',
    command: { app: 'web', worker: 2, group: 'green', release: 'r3' },
  })
})
