// A worker that ends by accident costs at most the requests that it had under way, and says what happened.

import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHold } from '../support/hold.ts'
import { crashesOf } from '../support/instance-facts.ts'
import { parseMetrics, sumOf } from '../support/metrics.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { QUICK, startUnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

const CONNECTIONS = 68

/** Within this time each process has noticed that a worker is gone, however busy the machine. */
const BURST_MS = 2_000

const HELD_MS = 30_000

describe('a worker that crashes under load', () => {
  it('takes only its own requests in flight with it (C1)', async () => {
    const { supervise, load, target } = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    await get(target, '/exit?code=1').catch(() => {})
    await until(async () => (await crashesOf(supervise)).length > 0, 10_000, 'the crash is on record')
    await supervise.online()
    await load.answers(300)
    const { failed } = load.progress()
    await load.answers(1_000)
    const report = await load.stop()
    const [crash] = await crashesOf(supervise)

    // Pipelined connections have three under way.
    expect(report.failed).toBeLessThanOrEqual(CONNECTIONS)
    expect(report.failures.refused + report.failures.timedOut + report.failures.unexpectedStatus).toBe(0)
    // All of them at the crash, as two processes saw it, and none since.
    for (const { at } of report.firstFailures) expect(Math.abs(at - Date.parse(crash?.at ?? ''))).toBeLessThan(BURST_MS)
    expect(report.failed).toBe(failed)
    expect(await crashesOf(supervise)).toHaveLength(1)
    await supervise.stop()
  })

  it('takes no more with it than it was answering; its sibling answers the rest (C1)', async () => {
    const port = await freePort()
    const supervise = await startSupervise([fixture('hello.js'), '-i', '2', '--port', String(port), ...QUICK])
    const target = { host: '127.0.0.1', port }
    const hold = makeHold(supervise.home)
    const settled = Promise.allSettled(Array.from({ length: 12 }, () => get(target, hold.path, HELD_MS)))
    const asked = await hold.asked(12)
    const metrics = async () => parseMetrics((await supervise.api('GET', '/v1/metrics')).text)
    const inFlight = async () => sumOf(await metrics(), 'supervise_http_requests_in_flight')
    await until(async () => (await inFlight()) === asked.length, 10_000, 'the workers have told of what they answer')
    const [victim = 0] = asked
    process.kill(victim, 'SIGKILL')
    await until(() => !isAlive(victim), 5_000, 'the worker is gone')
    hold.release()

    const lost = (await settled).filter(({ status }) => status === 'rejected').length
    expect(lost).toBe(asked.filter((pid) => pid === victim).length)
    await supervise.online()
    // It could not count them any more, and was seen to have them.
    expect(sumOf(await metrics(), 'supervise_http_requests_total', { status_class: 'aborted' })).toBe(lost)
    await supervise.stop()
  })

  it('has its end told in words: exit code, SIGKILL, SIGSEGV, out of memory, exception (C2)', async () => {
    const port = await freePort()
    const args = ['-i', '1', '--port', String(port), '--node-args', '--max-old-space-size=48', ...QUICK]
    const supervise = await startSupervise([fixture('hello.js'), ...args])
    const target = { host: '127.0.0.1', port }
    const paths = ['/exit?code=42', '/kill?signal=SIGKILL', '/kill?signal=SIGSEGV', '/oom', '/crash', '/reject']
    for (const [done, path] of paths.entries()) {
      /* oxlint-disable no-await-in-loop -- one crash after the other */
      await get(target, path, 30_000).catch(() => {})
      await until(
        async () => (await crashesOf(supervise)).length === done + 1,
        10_000,
        `the crash by ${path} is on record`,
      )
      await supervise.online()
      /* oxlint-enable no-await-in-loop */
    }
    const records = await crashesOf(supervise)
    expect(records.map(({ reason }) => reason)).toEqual(['exit', 'signal', 'signal', 'out-of-memory', 'exit', 'exit'])
    expect(records.map(({ code, signal }) => signal ?? code).slice(0, 3)).toEqual([42, 'SIGKILL', 'SIGSEGV'])
    const words = records.map((record) => record.words)
    expect(words[0]).toMatch(/42/)
    expect(words[1]).toMatch(/SIGKILL/)
    expect(words[2]).toMatch(/SIGSEGV/)
    expect(words[3]).toMatch(/memory/i)
    expect(records[4]?.stderr.join('\n')).toMatch(/nowhere is not defined/)
    expect(records[5]?.stderr.join('\n')).toMatch(/rejected on request/)
    expect(new Set(words.slice(0, 4)).size).toBe(4)
    // All but those that ended within the request's own turn of the loop, without a last word.
    const metrics = parseMetrics((await supervise.api('GET', '/v1/metrics')).text)
    const aborted = sumOf(metrics, 'supervise_http_requests_total', { status_class: 'aborted', method: 'GET' })
    expect(aborted).toBe(3)
    await supervise.stop()
  })
})
