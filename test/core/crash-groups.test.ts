import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countCrash, retain, type Crash, type CrashLimits, type Kept } from '../../src/core/crash-groups.ts'

const NOTHING: Kept = { groups: [], entries: [] }

function crash(seq: number, fingerprint: string, more: Partial<Crash> = {}): Crash {
  return {
    seq,
    id: `c${seq}`,
    at: `t${seq}`,
    app: 'web',
    fingerprint,
    title: fingerprint,
    reason: 'exit',
    release: 'r1',
    ...more,
  }
}

function add(kept: Kept, one: Crash, limits: CrashLimits, bytes = 10): Kept {
  const entry = { seq: one.seq, app: one.app, fingerprint: one.fingerprint, bytes }
  return retain({ groups: countCrash(kept.groups, one), entries: [...kept.entries, entry] }, limits)
}

describe('countCrash()', () => {
  it('counts the same crash together, release by release, and keeps first and last', () => {
    let groups = countCrash([], crash(1, 'a'))
    groups = countCrash(groups, crash(2, 'b'))
    groups = countCrash(groups, crash(3, 'a', { release: 'r2' }))
    groups = countCrash(groups, crash(4, 'a', { release: 'r2', app: 'api' }))
    expect(groups.map(({ app, fingerprint, count }) => [app, fingerprint, count])).toEqual([
      ['web', 'b', 1],
      ['web', 'a', 2],
      ['api', 'a', 1],
    ])
    expect(groups[1]).toMatchObject({
      first: { id: 'c1', at: 't1' },
      last: { id: 'c3', at: 't3' },
      releases: [
        { release: 'r1', count: 1 },
        { release: 'r2', count: 1 },
      ],
    })
  })

  it('tells the latest 20 releases apart', () => {
    let groups = countCrash([], crash(1, 'a'))
    for (let n = 2; n <= 50; n += 1) groups = countCrash(groups, crash(n, 'a', { release: `r${n}` }))
    expect(groups[0]?.releases).toHaveLength(20)
    expect(groups[0]).toMatchObject({ count: 50, releases: expect.arrayContaining([{ release: 'r50', count: 1 }]) })
  })
})

describe('retain()', () => {
  const limits = { records: 10, bytes: 1000, groups: 3 }

  it('keeps first and last of a loop, and what happened once before it', () => {
    let kept = add(NOTHING, crash(1, 'once'), limits)
    for (let seq = 2; seq <= 500; seq += 1) kept = add(kept, crash(seq, 'loop'), limits)
    expect(kept.entries.map(({ seq }) => seq)).toEqual([1, 2, 493, 494, 495, 496, 497, 498, 499, 500])
    expect(kept.groups.map(({ count }) => count)).toEqual([1, 499])
  })

  it('keeps the very first and the latest when every crash is another', () => {
    let kept = NOTHING
    for (let seq = 1; seq <= 500; seq += 1) kept = add(kept, crash(seq, `no ${seq}`), limits)
    expect(kept.groups.map(({ first }) => first.id)).toEqual(['c1', 'c499', 'c500'])
  })

  it('makes room in bytes by whole groups when only firsts and lasts are left', () => {
    let kept = NOTHING
    for (const [seq, name] of ['a', 'b', 'c'].entries()) kept = add(kept, crash(seq + 1, name), limits, 400)
    expect(kept.groups.map(({ fingerprint }) => fingerprint)).toEqual(['a', 'c'])
    // One that is larger than all the room there is stays nevertheless.
    expect(add(NOTHING, crash(1, 'huge'), limits, 5000).entries).toHaveLength(1)
    const alone = { ...limits, groups: 0 }
    expect(add(NOTHING, crash(1, 'only'), alone).groups).toHaveLength(1)
  })

  it('holds its limits whatever comes, and never loses the latest', () => {
    const crashes = fc.array(
      fc.record({ name: fc.integer({ min: 0, max: 9 }), bytes: fc.integer({ min: 1, max: 90 }) }),
    )
    fc.assert(
      fc.property(crashes, (list) => {
        let kept = NOTHING
        for (const [index, { name, bytes }] of list.entries()) {
          kept = add(kept, crash(index + 1, `${name}`), limits, bytes)
          expect(kept.entries.length).toBeLessThanOrEqual(limits.records)
          expect(kept.groups.length).toBeLessThanOrEqual(limits.groups)
          expect(kept.entries.at(-1)?.seq).toBe(index + 1)
          expect(kept.groups.some(({ first }) => first.seq === 1)).toBe(true)
        }
      }),
    )
  })
})
