// Every promise is proved by a test that names it.

import { describe, expect, it } from 'vitest'
import { testNames, testsByPromise } from '../scripts/promises-page.ts'
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

  it('are proved by the names of tests alone, not by comments or data', () => {
    const source = `
      // A1: a comment
      const data = ['%E0%A4%A', 'J%C3%BC']
      describe('some (A2)', () => {
        it.each([['A3 in a table'], [() => it]])('each %s (A5)', () => expect('A6').toBe('A8'))
        it.runIf(isLinux)(\`only \${rounds} times (A9)\`, async () => {})
        test('plain (A10)', { timeout: 1 }, () => {})
      })
      const cases = { 'A11 a case': { async run() {} }, 'A12 data': { walk: 1 } }`
    const names = ['some (A2)', 'each %s (A5)', 'only … times (A9)', 'plain (A10)', 'A11 a case']
    expect(testNames(source)).toEqual(names)
  })
})
