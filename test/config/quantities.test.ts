import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, formatSize, likelyDurations, parseDuration, parseSize } from '../../src/config/quantities.ts'

describe('parseDuration()', () => {
  it.each([
    ['30s', 30_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2d1ms', 172_800_001],
    ['0', 0],
    ['0s', 0],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '30', 's', '-1s', '30S', '1s1m', '1s1s', '1 s', '1e3s', '.5s', '1,5s', 'Infinity', '0x1s'])(
    'takes %j for no duration',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  it('reads what formatDuration() writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 24 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })
})

describe('formatDuration()', () => {
  it.each([
    [0, '0'],
    [100, '100ms'],
    [60_000, '1m'],
    [90_500, '1m30s500ms'],
    [86_400_000, '1d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('likelyDurations()', () => {
  it.each([
    ['30', ['30s', '30ms']],
    ['30 seconds', ['30s']],
    ['5 min', ['5m']],
    ['1 hour and 30 minutes', ['1h30m']],
    ['30S', ['30s']],
    ['soon', []],
  ])('takes %j for %j', (text, likely) => {
    expect(likelyDurations(text)).toEqual(likely)
  })
})

describe('parseSize()', () => {
  it.each([
    ['300M', 314_572_800],
    ['300MB', 314_572_800],
    ['300MiB', 314_572_800],
    ['300 m', 314_572_800],
    ['1.5G', 1_610_612_736],
    ['4k', 4096],
    ['17', 17],
    ['17B', 17],
    ['0', 0],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', 'M', '-1M', '1P', '1e3', '300 megs', '99999999T'])('takes %j for no size', (text) => {
    expect(parseSize(text)).toBeNull()
  })

  it('reads what formatSize() writes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), fc.constantFrom(1, 1024, 1024 ** 2), (count, unit) => {
        expect(parseSize(formatSize(count * unit))).toBe(count * unit)
      }),
    )
  })
})

describe('formatSize()', () => {
  it.each([
    [0, '0'],
    [1000, '1000'],
    [1024, '1K'],
    [314_572_800, '300M'],
    [1_610_612_736, '1536M'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text)
  })
})
