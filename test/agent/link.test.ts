import { describe, expect, it } from 'vitest'

import { redialAfterMs } from '../../src/agent/link.ts'

describe('redialAfterMs()', () => {
  it('begins at once, backs off, and comes to a steady pace', () => {
    expect([0, 1, 2, 5, 6, 23, 24, 1_000].map(redialAfterMs)).toEqual([5, 10, 20, 160, 250, 250, 1_000, 1_000])
  })

  it('is still quick for the seconds in which a supervisor is started again', () => {
    const waits = Array.from({ length: 24 }, (_, attempt) => redialAfterMs(attempt))
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(4_000)
  })
})
