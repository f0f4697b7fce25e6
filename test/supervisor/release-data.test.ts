import { describe, expect, it } from 'vitest'
import { dataStep, mayHaveWritten, readsNothingOlder } from '../../src/supervisor/release-data.ts'

const BEFORE = { writes: 6, reads: [6] }
const EXPANDED = { writes: 6, reads: [6, 7] }
const SWITCHED = { writes: 7, reads: [6, 7] }
const CONTRACTED = { writes: 7, reads: [7] }

describe('dataStep()', () => {
  it('makes room before the first release that reads the new version, and takes it away after the last that reads the old', () => {
    expect(dataStep(BEFORE, EXPANDED)).toBe('expand')
    expect(dataStep(EXPANDED, SWITCHED)).toBeNull()
    expect(dataStep(SWITCHED, CONTRACTED)).toBe('contract')
  })

  it('does nothing to the data on the way back, where it would take away what the older release needs', () => {
    expect(dataStep(EXPANDED, BEFORE)).toBeNull()
    expect(dataStep(SWITCHED, EXPANDED)).toBeNull()
    // With --force alone.
    expect(dataStep(CONTRACTED, SWITCHED)).toBeNull()
    expect(dataStep(SWITCHED, BEFORE)).toBeNull()
  })

  it('has no place where a release says nothing of its data', () => {
    expect(dataStep(null, EXPANDED)).toBeNull()
    expect(dataStep(CONTRACTED, null)).toBeNull()
  })
})

it('readsNothingOlder() is false for a release that needs room which the other one has no need of, or that says nothing', () => {
  expect(readsNothingOlder(CONTRACTED, CONTRACTED)).toBe(true)
  expect(readsNothingOlder(CONTRACTED, { writes: 7, reads: [7, 8] })).toBe(true)
  expect(readsNothingOlder(CONTRACTED, SWITCHED)).toBe(false)
  expect(readsNothingOlder(CONTRACTED, null)).toBe(false)
  expect(readsNothingOlder(null, CONTRACTED)).toBe(false)
})

it('mayHaveWritten() is true for a release that failed when some requests were answered by it all the same', () => {
  expect(mayHaveWritten({ outcome: 'failed' })).toBe(false)
  expect(mayHaveWritten({ outcome: 'failed', served: false })).toBe(false)
  expect(mayHaveWritten({ outcome: 'failed', served: true })).toBe(true)
  // Beside the one that serves it may be used at its preview.
  expect(mayHaveWritten({ outcome: 'aborted', served: false })).toBe(true)
  expect(mayHaveWritten({ outcome: null })).toBe(true)
})
