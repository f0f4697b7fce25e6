import { expect, it } from 'vitest'
import type { Vitals } from '../../src/protocol/messages.ts'
import { VitalsHistory } from '../../src/telemetry/vitals-history.ts'

function vitals(inFlight: number): Vitals {
  const rest = { heapUsedBytes: 1, heapLimitBytes: 9, connections: 0, requests: 0 }
  return { loopDelayMs: 1.234, loopUtilization: 0.56789, ...rest, inFlight }
}

it('VitalsHistory keeps five minutes, the last one in fine steps, and each vitals once', () => {
  const history = new VitalsHistory()
  for (let look = 0; look <= 300; look += 1) history.add(look * 2000, vitals(look), look === 300 ? null : look)
  const same = vitals(301)
  history.add(601_000, same, 7)
  history.add(602_000, same, 8)
  const curve = history.curve(602_000)
  expect(curve.length).toBeGreaterThan(30)
  expect(curve.length).toBeLessThan(60)
  expect(curve[0]?.secondsBefore).toBeGreaterThan(280)
  expect(curve.map(({ secondsBefore }) => secondsBefore)).toEqual(
    curve.map(({ secondsBefore }) => secondsBefore).toSorted((a, b) => b - a),
  )
  expect(curve.at(-1)).toEqual({
    secondsBefore: 1,
    rssBytes: 7,
    heapUsedBytes: 1,
    loopDelayMs: 1.2,
    loopUtilization: 0.568,
    requestsInFlight: 301,
  })
  expect(new VitalsHistory().curve(0)).toEqual([])
})
