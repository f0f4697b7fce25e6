import { describe, expect, it } from 'vitest'
import { LoopWatch } from '../../src/agent/loop-figures.ts'
import { until } from '../support/until.ts'

describe('LoopWatch', () => {
  it('sees a loop that was blocked, once', async () => {
    const watch = new LoopWatch()
    await until(() => watch.read().loopDelays.max >= 0, 1000, 'it watches')
    await new Promise((resolve) => setTimeout(resolve, 60))
    const blockedUntil = performance.now() + 150
    while (performance.now() < blockedUntil) continue
    let seen = 0
    await new Promise((resolve) => setTimeout(() => setImmediate(resolve), 0))
    seen = watch.read().loopDelays.max
    expect(seen).toBeGreaterThan(100)
    await until(() => watch.read().loopDelays.max < 100, 5000, 'it is told no more')
  })

  it('counts the time of garbage collection', async () => {
    const watch = new LoopWatch()
    const waste: unknown[][] = []
    await until(
      () => {
        for (let round = 0; round < 200; round += 1) waste[round % 10] = Array.from({ length: 10_000 }, () => ({}))
        return watch.read().gcMs > 0
      },
      10_000,
      'garbage was collected',
    )
    expect(watch.read().handles).toBeGreaterThanOrEqual(0)
  })
})
