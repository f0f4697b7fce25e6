// Whether the hook runs, and once, is shown by a real supervisor in test/e2e/bad-release-is-taken-back.test.ts.

import { expect, it } from 'vitest'
import { contractOwed } from '../../src/supervisor/contract-step.ts'

const due = { state: 'due', from: 'r1' } as const

it('contractOwed() is the own step of a release, or the one that the release before it still owes', () => {
  expect(contractOwed('contract', { id: 'r2' }, true)).toEqual({ state: 'due', from: 'r2' })
  expect(contractOwed('contract', { id: 'r2', contract: due }, true)).toEqual({ state: 'due', from: 'r2' })
  expect(contractOwed(null, { id: 'r2' }, true)).toBeNull()
  expect(contractOwed(null, { id: 'r2', contract: due }, true)).toEqual(due)
  expect(contractOwed('expand', { id: 'r2', contract: due }, true)).toEqual(due)
  expect(contractOwed(null, { id: 'r2', contract: { ...due, state: 'done' } }, true)).toBeNull()
  // The room is needed again: a release that was forced back must not lose it.
  expect(contractOwed(null, { id: 'r2', contract: due }, false)).toBeNull()
})
