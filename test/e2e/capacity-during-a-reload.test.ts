// A rolling reload never serves with fewer workers than wanted, nor runs more processes than allowed, and its command ends
// when it is over.

import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { InstanceStatus } from '../../src/control/messages.ts'
import { get } from '../support/get.ts'
import { mustHaveLostNothing } from '../support/load.ts'
import { isAlive } from '../support/processes.ts'
import { fixture } from '../support/releases.ts'
import { startUnderLoad, type UnderLoad } from '../support/under-load.ts'

const WORKERS = 4

/** Counts living worker processes every few milliseconds. */
function watchCount({ supervise }: UnderLoad): { readonly counts: Set<number>; stop(): void } {
  const counts = new Set<number>()
  const timer = setInterval(() => counts.add(supervise.home.workers().length), 10)
  return { counts, stop: () => clearInterval(timer) }
}

/** The smallest number of workers that served at a time, until `over`. */
async function leastServing({ supervise }: UnderLoad, over: AbortSignal): Promise<number> {
  let least = Infinity
  while (!over.aborted) {
    /* oxlint-disable no-await-in-loop -- one look after the other */
    const { text } = await supervise.api('GET', '/v1/status')
    const status: InstanceStatus = JSON.parse(text)
    const workers = status.apps[0]?.groups.blue?.workers ?? []
    least = Math.min(least, workers.filter(({ state }) => state === 'serving').length)
    await pause(10)
    /* oxlint-enable no-await-in-loop */
  }
  return least
}

describe('supervise reload', () => {
  it('with --max-surge 1 runs at least N and at most N + 1 processes (R17, R18)', async () => {
    const running = await startUnderLoad(fixture('hello.js'), ['-i', String(WORKERS), '--max-surge', '1'])
    const watch = watchCount(running)
    expect(await running.supervise.cli('reload')).toMatchObject({ code: 0 })
    watch.stop()
    expect(Math.min(...watch.counts)).toBe(WORKERS)
    expect(Math.max(...watch.counts)).toBe(WORKERS + 1)
    mustHaveLostNothing(await running.load.stop())
    await running.supervise.stop()
  })

  it('always has N workers that serve (R17)', async () => {
    const running = await startUnderLoad(fixture('hello.js'), ['-i', String(WORKERS), '--max-surge', '100%'])
    const { supervise, load } = running
    const over = new AbortController()
    const least = leastServing(running, over.signal)
    expect(await supervise.cli('reload')).toMatchObject({ code: 0 })
    over.abort()
    expect(await least).toBe(WORKERS)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })

  it('returns when the new workers serve and the old ones have drained, not before (R20)', async () => {
    const { supervise, load, target } = await startUnderLoad(fixture('hello.js'), ['-i', '2'])
    const old = await supervise.pids()
    const slow = get(target, '/slow?ms=2500')
    await load.answers(100)
    const result = await supervise.cli('reload')
    expect(result.code).toBe(0)
    expect(old.filter((pid) => isAlive(pid))).toEqual([])
    await expect(slow).resolves.toMatchObject({ status: 200, text: 'slow\n' })
    expect((await get(target)).pid).not.toBe((await slow).pid)
    mustHaveLostNothing(await load.stop())
    await supervise.stop()
  })
})
