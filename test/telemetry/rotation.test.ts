import { describe, expect, it } from 'vitest'
import { filesToRemove, isRotated, periodOf, rotatedAmong, rotatedName } from '../../src/telemetry/rotation.ts'

const DAY = 86_400_000
const limits = { maxSizeBytes: 0, everyMs: 0, keep: 3, maxTotalBytes: 0, gzip: true }

describe('rotatedName() and isRotated()', () => {
  it('know their own, and nothing else that is in the directory', () => {
    const name = rotatedName('web.log', new Date('2026-11-26T21:30:00.123Z'))
    expect(name).toBe('web.log.2026-11-26T21-30-00.123Z')
    for (const one of [name, `${name}.gz`]) expect(isRotated(one, 'web.log')).toBe(true)
    for (const other of [
      'web.log',
      'web.log.1',
      `${name}.gz.tmp`,
      `x${name}`,
      'web.log.bak',
      name.replace('web', 'api'),
    ])
      expect(isRotated(other, 'web.log')).toBe(false)
  })

  it('rotatedAmong() has them oldest first, and once while they are compressed', () => {
    const [a, b] = [rotatedName('w', new Date(1000)), rotatedName('w', new Date(2000))]
    expect(rotatedAmong([`${b}.gz`, 'w', b, `${a}.gz`], 'w')).toEqual([`${a}.gz`, b])
  })
})

describe('filesToRemove()', () => {
  const files = [1, 2, 3, 4, 5].map((at) => ({ name: rotatedName('w', new Date(at * DAY)), bytes: 100 }))
  const names = files.map(({ name }) => name)

  it('keeps the newest', () => {
    expect(filesToRemove(files, 0, limits)).toEqual([names[1], names[0]])
    expect(filesToRemove(files, 0, { ...limits, keep: 0 })).toHaveLength(5)
  })

  it('keeps no more than fits beside the current file, and no older one in place of a newer', () => {
    const small = files.map((file, index) => (index === 3 ? { ...file, bytes: 500 } : file))
    expect(filesToRemove(files, 50, { ...limits, maxTotalBytes: 260 })).toEqual([names[2], names[1], names[0]])
    expect(filesToRemove(small, 50, { ...limits, maxTotalBytes: 400 })).toEqual(names.slice(0, 4).toReversed())
  })
})

describe('periodOf()', () => {
  it('begins days at midnight of local time, and never where there is none', () => {
    const offset = 2 * 3_600_000
    const midnight = Date.parse('2026-11-26T22:00:00Z')
    expect(periodOf(midnight, DAY, offset) - periodOf(midnight - 1, DAY, offset)).toBe(1)
    expect(periodOf(midnight, DAY, offset)).toBe(periodOf(midnight + DAY - 1, DAY, offset))
    expect(periodOf(midnight, 0, offset)).toBe(periodOf(0, 0, 0))
  })
})
