import { expect, it } from 'vitest'
import { memoryShare } from '../../src/core/memory-share.ts'

const MB = 1024 ** 2

it('memoryShare() leaves room for the supervisor and for one replacement beside the workers', () => {
  const share = memoryShare({ limitBytes: 1000 * MB, supervisorBytes: 100 * MB, workers: 3 })
  expect(share).toBe(200 * MB)
  expect(share * 4 + 100 * MB).toBeLessThan(1000 * MB)
  expect(memoryShare({ limitBytes: 50 * MB, supervisorBytes: 100 * MB, workers: 1 })).toBe(0)
})
