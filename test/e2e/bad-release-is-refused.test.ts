// A reload with code that does not get ready is refused: the old code serves on as if nothing had been.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeHome } from '../support/home.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { makeRelease } from '../support/releases.ts'
import { startUnderLoad } from '../support/under-load.ts'

const ROLLOUT_FAILED = 5

/** Starts version 1 from a directory, and puts another fixture in its place. */
async function startThenBreak(broken: string, args: readonly string[] = []) {
  const home = makeHome()
  const directory = join(home.work, 'app')
  const script = makeRelease(directory, { fixture: 'hello.js', version: '1' })
  const { supervise, load } = await startUnderLoad(script, ['-i', '2', ...args], { home })
  const before = await supervise.pids()
  makeRelease(directory, { fixture: broken, version: '2' })
  const result = await supervise.cli('reload')
  await load.answers(500)
  const report = await load.stop()
  return { supervise, home, before, result, report }
}

type Broken = Awaited<ReturnType<typeof startThenBreak>>

async function mustBeAsBefore({ supervise, home, before, report }: Broken): Promise<void> {
  mustHaveLostNothing(report)
  expect(report.releases.map(({ value }) => value)).toEqual(['1'])
  expect(new Set(await supervise.pids())).toEqual(new Set(before))
  expect(new Set(home.workers())).toEqual(new Set(before))
  await supervise.stop()
}

describe('supervise reload with a broken release', () => {
  it('that throws at boot: exit code 5, its stderr shown, the old one serves everything (R1)', async () => {
    const broken = await startThenBreak('throws-at-boot.js')
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    expect(broken.result.stderr + broken.result.stdout).toContain('no database at boot')
    await mustBeAsBefore(broken)
  })

  it('that is no JavaScript: exit code 5 (R1)', async () => {
    const broken = await startThenBreak('syntax-error.broken.js')
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    expect(broken.result.stderr + broken.result.stdout).toContain('SyntaxError')
    await mustBeAsBefore(broken)
  })

  it('that hangs at boot: refused at the ready time-out, and the child is gone (R2)', async () => {
    const broken = await startThenBreak('hangs-at-boot.js', ['--ready-timeout', '4s'])
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    expect(broken.result.tookMs).toBeGreaterThan(3_900)
    expect(broken.result.tookMs).toBeLessThan(12_000)
    await mustBeAsBefore(broken)
  })

  it('that never listens: refused at the ready time-out (R2)', async () => {
    const broken = await startThenBreak('never-ready.js', ['--ready-timeout', '4s'])
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    await mustBeAsBefore(broken)
  })

  it('whose health check fails: refused before any traffic reached it (R3)', async () => {
    const broken = await startThenBreak('never-healthy.js', ['--ready', '/readyz', '--ready-timeout', '4s'])
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    await mustBeAsBefore(broken)
  })

  it('of which one worker fails to boot: all or nothing (R5)', async () => {
    const broken = await startThenBreak('fails-on-instance-2.js')
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    expect(broken.result.stderr + broken.result.stdout).toContain('instance 2 cannot boot')
    expect(broken.report.failed).toBe(0)
    expect(new Set(await broken.supervise.pids())).toEqual(new Set(broken.before))
    await broken.supervise.stop()
  })

  it('that crashes within minReady after it was ready: refused (B7)', async () => {
    const broken = await startThenBreak('crashes-after-ready.js', ['--min-ready', '1s'])
    expect(broken.result.code).toBe(ROLLOUT_FAILED)
    expect(new Set(await broken.supervise.pids())).toEqual(new Set(broken.before))
    await broken.supervise.stop()
  })
})
