import { describe, expect, it } from 'vitest'
import { RequestTally } from '../../src/agent/request-tally.ts'

describe('RequestTally', () => {
  it('counts by method and status, in the buckets of OpenTelemetry', () => {
    const tally = new RequestTally()
    tally.count('GET', 200, 5)
    tally.count('GET', 200, 5.1)
    tally.count('GET', 200, 60_000)
    tally.count('POST', 500, 0)
    const counts = tally.tell()
    const [get, post] = counts?.series ?? []
    expect(get).toMatchObject({ method: 'GET', status: 200, count: 3, sumUs: 60_010_100 })
    expect(get?.durations).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(post).toMatchObject({ method: 'POST', status: 500, count: 1 })
    expect(counts?.bad).toEqual([0, 1])
  })

  it('tells what has changed, once, and everything when it is asked for that', () => {
    const tally = new RequestTally()
    expect(tally.tell()).toBeNull()
    tally.count('GET', 200, 1)
    expect(tally.tell()?.good).toHaveLength(2)
    expect(tally.tell()).toBeNull()
    tally.count('PUT', 201, 2)
    expect(tally.tell()?.series.map(({ method }) => method)).toEqual(['PUT'])
    expect(tally.tell(true)?.series).toHaveLength(2)
    expect(tally.tell(true)?.good).toHaveLength(4)
  })

  it('puts together what nobody has ever heard of, and stays small', () => {
    const tally = new RequestTally()
    for (let status = 200; status < 900; status += 1) tally.count('GET', status, 1)
    tally.count('BREW', 418, 1)
    const series = tally.tell()?.series ?? []
    expect(series.length).toBeLessThanOrEqual(110)
    expect(series.reduce((sum, { count }) => sum + count, 0)).toBe(701)
    expect(series.find(({ status }) => status === 418 && series.length > 0)).toBeDefined()
  })
})
