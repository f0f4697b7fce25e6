// A client whose TCP handshake is under way, or that finds the queue full, gets its answer all the same.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mustExit } from '../support/must-exit.ts'
import { isAlive, sendIfAlive, stateOf } from '../support/processes.ts'
import { beginRequests } from '../support/raw-requests.ts'
import { fixture } from '../support/releases.ts'
import { startApp, type StartedApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

const SYN_SENT = '02'
/** More than 12 slots with a queue of 4 take, by far: a listener's queue has room for one more than it says. */
const CLIENTS = 150

/** Connections to a local port that wait for an answer to their SYN. */
function handshakes(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const sockets = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  return sockets.filter((line) => {
    const [, , address = '', state] = line.trim().split(/\s+/)
    return address.endsWith(remote) && state === SYN_SENT
  }).length
}

async function startWithSmallQueue(): Promise<StartedApp & { readonly pids: readonly number[] }> {
  const started = await startApp(fixture('small-backlog.js'), ['--drain-timeout', '1s', '--kill-timeout', '1s'])
  return { ...started, pids: await started.supervise.pids() }
}

describe('a connection in its TCP handshake', () => {
  it('completes while a reload replaces the workers (A4)', async () => {
    const { supervise, port, target, pids } = await startWithSmallQueue()
    for (const pid of pids) sendIfAlive(pid, 'SIGSTOP')
    await until(() => pids.every((pid) => stateOf(pid) === 'T'), 2_000, 'the workers accept nothing')
    const clients = beginRequests(target, CLIENTS)
    await until(() => handshakes(port) > 0, 5_000, 'a handshake is under way')

    mustExit(await supervise.cli('reload'), 0)

    expect(await clients.answered()).toBe(CLIENTS)
    expect(await supervise.pids()).toHaveLength(2)
    await supervise.stop()
  })

  it('is neither refused nor reset when all workers are dead and more clients come than can queue (A5)', async () => {
    const { supervise, target, pids } = await startWithSmallQueue()
    for (const pid of pids) sendIfAlive(pid, 'SIGKILL')
    await until(() => !pids.some((pid) => isAlive(pid)), 2_000, 'all workers are dead')
    const clients = beginRequests(target, CLIENTS)

    expect(await clients.answered()).toBe(CLIENTS)
    expect(clients.errors()).toEqual([])
    await supervise.stop()
  })
})
