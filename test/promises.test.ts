// Every promise is proved by a test that names it.

import { describe, expect, it } from 'vitest'
import { testsByPromise } from '../scripts/promises-page.ts'
import { CHAPTERS } from '../scripts/promises.ts'

describe('promises', () => {
  it('are each named by a test', () => {
    const tests = testsByPromise()
    const unproved = Object.values(CHAPTERS)
      .flat()
      .filter(({ id }) => !tests.has(id))
      .map(({ id }) => id)
    expect(unproved).toEqual([])
  })
})
