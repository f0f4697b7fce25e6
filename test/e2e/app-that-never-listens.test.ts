// An app without a port gets ready by its own word or by time, and is reloaded as any other.

import { describe, expect, it } from 'vitest'
import { startSupervise } from '../support/harness.ts'
import { fixture } from '../support/releases.ts'

describe('an app that never listens', () => {
  it("gets ready by process.send('ready') (A12)", async () => {
    const args = ['-i', '2', '--ready', 'message', '--min-ready', '0', '--env', 'READY_MS=400']
    const supervise = await startSupervise([fixture('queue-worker.js'), ...args])
    const before = await supervise.pids()

    const result = await supervise.cli('reload')

    expect(result).toMatchObject({ code: 0 })
    expect(result.tookMs).toBeGreaterThan(400)
    const after = await supervise.pids()
    expect(after).toHaveLength(2)
    expect(after.some((pid) => before.includes(pid))).toBe(false)
    await supervise.stop()
  })

  it('gets ready by time (A12)', async () => {
    const args = ['-i', '2', '--ready', '1s', '--min-ready', '0', '--env', 'SAYS_READY=no']
    const supervise = await startSupervise([fixture('queue-worker.js'), ...args])
    const result = await supervise.cli('reload')
    expect(result).toMatchObject({ code: 0 })
    expect(result.tookMs).toBeGreaterThan(1_000)
    await supervise.stop()
  })

  it('is refused at the ready time-out when it keeps silent', async () => {
    const args = ['-i', '1', '--ready', 'message', '--ready-timeout', '1s', '--env', 'SAYS_READY=no']
    const supervise = await startSupervise([fixture('queue-worker.js'), ...args], { wait: 'none' })
    expect((await supervise.ended()).code).toBe(1)
    await supervise.mustHaveNoOrphan()
  })
})
