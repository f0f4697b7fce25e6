import fc from 'fast-check'
import { expect, it } from 'vitest'
import { judgeBudget } from '../../src/core/budget-watch.ts'

function told(rates: readonly (number | null)[]): readonly (string | null)[] {
  let before: number | null = null
  return rates.map((now) => {
    const { rate, tell } = judgeBudget(before, now)
    before = rate
    return tell
  })
}

it('tells the second fast burn, also while the slow rule is still in force from the first', () => {
  expect(told([null, 1, 14.4, 14.4, 1, 1, 14.4, 1, null, null])).toEqual([
    null,
    'burns',
    'burns',
    null,
    null,
    null,
    'burns',
    null,
    'holds',
    null,
  ])
})

it('tells a burn whenever it gets faster, and an end once', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(null, 1, 6, 14.4)), (rates) => {
      const words = told(rates)
      for (const [index, rate] of rates.entries()) {
        const before = rates[index - 1] ?? null
        expect(words[index] === 'burns').toBe(rate !== null && rate > (before ?? 0))
        expect(words[index] === 'holds').toBe(rate === null && before !== null)
      }
    }),
  )
})
