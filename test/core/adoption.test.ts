import { describe, expect, it } from 'vitest'
import { chooseGeneration, type LeftProcess } from '../../src/core/adoption.ts'

const current = { number: 3, wanted: 2 }
const next = { number: 4, wanted: 2 }

function serving(generation: number, ...workers: number[]): LeftProcess[] {
  return workers.map((worker) => ({ worker, generation, isServing: true }))
}

function leaving(generation: number, ...workers: number[]): LeftProcess[] {
  return workers.map((worker) => ({ worker, generation, isServing: false }))
}

describe('chooseGeneration()', () => {
  it('keeps the current one while it serves whole, whatever newer ones do (S3)', () => {
    expect(chooseGeneration(current, [next], [...serving(3, 1, 2), ...serving(4, 1, 2)])).toBe(3)
    expect(chooseGeneration(current, [next], [...serving(3, 1, 2), ...serving(4, 1)])).toBe(3)
  })

  it('goes on with the next one when the current one was told to leave (S3)', () => {
    expect(chooseGeneration(current, [next], [...leaving(3, 1), ...serving(3, 2), ...serving(4, 1, 2)])).toBe(4)
    expect(chooseGeneration(current, [next], serving(4, 1, 2))).toBe(4)
  })

  it('takes the newest of several that serve whole', () => {
    const older = { number: 2, wanted: 2 }
    expect(chooseGeneration(current, [older, next], [...serving(2, 1, 2), ...serving(4, 1, 2)])).toBe(4)
  })

  it('goes back to the current one when none serves whole', () => {
    expect(chooseGeneration(current, [next], [...leaving(3, 1), ...serving(3, 2), ...serving(4, 1)])).toBe(3)
    expect(chooseGeneration(current, [next], [])).toBe(3)
  })

  it('asks of each generation as many workers as it is to have', () => {
    expect(chooseGeneration(current, [{ number: 4, wanted: 3 }], [...leaving(3, 1, 2), ...serving(4, 1, 2)])).toBe(3)
    expect(chooseGeneration(current, [{ number: 4, wanted: 1 }], [...leaving(3, 1, 2), ...serving(4, 1)])).toBe(4)
  })
})
