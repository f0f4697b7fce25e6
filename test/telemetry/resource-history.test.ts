import { describe, expect, it } from 'vitest'
import { POINT_EVERY_MS, ResourceHistory } from '../../src/telemetry/resource-history.ts'
import type { Sample } from '../../src/telemetry/samples.ts'

const MB = 1024 ** 2
const HOUR_POINTS = 3_600_000 / POINT_EVERY_MS

function sample(cpuSeconds: number, ownMb: number, childrenMb: number | null = 0): Sample {
  const children = childrenMb === null ? null : { count: 1, rssBytes: childrenMb * MB }
  return { cpuPercent: null, cpuSeconds, rssBytes: ownMb * MB, children }
}

describe('ResourceHistory', () => {
  it('has nothing, and takes nothing, before there is something', () => {
    const history = new ResourceHistory()
    expect(history.summary(0)).toBeNull()
    expect(history.series(0).secondsAgo).toEqual([])
    expect(history.bytes).toBe(0)
  })

  it('tells the least, the average and the most, children included and apart', () => {
    const history = new ResourceHistory()
    history.add(0, sample(0, 50, 10), 1)
    history.add(10_000, sample(1, 70, 30), 5)
    history.add(20_000, sample(6, 60, 20), 3)
    expect(history.summary(21_000)).toEqual({
      overSeconds: 21,
      cpuPercent: { min: 10, avg: 30, max: 50 },
      rssBytes: { min: 60 * MB, avg: 80 * MB, max: 100 * MB },
      childrenRssBytes: { min: 10 * MB, avg: 20 * MB, max: 30 * MB },
      loopDelayMs: { min: 1, avg: 3, max: 5 },
    })
  })

  it('takes a point every ten seconds, however often it is offered one', () => {
    const history = new ResourceHistory()
    for (let now = 0; now <= 30_000; now += 1000) history.add(now, sample(now / 2000, 50), 1)
    const { secondsAgo, cpuPercent } = history.series(30_000)
    expect(secondsAgo).toEqual([30, 20, 10, 0])
    expect(cpuPercent).toEqual([null, 50, 50, 50])
  })

  it('keeps the last hour and not more, in the same memory', () => {
    const history = new ResourceHistory()
    history.add(0, sample(0, 1), 1)
    const { bytes } = history
    expect(bytes).toBeLessThan(10_000)
    for (let point = 1; point <= HOUR_POINTS + 5; point += 1)
      history.add(point * POINT_EVERY_MS, sample(0, point + 1), null)
    const now = (HOUR_POINTS + 5) * POINT_EVERY_MS
    const { secondsAgo, rssBytes, loopDelayMs } = history.series(now)
    expect([secondsAgo.length, secondsAgo[0], secondsAgo.at(-1)]).toEqual([HOUR_POINTS, 3590, 0])
    expect([rssBytes[0], rssBytes.at(-1)]).toEqual([7 * MB, (HOUR_POINTS + 6) * MB])
    expect(loopDelayMs.every((value) => value === null)).toBe(true)
    expect(history.bytes).toBe(bytes)
  })

  it('does not know what the system does not say, nor CPU time below nothing when a child leaves', () => {
    const history = new ResourceHistory()
    history.add(0, sample(9, 50, null), 1)
    history.add(10_000, sample(2, 50, null), 1)
    expect(history.summary(10_000)).toMatchObject({ childrenRssBytes: null, cpuPercent: { min: 0, max: 0 } })
  })
})
