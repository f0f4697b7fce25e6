import { describe, expect, it } from 'vitest'
import { formatBytes } from '../../src/cli/sizes.ts'

describe('formatBytes()', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 kB'],
    [1_048_575, '1.0 MB'],
    [53_477_376, '51 MB'],
    [1_610_612_736, '1.5 GB'],
    [9_000_000_000_000_000, '8185 TB'],
  ])('%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})
