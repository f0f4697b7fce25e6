import { describe, expect, it } from 'vitest'
import { memoryStage } from '../../src/supervisor/pair-memory.ts'

const MB = 1024 ** 2

describe('memoryStage()', () => {
  it('says what runs, what comes to it, and what is left', () => {
    const workers = [50 * MB, 54 * MB]
    expect(memoryStage({ workers, wanted: 4, availableBytes: 3 * 1024 * MB })).toEqual({
      stage: 'memory',
      state: 'done',
      text: 'memory: 104 MB in use, about 208 MB more needed, 3.0 GB available',
    })
  })

  it('warns when two releases will not fit', () => {
    const stage = memoryStage({ workers: [50 * MB], wanted: 2, availableBytes: 99 * MB })
    expect(stage).toMatchObject({ state: 'warned' })
    expect(stage?.text).toContain('100 MB more needed, 99 MB available')
  })

  it('takes a worker that was not measured yet for one like the others, and says nothing when none was', () => {
    expect(memoryStage({ workers: [50 * MB, null], wanted: 2, availableBytes: 1 })?.text).toContain('100 MB in use')
    expect(memoryStage({ workers: [null], wanted: 1, availableBytes: 1 })).toBeNull()
  })
})
