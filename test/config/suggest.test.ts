import { describe, expect, it } from 'vitest'
import { nearest } from '../../src/config/suggest.ts'

const WORDS = ['workers', 'watch', 'window', 'drainTimeout', 'killTimeout']

describe('nearest()', () => {
  it.each([
    ['wokers', 'workers'],
    ['workres', 'workers'],
    ['worker', 'workers'],
    ['DRAINTIMEOUT', 'drainTimeout'],
    ['drain_timeout', 'drainTimeout'],
  ])('takes %s for %s', (text, word) => {
    expect(nearest(text, WORDS)).toBe(word)
  })

  it.each(['colour', 'x', ''])('finds nothing near %j', (text) => {
    expect(nearest(text, WORDS)).toBeNull()
  })
})
