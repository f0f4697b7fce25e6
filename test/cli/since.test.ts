import { describe, expect, it } from 'vitest'
import { parseSince } from '../../src/cli/since.ts'

const NOW = new Date('2026-11-26T21:30:00.000Z')

describe('parseSince()', () => {
  it.each([
    ['10m', '2026-11-26T21:20:00.000Z'],
    ['1h30m', '2026-11-26T20:00:00.000Z'],
    ['0', '2026-11-26T21:30:00.000Z'],
    ['2026-11-26T20:00:00Z', '2026-11-26T20:00:00.000Z'],
    ['2026-11-26 20:00:00.5+01:00', '2026-11-26T19:00:00.500Z'],
    ['2026-11-26T20:00', new Date('2026-11-26T20:00').toISOString()],
    ['2026-11-26', new Date('2026-11-26T00:00').toISOString()],
  ])('reads %s', (text, time) => {
    expect(parseSince(text, NOW)).toBe(time)
  })

  it.each([
    '',
    'yesterday',
    '10',
    '10 minutes ago',
    '2026-13-01',
    '2026-02-30',
    '2026-11-26T25:00',
    '26.11.2026',
    '-5m',
  ])('refuses "%s"', (text) => {
    expect(() => parseSince(text, NOW)).toThrow(/Cannot show what came since/)
  })
})
