// Connections that wait in the kernel's queue are answered, whichever process dies meanwhile.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { isAlive, sendIfAlive, stateOf } from '../support/processes.ts'
import { queueRequests } from '../support/queued-requests.ts'
import { fixture } from '../support/releases.ts'
import { QUICK } from '../support/under-load.ts'
import { until } from '../support/until.ts'

async function start(): Promise<{ supervise: Supervise; target: { host: string; port: number } }> {
  const port = await freePort()
  const supervise = await startSupervise([fixture('hello.js'), '--port', String(port), '-i', '4', ...QUICK])
  return { supervise, target: { host: '127.0.0.1', port } }
}

async function freeze(pids: readonly number[]): Promise<void> {
  for (const pid of pids) sendIfAlive(pid, 'SIGSTOP')
  await until(() => pids.every((pid) => stateOf(pid) === 'T'), 2_000, 'all workers are stopped')
}

describe('queued connections', () => {
  it('are all answered when one of the frozen workers is killed (A1)', async () => {
    const { supervise, target } = await start()
    const pids = await supervise.pids()
    await freeze(pids)
    const queued = await queueRequests(target, 40)

    const [victim = 0, ...others] = pids
    sendIfAlive(victim, 'SIGKILL')
    await until(() => !isAlive(victim), 2_000, 'the victim is dead')
    for (const pid of others) sendIfAlive(pid, 'SIGCONT')

    expect(await queued.answered()).toBe(40)
    await supervise.stop()
  })

  it('are all answered when the supervisor is killed, too (A2)', async () => {
    const { supervise, target } = await start()
    const pids = await supervise.pids()
    await freeze(pids)
    const queued = await queueRequests(target, 40)

    const [victim = 0, ...others] = pids
    sendIfAlive(victim, 'SIGKILL')
    supervise.signal('SIGKILL')
    await supervise.ended()
    for (const pid of others) sendIfAlive(pid, 'SIGCONT')

    expect(await queued.answered()).toBe(40)
  })

  it('are served by the replacements when all workers are killed together; none is refused (A3)', async () => {
    const { supervise, target } = await start()
    const pids = await supervise.pids()
    for (const pid of pids) sendIfAlive(pid, 'SIGKILL')
    await until(() => !pids.some((pid) => isAlive(pid)), 2_000, 'all workers are dead')
    const queued = await queueRequests(target, 40)

    expect(await queued.answered()).toBe(40)
    expect(pids).not.toContain((await get(target)).pid)
    await supervise.stop()
  })
})
