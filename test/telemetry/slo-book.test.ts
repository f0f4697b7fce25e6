import { describe, expect, it } from 'vitest'
import { bucketOf } from '../../src/protocol/latency-buckets.ts'
import { SloBook } from '../../src/telemetry/slo-book.ts'

const MINUTE = 60_000
const promised = { availability: 99, latency: { thresholdMs: 500, target: 90 } }

function growth(quick: number, slow: number, failed: number) {
  const good = [bucketOf(10_000), quick, bucketOf(2_000_000), slow]
  return { answered: quick + slow + failed, failed, good, bad: [bucketOf(1000), failed] }
}

describe('SloBook', () => {
  it('knows what is left of each budget, and a failure that was quick is no success of the latency', () => {
    const book = new SloBook()
    book.add('web', growth(980, 10, 10), promised, 0)
    const [availability, latency] = book.of('web', promised, 0)
    expect(availability).toMatchObject({ objective: 'availability', budgetLeft: expect.closeTo(0) })
    expect(latency).toMatchObject({ objective: 'latency', budgetLeft: expect.closeTo(0.8) })
  })

  it('burns when it is used up too fast, and no more when that is over', () => {
    const book = new SloBook()
    for (let minute = 0; minute < 60; minute += 1) book.add('web', growth(80, 0, 20), promised, minute * MINUTE)
    expect(book.of('web', promised, 59 * MINUTE)[0]?.burning).toMatchObject({ severity: 'page', long: '1h' })
    for (let minute = 60; minute < 70; minute += 1) book.add('web', growth(100, 0, 0), promised, minute * MINUTE)
    expect(book.of('web', promised, 69 * MINUTE)[0]?.burning?.long).not.toBe('1h')
  })

  it('has nothing to say of an app that promises nothing, or of which nothing was asked', () => {
    const book = new SloBook()
    book.add('web', growth(1, 1, 1), null, 0)
    expect(book.of('web', null, 0)).toEqual([])
    expect(book.of('web', promised, 0)[0]).toMatchObject({ budgetLeft: null, burning: null })
  })
})
