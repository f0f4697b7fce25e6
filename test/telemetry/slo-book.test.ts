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

  it('knows the same after a restart, to the minute up to six hours ago, to the hour before', () => {
    const book = new SloBook()
    const [bootedAt, hours] = [Date.parse('2026-11-26T22:17:31.250Z'), 60]
    for (let minute = 0; minute < hours * 60; minute += 1)
      book.add('web', growth(1000, 0, minute % 97), promised, minute * MINUTE)
    const nowMs = hours * 60 * MINUTE - 1
    const wallMs = bootedAt + nowMs
    const saved: unknown = JSON.parse(JSON.stringify(book.save({ nowMs, wallMs })))
    expect(JSON.stringify(saved).length).toBeLessThan(16_000)

    // A minute later, on a clock that has just begun, at the same second of its minutes.
    let next = new SloBook()
    next.restore(saved, { nowMs: MINUTE - 1, wallMs: wallMs + MINUTE })
    expect(next.of('web', promised, MINUTE - 1)).toEqual(book.of('web', promised, nowMs + MINUTE))

    // All stays where it is, however often that happens, and wherever in a minute.
    const present = { nowMs: MINUTE - 1, wallMs: wallMs + MINUTE }
    for (let restart = 0; restart < 60; restart += 1) {
      const kept = next.save(present)
      present.nowMs = restart * 977
      next = new SloBook()
      next.restore(kept, present)
    }
    const before = book.of('web', promised, nowMs + MINUTE)[0]?.burnRates
    const after = next.of('web', promised, present.nowMs)[0]?.burnRates
    for (const window of ['30m', '1h', '6h', '3d'] as const)
      expect((after?.[window] ?? 0) / (before?.[window] ?? 0), window).toBeCloseTo(1, 1)
  })

  it('forgets what is three days old, and an app with it', () => {
    const book = new SloBook()
    book.add('web', growth(1, 1, 1), promised, 0)
    const later = { nowMs: 73 * 60 * MINUTE, wallMs: 73 * 60 * MINUTE }
    expect(book.save(later)).toEqual({})
    const next = new SloBook()
    next.restore(book.save({ nowMs: 0, wallMs: 0 }), { nowMs: 0, wallMs: later.wallMs })
    expect(next.of('web', promised, 0)[0]?.budgetLeft).toBeNull()
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a word', 'web'],
    ['no rows', { web: 'rows' }],
    ['rows that are none', { web: [1, null, [], [1, 2, 3], [1, 2, 3, 'x'], [1, -2, 3, 4], [null, 1, 1, 1]] }],
  ])('begins anew with %s in the file', (_, saved) => {
    const book = new SloBook()
    book.restore(saved, { nowMs: 0, wallMs: 1e12 })
    expect(book.of('web', promised, 0)[0]?.budgetLeft).toBeNull()
  })

  it('takes what the wall clock has in the future for the present', () => {
    const book = new SloBook()
    book.restore({ web: [[30_000_000, 100, 50, 0]] }, { nowMs: 5000, wallMs: 20_000_000 * MINUTE })
    expect(book.of('web', promised, 5000)[0]?.burnRates['5m']).toBeGreaterThan(1)
  })

  it('has nothing to say of an app that promises nothing, or of which nothing was asked', () => {
    const book = new SloBook()
    book.add('web', growth(1, 1, 1), null, 0)
    expect(book.of('web', null, 0)).toEqual([])
    expect(book.of('web', promised, 0)[0]).toMatchObject({ budgetLeft: null, burning: null })
  })
})
