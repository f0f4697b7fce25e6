import { describe, expect, it } from 'vitest'

import { limitsOf } from '../../src/agent/descriptors.ts'

describe('limitsOf()', () => {
  it.each([
    [1_048_576, 996_147, 969_932],
    [1_024, 972, 946],
    [128, 112, 104],
    [40, 30, 25],
  ])('of a table of %i stops at %i and resumes at %i', (limit, stopAt, resumeAt) => {
    expect(limitsOf(limit)).toEqual({ limit, stopAt, resumeAt })
  })

  it('never stops where no limit is known', () => {
    expect(limitsOf(Infinity).stopAt).toBeNaN()
  })
})
