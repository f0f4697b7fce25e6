import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { availableCpus } from '../../src/config/cpu-limit.ts'

describe('availableCpus()', () => {
  it('is whole CPUs, at least one, and no more than Node finds', () => {
    expect(availableCpus(null)).toBe(availableParallelism())
    expect(availableCpus(1000)).toBe(availableParallelism())
    expect(availableCpus(1.9)).toBe(1)
    expect(availableCpus(0.2)).toBe(1)
  })
})
