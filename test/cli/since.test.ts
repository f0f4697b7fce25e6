import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parseSince } from '../../src/cli/since.ts'

beforeAll(() => void vi.stubEnv('TZ', 'Europe/Berlin'))
afterAll(() => void vi.unstubAllEnvs())

const now = new Date('2026-06-15T12:00:00Z')

it.each([
  ['10m', '2026-06-15T11:50:00.000Z'],
  ['1h30m', '2026-06-15T10:30:00.000Z'],
  ['7d', '2026-06-08T12:00:00.000Z'],
  ['2026-06-01', '2026-05-31T22:00:00.000Z'],
  ['2026-06-01 08:00', '2026-06-01T06:00:00.000Z'],
  ['2026-06-01T08:00:30', '2026-06-01T06:00:30.000Z'],
  ['2026-06-01T08:00Z', '2026-06-01T08:00:00.000Z'],
  ['2026-06-01T08:00:00.5+02:00', '2026-06-01T06:00:00.500Z'],
])('parseSince(%j)', (text, time) => expect(parseSince(text, now)).toBe(time))

it.each(['yesterday', '10', '', '2026-13-01', '2026-02-30', '2026-06-01 25:00', '10 minutes', '08:00'])(
  'refuses %j and says what there is',
  (text) => {
    expect(() => parseSince(text, now)).toThrow(`Cannot look back to "${text}": that is no time`)
  },
)
