import { describe, expect, it } from 'vitest'
import { formatDuration, formatElapsed, formatUptime } from '../../src/cli/durations.ts'

describe('formatDuration()', () => {
  it.each([
    [0, '0ms'],
    [812.4, '812ms'],
    [999.6, '1.0s'],
    [2_149, '2.1s'],
    [9_999, '9.9s'],
    [12_900, '12s'],
    [60_000, '1m'],
    [192_000, '3m 12s'],
    [3_600_000, '1h'],
    [11_520_000, '3h 12m'],
    [187_200_000, '2d 4h'],
    [-5, '0ms'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
})

describe('formatElapsed()', () => {
  it('counts the first second in tenths, so that the unit stays put', () => {
    expect([0, 99, 500, 1_000, 10_500].map(formatElapsed)).toEqual(['0.0s', '0.0s', '0.5s', '1.0s', '10s'])
  })
})

describe('formatUptime()', () => {
  it('counts whole seconds', () => {
    expect([0, 4.9, 59.99, 60, 90_061].map(formatUptime)).toEqual(['0s', '4s', '59s', '1m', '1d 1h'])
  })
})
