// A stop means the same at every moment: nothing is left, and what is under way is finished first unless `--now` says otherwise.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise, type Supervise } from '../support/harness.ts'
import { makeHome } from '../support/home.ts'
import { untilEvent, workersOf } from '../support/instance-facts.ts'
import { mustExit } from '../support/must-exit.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'
import { until } from '../support/until.ts'

const SERVER = `require('node:http').createServer((q, s) => s.end('hello')).listen(process.env.PORT)`

async function kill(supervise: Supervise): Promise<void> {
  supervise.signal('SIGKILL')
  await supervise.ended()
}

describe('a stop', () => {
  it('that comes before adopted workers have dialled in drains them', async () => {
    const { supervise: first, target } = await startApp(fixture('hello.js'), ['-i', '2'])
    await kill(first)
    const slow = Array.from({ length: 6 }, () => get(target, '/slow?ms=3000'))
    const second = await startSupervise([fixture('hello.js')], { home: first.home, wait: 'none' })
    await until(
      () =>
        second.api('GET', '/v1/ping').then(
          ({ status }) => status === 200,
          () => false,
        ),
      10_000,
      'it answers',
    )
    second.signal('SIGTERM')
    for (const answer of await Promise.all(slow)) expect(answer.status).toBe(200)
    await second.ended()
    await second.mustHaveNoOrphan()
  })

  it('that comes while a supervisor boots that has workers to adopt ends them too (S15)', async () => {
    const { supervise: first } = await startApp(fixture('hello.js'), ['-i', '2'])
    const pids = await first.pids()
    await kill(first)
    const second = await startSupervise([fixture('hello.js')], { home: first.home, wait: 'none' })
    await until(() => handles(second.pid, 1), 10_000, 'it takes signals')
    second.signal('SIGTERM')
    expect(await second.ended()).toEqual({ code: 0, signal: null })
    expect(pids.filter((pid) => isAlive(pid))).toEqual([])
  })

  it('with --now does not wait for a drain that is under way', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-i', '1', '--drain-timeout', '40s'])
    const cut = get(target, '/slow?ms=30000', 40_000).catch(() => null)
    await until(
      async () => (await workersOf(supervise)).some(({ connections }) => connections === 1),
      10_000,
      'it is asked',
    )
    const draining = supervise.cli('stop')
    await untilEvent(supervise, 'stopRequested')
    const now = await supervise.cli('stop', '--now')
    mustExit(now, 0)
    expect(now.tookMs).toBeLessThan(15_000)
    await draining
    expect(await cut).toBeNull()
    await supervise.ended()
  })

  it('ends the drain of a worker that had not yet dialled in when it was told to (ready by time)', async () => {
    const port = await freePort()
    const supervise = await startSupervise(
      [fixture('hello.js'), '-i', '2', '--ready', '0s', '--drain-timeout', '30s', '--port', String(port)],
      { wait: 'none' },
    )
    await supervise.waitForOutput(/"started"/)
    const began = performance.now()
    await supervise.stop()
    expect(performance.now() - began).toBeLessThan(20_000)
  })

  it('of an app that is watched ends the watch', async () => {
    const { supervise } = await startApp(fixture('hello.js'), ['-i', '1', '--watch'])
    const { home } = supervise
    const script = join(home.work, 'other.js')
    writeFileSync(script, SERVER)
    const beside = ['--instance', 'beside']
    const port = String(await freePort())
    mustExit(await supervise.cli('start', script, '-d', '--watch', '--port', port, ...beside), 0)
    mustExit(await supervise.cli('stop', 'other', ...beside), 0)
    writeFileSync(script, `${SERVER}\n`)
    mustExit(await supervise.cli('start', 'other', ...beside), 0)
    // What a watch had seen while the app was stopped would have been told by now.
    const { text } = await home.api('GET', '/v1/events?lines=1000', undefined, 'beside')
    expect(text).not.toContain('internalError')
    mustExit(await supervise.cli('stop', '--all', '--instance', 'beside'), 0)
    await supervise.stop()
  })
})

describe('a reload to code that hangs right after it got ready', () => {
  it('is refused, and the old code serves on (R4)', async () => {
    const home = makeHome()
    const file = join(home.work, 'hang')
    const args = ['-i', '2', '--min-ready', '500ms', '--env', `HANG_FILE=${file}`]
    const { supervise, target } = await startApp(fixture('hangs-after-listen.js'), args, { home })
    const old = await supervise.pids()
    writeFileSync(file, '')
    const { code, stderr } = await supervise.cli('reload')
    expect(stderr).toContain('its event loop had not answered')
    expect(code).toBe(5)
    expect(await supervise.pids()).toEqual(old)
    expect((await get(target)).status).toBe(200)
    await supervise.stop()
  })
})

/** Whether a process has a handler for this signal. */
function handles(pid: number, signal: number): boolean {
  const caught = /SigCgt:\s+(\w+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return (BigInt(`0x${caught}`) & (1n << BigInt(signal - 1))) !== 0n
}
