import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NOT_PROBED, stepProbe, type ProbeNews, type ProbeState } from '../../src/core/probe-state.ts'

/** One answer a second: what is told of each. */
function tell(answers: readonly boolean[], most: number) {
  let state: ProbeState = NOT_PROBED
  const told = answers.map((isGood, at): ProbeNews | null => {
    const step = stepProbe(state, isGood, at * 1000, most)
    state = step.state
    return step.news
  })
  return { told, state }
}

describe('stepProbe()', () => {
  it('fails after so many bad answers in a row, and is told of once', () => {
    const { told, state } = tell([true, false, false, false, false], 3)
    expect(told).toEqual([null, null, null, { type: 'failed', failures: 3 }, null])
    expect(state).toEqual({ failures: 4, since: 1000, isFailing: true })
  })

  it('works again with one good answer, and tells for how long it did not', () => {
    expect(tell([false, false, false, true, true], 2).told).toEqual([
      null,
      { type: 'failed', failures: 2 },
      null,
      { type: 'recovered', failedForMs: 3000, failures: 3 },
      null,
    ])
  })

  it('says nothing of bad answers that are too few', () => {
    const { told, state } = tell([false, false, true, false, false, true], 3)
    expect(told.every((news) => news === null)).toBe(true)
    expect(state).toEqual(NOT_PROBED)
  })

  it('tells failures and recoveries by turns, whatever is answered', () => {
    const answers = fc.array(fc.boolean(), { maxLength: 60 })
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 5 }), (given, most) => {
        const { told, state } = tell(given, most)
        const types = told.flatMap((news) => news?.type ?? [])
        expect(types).toEqual(types.map((_, at) => (at % 2 === 0 ? 'failed' : 'recovered')))
        expect(state.isFailing).toBe(types.at(-1) === 'failed')
        // The row of bad answers at the end, counted another way.
        const row = given.length - 1 - given.lastIndexOf(true)
        expect(state.failures).toBe(row)
        expect(state.since).toBe(row === 0 ? null : (given.length - row) * 1000)
      }),
    )
  })
})
