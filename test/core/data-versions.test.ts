import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canReadWhatIsThere,
  mayFollow,
  mayLiveTogether,
  parseDataVersions,
  type DataVersions,
} from '../../src/core/data-versions.ts'

const BEFORE: DataVersions = { writes: 6, reads: [6] }
const EXPANDED: DataVersions = { writes: 6, reads: [6, 7] }
const SWITCHED: DataVersions = { writes: 7, reads: [6, 7] }
const CONTRACTED: DataVersions = { writes: 7, reads: [7] }

describe('mayLiveTogether()', () => {
  it('allows each step of a change, and each one back but that behind the contract', () => {
    const steps = [BEFORE, EXPANDED, SWITCHED, CONTRACTED]
    for (const [index, step] of steps.entries()) {
      const next = steps[index + 1] ?? step
      expect(mayLiveTogether(step, next)).toEqual({ ok: true })
      expect(mayLiveTogether(next, step)).toEqual({ ok: true })
    }
  })

  it.each([
    [
      'expand',
      BEFORE,
      SWITCHED,
      'it writes data of version 7, which the running release cannot read',
      'Expand first: deploy a release that writes 6 and reads 6 and 7; then one that writes 7 and reads both.',
    ],
    [
      'expand',
      BEFORE,
      CONTRACTED,
      'it writes data of version 7, which the running release cannot read',
      /^Expand first/,
    ],
    [
      'switch',
      EXPANDED,
      CONTRACTED,
      'it cannot read data of version 6, which the running release writes',
      'Switch first: deploy a release that writes 7 and reads 6 and 7, then this one.',
    ],
    [
      'expand',
      SWITCHED,
      BEFORE,
      'it cannot read data of version 7, which the running release has written',
      'Go back to a release that reads 6 and 7.',
    ],
    ['contract', CONTRACTED, EXPANDED, 'it writes data of version 6, and the contract step to 7 was made', /--force/],
    ['contract', CONTRACTED, BEFORE, 'it writes data of version 6, and the contract step to 7 was made', /--force/],
  ])('says that %s is missing between %j and %j', (step, current, next, why, fix) => {
    const fixed: unknown = typeof fix === 'string' ? fix : expect.stringMatching(fix)
    expect(mayLiveTogether(current, next)).toEqual({ ok: false, step, why, fix: fixed })
  })

  it('asks nothing of a release that says nothing', () => {
    expect(mayLiveTogether(null, CONTRACTED)).toEqual({ ok: true })
    expect(mayLiveTogether(BEFORE, null)).toEqual({ ok: true })
  })

  it('allows exactly what each side can read of the other, in both directions', () => {
    const versions = fc
      .tuple(fc.nat(5), fc.array(fc.nat(5)))
      .map(([writes, more]): DataVersions => ({ writes, reads: [writes, ...more] }))
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const fits = a.reads.includes(b.writes) && b.reads.includes(a.writes)
        expect([mayLiveTogether(a, b).ok, mayLiveTogether(b, a).ok]).toEqual([fits, fits])
      }),
    )
  })
})

describe('mayFollow()', () => {
  it('allows each step forward, and back as far as the contract', () => {
    expect(mayFollow(BEFORE, EXPANDED).ok).toBe(true)
    expect(mayFollow(EXPANDED, SWITCHED).ok).toBe(true)
    expect(mayFollow(SWITCHED, CONTRACTED).ok).toBe(true)
    expect(mayFollow(SWITCHED, EXPANDED).ok).toBe(true)
    expect(mayFollow(EXPANDED, BEFORE).ok).toBe(true)
  })

  it('refuses what was warm before the contract, and counts on what is gone', () => {
    expect(mayLiveTogether(CONTRACTED, SWITCHED).ok).toBe(true)
    expect(mayFollow(CONTRACTED, SWITCHED)).toEqual({
      ok: false,
      step: 'contract',
      why: 'it counts on room for data of version 6, which the contract step to 7 took away',
      fix: 'Go forward with a release that no longer has 6 in `data.reads`.',
    })
  })

  it('refuses what cannot live together, and asks nothing of a release that says nothing', () => {
    expect(mayFollow(BEFORE, CONTRACTED)).toEqual(mayLiveTogether(BEFORE, CONTRACTED))
    expect(mayFollow(null, BEFORE)).toEqual({ ok: true })
    expect(mayFollow(CONTRACTED, null)).toEqual({ ok: true })
  })
})

describe('canReadWhatIsThere()', () => {
  const past = [
    { name: 'r1', writes: 6 },
    { name: 'r3 3.0.0', writes: 7 },
  ]

  it('refuses a release that is two allowed steps back from what was written', () => {
    expect(mayFollow(SWITCHED, EXPANDED).ok && mayFollow(EXPANDED, BEFORE).ok).toBe(true)
    expect(canReadWhatIsThere(BEFORE, past)).toEqual({
      ok: false,
      step: 'expand',
      why: 'it cannot read data of version 7, which r3 3.0.0 may have written',
      fix: 'Go back to a release that reads 7, too.',
    })
  })

  it('asks nothing about older data, which was brought to a newer version, nor of a release that says nothing', () => {
    for (const next of [EXPANDED, SWITCHED, CONTRACTED, null])
      expect(canReadWhatIsThere(next, past)).toEqual({ ok: true })
    expect(canReadWhatIsThere(BEFORE, [])).toEqual({ ok: true })
  })
})

describe('parseDataVersions()', () => {
  it('takes what it knows and overlooks the rest', () => {
    expect(parseDataVersions({ data: SWITCHED, commit: 'abc' })).toEqual({ kind: 'versions', versions: SWITCHED })
    expect(parseDataVersions({ commit: 'abc' })).toEqual({ kind: 'none' })
  })

  it.each([
    [null, 'it is no object such as { "data": { "writes": 7, "reads": [6, 7] } }'],
    [[], 'it is no object such as { "data": { "writes": 7, "reads": [6, 7] } }'],
    [{ data: 7 }, 'data is no object such as { "writes": 7, "reads": [6, 7] }'],
    [{ data: { reads: [7] } }, 'data.writes is no whole number from 0'],
    [{ data: { writes: '7', reads: [7] } }, 'data.writes is no whole number from 0'],
    [{ data: { writes: 7, reads: 7 } }, 'data.reads is no list of whole numbers from 0'],
    [{ data: { writes: 7, reads: [6.5, 7] } }, 'data.reads is no list of whole numbers from 0'],
    [{ data: { writes: 7, reads: [6] } }, 'data.reads lacks 7, which the release itself writes'],
  ])('refuses %j', (content, problem) => {
    expect(parseDataVersions(content)).toEqual({ kind: 'unusable', problem })
  })
})
