import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  againOf,
  choosePrevious,
  concludeAll,
  findRelease,
  HISTORY_LENGTH,
  lastGoodAfter,
  nextReleaseId,
  prune,
  recordOutcome,
  type PastRelease,
  type ReleaseOutcome,
} from '../../src/core/release-history.ts'

function release(number: number, outcome: ReleaseOutcome | null = 'promoted', version: string | null = null) {
  return { id: `r${number}`, version, outcome, why: null, endedAt: null } satisfies PastRelease
}

describe('nextReleaseId()', () => {
  it('counts', () => {
    expect(nextReleaseId(7)).toEqual({ id: 'r7', nextRelease: 8 })
  })
})

describe('recordOutcome()', () => {
  it('tells how one release ended, and leaves the others alone', () => {
    const ending = { outcome: 'rolledBack', why: 'it crashed', endedAt: '2026-01-01T00:00:00Z' } as const
    const [first, second] = recordOutcome([release(1), release(2, null, '2.0.0')], 'r2', ending)
    expect(first).toEqual(release(1))
    expect(second).toEqual({ id: 'r2', version: '2.0.0', ...ending })
  })
})

describe('concludeAll()', () => {
  it('gives an outcome to those whose end nobody saw, and leaves the others alone', () => {
    const releases = [release(1, 'started'), { ...release(2, null), served: true }, release(3, null), release(4, null)]
    const outcomes = (active: string) => concludeAll(releases, active, 'now').map(({ outcome }) => outcome)
    expect(outcomes('r4')).toEqual(['started', 'rolledBack', 'failed', 'promoted'])
    expect(outcomes('r1')).toEqual(['started', 'rolledBack', 'failed', 'failed'])
    expect(concludeAll(releases, 'r4', 'now')[3]).toMatchObject({ endedAt: 'now', why: expect.stringMatching(/lost/) })
  })
})

const after = (outcome: ReleaseOutcome | null, before: string | null) =>
  lastGoodAfter({ outcome, release: 'r3', from: 'r2' }, before)

describe('lastGoodAfter()', () => {
  it('is what was found good, and not that any more when it is taken back all the same', () => {
    expect(after('promoted', 'r2')).toBe('r3')
    expect(after('rolledBack', 'r3')).toBe('r2')
    expect([after(null, 'r2'), after('superseded', 'r2'), after('aborted', 'r1'), after(null, null)]).toEqual([
      'r2',
      'r2',
      'r1',
      null,
    ])
  })
})

describe('choosePrevious()', () => {
  it('is the newest good one before the active one, never a later one', () => {
    const releases = [release(1, 'started'), release(2), release(3, 'rolledBack'), release(4, 'failed'), release(5)]
    expect(choosePrevious(releases, 'r5')?.id).toBe('r2')
    expect(choosePrevious(releases, 'r2')?.id).toBe('r1')
    expect(choosePrevious(releases.slice(0, 2), 'r2')?.id).toBe('r1')
  })

  it('goes on from where a release was that was started anew', () => {
    const releases = [release(1, 'started'), release(2), release(3), { ...release(4), again: 'r2' }, release(5)]
    expect(choosePrevious(releases, 'r5')?.id).toBe('r4')
    expect(choosePrevious(releases, 'r4')?.id).toBe('r1')
    expect(choosePrevious(releases.slice(2), 'r4')).toBeNull()
    expect(releases.map(againOf)).toEqual(['r1', 'r2', 'r3', 'r2', 'r5'])
  })

  it('is none when there is nothing good to go back to', () => {
    expect(choosePrevious([release(1, 'started')], 'r1')).toBeNull()
    expect(choosePrevious([release(1, 'aborted'), release(2, null), release(3)], 'r3')).toBeNull()
  })
})

describe('findRelease()', () => {
  const releases = [release(1, 'started', '1.0.0'), release(2, 'failed', '1.1.0'), release(3, 'promoted', '1.1.0')]

  it('finds by id, and the newest of a version', () => {
    expect(findRelease(releases, 'r2')?.id).toBe('r2')
    expect(findRelease(releases, '1.1.0')?.id).toBe('r3')
    expect(findRelease(releases, 'r9')).toBeNull()
  })
})

describe('prune()', () => {
  it('forgets the oldest that are not in use, and no more than it must', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.array(fc.nat(60), { maxLength: 3 }), (count, inUse) => {
        const releases = Array.from({ length: count }, (_, index) => release(index + 1))
        const used = inUse.map((number) => `r${number}`)
        const kept = prune(releases, used)
        const ids = kept.map(({ id }) => id)
        expect(kept.length).toBe(Math.min(count, HISTORY_LENGTH))
        expect(ids).toEqual(expect.arrayContaining(used.filter((id) => releases.some((one) => one.id === id))))
        const oldest = kept.find(({ id }) => !used.includes(id))
        const dropped = releases.filter(({ id }) => !ids.includes(id))
        for (const { id } of dropped) expect(Number(id.slice(1))).toBeLessThan(Number(oldest?.id.slice(1)))
      }),
    )
  })

  it('keeps everything that is in use, even when that is too much', () => {
    expect(prune([release(1), release(2), release(3)], ['r1', 'r2'], 1).map(({ id }) => id)).toEqual(['r1', 'r2'])
  })
})
