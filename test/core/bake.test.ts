import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVIDENCE_LIMIT, FEWEST_ERRORS, judgeBake, type BakeFacts, type BakePolicy } from '../../src/core/bake.ts'

const policy: BakePolicy = { bakeMs: 600_000, minRequests: 0, absoluteMax: 0.05 }
const OVER = 600_000
const NOBODY = 'no request was seen'

function facts(more: Partial<BakeFacts> = {}): BakeFacts {
  const old = { requests: 10_000, serverErrors: 10, crashes: 0 }
  return { flippedAt: 0, crashes: 0, failingProbes: 0, requests: 0, serverErrors: 0, old, oldFailingProbes: 0, ...more }
}

function judge(more: Partial<BakeFacts>, now = OVER, other: Partial<BakePolicy> = {}) {
  const { verdict, why } = judgeBake(facts(more), { ...policy, ...other }, now)
  return [verdict, why]
}

describe('judgeBake()', () => {
  it.each<[string, Partial<BakeFacts>, number, Partial<BakePolicy>, string, string]>([
    ['time runs', {}, 60_000, {}, 'inconclusive', 'watched for 60 s of 600 s, no request was seen'],
    [
      'time runs, all is well',
      { requests: 900, serverErrors: 1 },
      60_000,
      {},
      'inconclusive',
      'watched for 60 s of 600 s, 900 requests seen, 1 of them answered with 5xx',
    ],
    ['nobody came', {}, OVER, {}, 'pass', 'no request was seen'],
    ['one came', { requests: 1 }, OVER, {}, 'pass', '1 request seen, none of them answered with 5xx'],
    [
      'nobody came and somebody must',
      {},
      OVER,
      { minRequests: 300 },
      'inconclusive',
      'no request was seen, and 300 are needed',
    ],
    [
      'too few came',
      { requests: 100 },
      OVER,
      { minRequests: 300 },
      'inconclusive',
      'only 100 of the 300 requests were seen that are needed; the rest will take about 1200 s',
    ],
    [
      'enough came',
      { requests: 300, serverErrors: 1 },
      OVER,
      { minRequests: 300 },
      'pass',
      '300 requests seen, 1 of them answered with 5xx',
    ],
    ['a worker crashes', { crashes: 1 }, 2000, {}, 'fail', '1 worker crashed since the flip'],
    [
      'it crashes as the old one did',
      { crashes: 2, old: { requests: 9, serverErrors: 0, crashes: 2 } },
      OVER,
      {},
      'pass',
      'no request was seen',
    ],
    [
      'it crashes more than the old one did',
      { crashes: 3, old: { requests: 9, serverErrors: 0, crashes: 2 } },
      1,
      {},
      'fail',
      '3 workers crashed since the flip, and 2 of the old release in an hour',
    ],
    ['probes fail', { failingProbes: 2 }, 1, {}, 'fail', '2 workers failed the health probe'],
    [
      'more probes fail than of the old one',
      { failingProbes: 2, oldFailingProbes: 1 },
      1,
      {},
      'fail',
      '2 workers failed the health probe, and 1 of the old release',
    ],
    ['probes fail as those of the old one do', { failingProbes: 2, oldFailingProbes: 2 }, OVER, {}, 'pass', NOBODY],
    [
      'it is broken',
      { requests: 20, serverErrors: 10 },
      1000,
      {},
      'fail',
      '10 of 20 requests were answered with 5xx (50 %), and more than 5 % are never accepted',
    ],
    [
      'it is worse',
      { requests: 1000, serverErrors: 20 },
      1000,
      {},
      'fail',
      "20 of 1000 requests were answered with 5xx (2 %), and at most 0.17 % of the old release's",
    ],
    [
      'a few errors',
      { requests: 4, serverErrors: 4 },
      1000,
      {},
      'inconclusive',
      'watched for 1 s of 600 s, 4 requests seen, 4 of them answered with 5xx',
    ],
  ])('%s', (_, more, now, other, verdict, why) => {
    expect(judge(more, now, other)).toEqual([verdict, why])
  })

  it('takes the errors of the old release as they are', () => {
    const old = { requests: 1000, serverErrors: 30, crashes: 0 }
    expect(judge({ requests: 1000, serverErrors: 30, old })[0]).toBe('pass')
    expect(judge({ requests: 1000, serverErrors: 90, old }, 1, { absoluteMax: 1 })[0]).toBe('fail')
    expect(judge({ requests: 100, serverErrors: 99, old: { requests: 100, serverErrors: 99, crashes: 0 } })[0]).toBe(
      'fail',
    )
    expect(
      judge({ requests: 100, serverErrors: 99, old: { requests: 100, serverErrors: 99, crashes: 0 } }, OVER, {
        absoluteMax: 1,
      })[0],
    ).toBe('pass')
  })

  it('accepts a few errors when nothing is known of the old release, and not many', () => {
    const unlimited = { absoluteMax: null }
    for (const requests of [0, 3]) {
      const old = { requests, serverErrors: 0, crashes: 0 }
      expect(judge({ requests: 1000, serverErrors: 40, old }, OVER, unlimited)[0]).toBe('pass')
      expect(judge({ requests: 1000, serverErrors: 200, old }, 1, unlimited)).toEqual([
        'fail',
        `200 of 1000 requests were answered with 5xx (20 %); the old release answered ${requests === 0 ? 'none' : 'only 3'} in the hour before, which is too few to compare with, and more than 5 % are taken for worse`,
      ])
    }
  })

  it('holds nothing against a release that is as bad as the old one, unless a limit is set', () => {
    const old = { requests: 2000, serverErrors: 600, crashes: 0 }
    const seen = { requests: 3000, serverErrors: 900, old }
    expect(judge(seen, OVER, { absoluteMax: null })[0]).toBe('pass')
    expect(judge(seen, OVER, { absoluteMax: 0.2 })).toEqual([
      'fail',
      '900 of 3000 requests were answered with 5xx (30 %), and more than 20 % are never accepted',
    ])
    expect(judge(seen, OVER, { absoluteMax: 0 })[0]).toBe('fail')
  })

  it('seldom accuses a release that answers as many errors as the limit allows, however often it looks', () => {
    let seed = 1
    const chance = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    let accused = 0
    for (let run = 0; run < 300; run += 1) {
      let serverErrors = 0
      for (let requests = 1; requests <= 2000; requests += 1) {
        if (chance() < 0.05) serverErrors += 1
        const seen = { requests, serverErrors, old: { requests: 0, serverErrors: 0, crashes: 0 } }
        if (requests % 10 > 0 || judge(seen, 1)[0] !== 'fail') continue
        accused += 1
        break
      }
    }
    // 1 % each for the limit and the comparison, which are the same here.
    expect(accused).toBeLessThanOrEqual(8)
  })

  it('gives the figures behind it', () => {
    expect(judgeBake(facts({ requests: 200, serverErrors: 1 }), policy, 5000).figures).toEqual({
      elapsedMs: 5000,
      crashes: 0,
      failingProbes: 0,
      requests: 200,
      serverErrors: 1,
      errorRatio: 0.005,
      old: { requests: 10_000, serverErrors: 10, crashes: 0 },
      baseline: expect.closeTo(0.0017, 4),
      evidence: expect.any(Number),
    })
  })

  it('does not mind a clock that went back', () => {
    expect(judgeBake(facts({ flippedAt: 100 }), policy, 50)).toMatchObject({
      verdict: 'inconclusive',
      figures: { elapsedMs: 0 },
    })
  })
})

const anyFacts = fc.record({
  flippedAt: fc.nat(1_000_000),
  crashes: fc.nat(3),
  failingProbes: fc.nat(1),
  oldFailingProbes: fc.nat(1),
  requests: fc.nat(100_000),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  old: fc.record({
    requests: fc.nat(1_000_000),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    crashes: fc.nat(2),
  }),
})
const anyPolicy = fc.record({
  bakeMs: fc.nat(1_000_000),
  minRequests: fc.nat(1000),
  absoluteMax: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
})

function withErrors({
  share,
  old,
  ...rest
}: typeof anyFacts extends fc.Arbitrary<infer Facts> ? Facts : never): BakeFacts {
  const serverErrors = Math.floor(rest.requests * share)
  const oldErrors = Math.floor(old.requests * old.share)
  return { ...rest, serverErrors, old: { requests: old.requests, serverErrors: oldErrors, crashes: old.crashes } }
}

describe('every verdict', () => {
  it('has figures that JSON can carry, words, and a reason', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, fc.nat(2_000_000), (given, anyOne, now) => {
        const seen = withErrors(given)
        const { verdict, why, figures } = judgeBake(seen, anyOne, now)
        expect(JSON.parse(JSON.stringify(figures))).toEqual(figures)
        expect(why).not.toMatch(/NaN|Infinity|undefined/)
        if (verdict === 'pass') {
          expect(figures.elapsedMs).toBeGreaterThanOrEqual(anyOne.bakeMs)
          expect(seen.requests).toBeGreaterThanOrEqual(anyOne.minRequests)
        }
        if (verdict === 'fail') {
          const isWell = seen.crashes <= seen.old.crashes && seen.failingProbes <= seen.oldFailingProbes
          if (isWell) expect(seen.serverErrors).toBeGreaterThanOrEqual(FEWEST_ERRORS)
        }
      }),
    )
  })

  it('that fails does not become a pass by more errors', () => {
    fc.assert(
      fc.property(anyFacts, anyPolicy, fc.nat(2_000_000), fc.nat(1000), (given, anyOne, now, more) => {
        const seen = withErrors(given)
        if (judgeBake(seen, anyOne, now).verdict !== 'fail') return
        const worse = { ...seen, requests: seen.requests + more, serverErrors: seen.serverErrors + more }
        expect(judgeBake(worse, anyOne, now).verdict).toBe('fail')
      }),
    )
  })
})

describe('a release that is looked at after each request', () => {
  it.each([0.001, 0.01, 0.03])(`is hardly ever failed when it is not worse (%f)`, (share) => {
    expect(failures(share, share)).toBeLessThanOrEqual(300 / EVIDENCE_LIMIT + 3)
  })

  it('is found when it is worse', () => {
    expect(failures(0.02, 0.002)).toBeGreaterThan(295)
    expect(failures(0.5, 0.001)).toBe(300)
  })
})

/** How many of 300 rollouts fail within 2,000 requests. */
function failures(share: number, baseline: number): number {
  const chance = randomNumbers(42)
  const old = { requests: 10_000, serverErrors: 10_000 * baseline, crashes: 0 }
  let failed = 0
  for (let rollout = 0; rollout < 300; rollout += 1) {
    let serverErrors = 0
    for (let requests = 1; requests <= 2000; requests += 1) {
      if (chance() >= share) continue
      serverErrors += 1
      // Only an error can make it fail.
      if (judgeBake(facts({ requests, serverErrors, old }), policy, 1).verdict !== 'fail') continue
      failed += 1
      break
    }
  }
  return failed
}

/** The same ones in each run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
