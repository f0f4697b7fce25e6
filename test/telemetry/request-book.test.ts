import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestTally } from '../../src/agent/request-tally.ts'
import { RequestBook, KEPT_RELEASES, type RequestOwner } from '../../src/telemetry/request-book.ts'

const owner: RequestOwner = { app: 'web', group: 'blue', release: 'r1' }

const requests = fc.record({
  type: fc.constant('request' as const),
  worker: fc.integer({ min: 0, max: 2 }),
  method: fc.constantFrom('GET', 'POST', 'BREW'),
  status: fc.constantFrom(0, 200, 304, 404, 500, 503),
  ms: fc.double({ min: 0, max: 20_000, noNaN: true }),
})
/** A request; or a worker tells what is new, or all of it; or it dies, and a new one takes its place; or the supervisor starts again. */
const events = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: requests },
    fc.record({ type: fc.constantFrom('tell', 'tellAll', 'die'), worker: fc.integer({ min: 0, max: 2 }) }),
    fc.constant({ type: 'restart' as const }),
  ),
  { maxLength: 120 },
)

describe('RequestBook', () => {
  it('has what all workers have told, each request once, across their deaths and its own', () => {
    fc.assert(
      fc.property(events, (all) => {
        let book = new RequestBook()
        const workers = [0, 1, 2].map((id) => ({ name: `${id}`, tally: new RequestTally(), untold: 0 }))
        let told = 0
        let grown = 0
        const tell = (at: number, everything: boolean): void => {
          const worker = workers[at]
          if (worker === undefined) return
          const counts = worker.tally.tell(everything)
          if (counts !== null) grown += book.take(owner, worker.name, counts).answered
          told += worker.untold
          worker.untold = 0
        }
        all.forEach((event, index) => {
          if (event.type === 'restart') {
            const saved = JSON.parse(JSON.stringify(book.save()))
            book = new RequestBook()
            book.restore(saved)
          } else if (event.type === 'request' && 'ms' in event) {
            const worker = workers[event.worker]
            worker?.tally.count(event.method, event.status, event.ms)
            if (worker !== undefined) worker.untold += 1
          } else if (event.type === 'die') {
            tell(event.worker, false)
            book.forget(workers[event.worker]?.name ?? '')
            workers[event.worker] = { name: `${event.worker}-${index}`, tally: new RequestTally(), untold: 0 }
          } else tell(event.worker, event.type === 'tellAll')
        })
        const totals = [...(book.of(owner)?.series.values() ?? [])]
        expect(totals.reduce((sum, { count }) => sum + count, 0)).toBe(told)
        expect(grown).toBe(told)
        for (const { count, durations } of totals) expect(durations.reduce((sum, one) => sum + one, 0)).toBe(count)
        const { good = [], bad = [] } = book.of(owner) ?? {}
        expect([...good, ...bad].reduce((sum, one) => sum + one, 0)).toBe(told)
      }),
    )
  })

  it('keeps the last releases of a group alone, and those whose processes live', () => {
    const book = new RequestBook()
    const answer = (release: string) => {
      const tally = new RequestTally()
      tally.count('GET', 200, 1)
      book.take({ ...owner, release }, release, tally.tell()!)
    }
    answer('serves')
    for (let release = 1; release <= KEPT_RELEASES + 3; release += 1) {
      answer(`r${release}`)
      book.forget(`r${release}`)
    }
    expect(book.totals().map(({ release }) => release)).toEqual(['serves', 'r4', 'r5', 'r6', 'r7', 'r8'])
  })
})
