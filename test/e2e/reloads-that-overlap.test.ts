// Reloads, and stops, that come while a reload is under way.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeHome } from '../support/home.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { fixture, makeRelease } from '../support/releases.ts'
import { startUnderLoad, type UnderLoad } from '../support/under-load.ts'
import { until } from '../support/until.ts'

async function generation({ supervise }: UnderLoad): Promise<number> {
  return Math.max(...(await supervise.workers()).map((worker) => worker.generation))
}

describe('a reload during a reload', () => {
  it('is queued, and what was asked for last is what runs (R7)', async () => {
    const home = makeHome()
    const directory = join(home.work, 'app')
    const script = makeRelease(directory, { fixture: 'hello.js', version: '1' })
    const running = await startUnderLoad(script, ['-i', '2'], { home })
    const { supervise, load } = running

    makeRelease(directory, { fixture: 'hello.js', version: '2' })
    const first = supervise.cli('reload')
    await until(
      async () => (await supervise.app()).operation?.kind === 'reload',
      5_000,
      'the first reload is under way',
    )
    makeRelease(directory, { fixture: 'hello.js', version: '3' })
    const second = supervise.cli('reload')
    let most = 0
    const watching = setInterval(() => (most = Math.max(most, home.workers().length)), 20)
    const codes = (await Promise.all([first, second])).map(({ code }) => code)
    clearInterval(watching)

    expect(codes).toEqual([0, 0])
    expect(most).toBeLessThanOrEqual(4)
    await load.answers(500)
    const report = await load.stop()
    mustHaveLostNothing(report)
    expect(report.releases.at(-1)?.value).toBe('3')
    const latest = await supervise.pids()
    const lastSeen = report.pids.toSorted((a, b) => b.lastSent - a.lastSent).slice(0, 2)
    expect(new Set(lastSeen.map(({ value }) => Number(value)))).toEqual(new Set(latest))
    await supervise.stop()
  })

  it('ten SIGHUPs in 100 ms are at most two reloads (R8)', async () => {
    const running = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    const { supervise, load } = running
    const before = await generation(running)
    for (let signal = 0; signal < 10; signal++) setTimeout(() => supervise.signal('SIGHUP'), signal * 10)
    await until(async () => (await generation(running)) > before, 15_000, 'a reload is done')
    await until(async () => (await supervise.app()).operation === null, 15_000, 'the reloads are done')
    await supervise.online()

    expect((await generation(running)) - before).toBeLessThanOrEqual(2)
    expect((await generation(running)) - before).toBeGreaterThanOrEqual(1)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})

describe('a stop during a reload', () => {
  it('ends both generations and leaves no orphan (R9)', async () => {
    const running = await startUnderLoad(fixture('hello.js'), ['-i', '2', '--min-ready', '5s'])
    const { supervise, load } = running
    await load.stop()
    const reload = supervise.cli('reload')
    await until(() => supervise.home.workers().length > 2, 5_000, 'a new worker was started')
    supervise.signal('SIGTERM')
    await supervise.ended(20_000)
    // The command is a process of this home as well, and ends a moment after its supervisor.
    expect((await reload).code).not.toBe(0)
    await supervise.mustHaveNoOrphan()
  })
})
