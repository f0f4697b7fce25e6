import { describe, expect, it } from 'vitest'
import { BootGate } from '../../src/supervisor/boot-gate.ts'

describe('BootGate', () => {
  it('lets in as many as its limit, and one more for each that leaves (C6)', () => {
    const gate = new BootGate(2)
    const inside: number[] = []
    const leave = [1, 2, 3, 4].map((each) => gate.enter(() => inside.push(each)))
    expect(inside).toEqual([1, 2])
    leave[0]?.()
    expect(inside).toEqual([1, 2, 3])
    leave[0]?.()
    expect(inside).toEqual([1, 2, 3])
  })

  it('forgets one that gives up its wait', () => {
    const gate = new BootGate(1)
    const inside: number[] = []
    const [first, second] = [1, 2, 3].map((each) => gate.enter(() => inside.push(each)))
    second?.()
    first?.()
    expect(inside).toEqual([1, 3])
  })
})
