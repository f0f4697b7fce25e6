import { describe, expect, it } from 'vitest'
import type { RolloutStage } from '../../src/control/release-messages.ts'
import { beginRollout, stepRollout, type RolloutEvent } from '../../src/core/rollout.ts'
import { RolloutProgress, roomWords, tellOfHook, type StageFacts } from '../../src/supervisor/rollout-progress.ts'
import { policy } from '../core/rollout-scene.ts'

const facts: StageFacts = { app: 'web', hasSmokeTest: true, bakeMs: 600_000 }

/** What is told of a rollout that sees these events, one a second. */
function told(
  events: readonly RolloutEvent[],
  { autoPromote = true, ...more }: Partial<StageFacts & { autoPromote: boolean }> = {},
) {
  const progress = new RolloutProgress({ ...facts, ...more })
  const lines: string[] = []
  progress.follow((stage) => lines.push(textOf(stage)), null)
  let { rollout } = beginRollout({ release: 'r2', from: 'r1', autoPromote, policy }, 0)
  progress.moved(rollout, 0)
  for (const [index, event] of events.entries()) {
    const now = (index + 1) * 1000
    rollout = stepRollout(rollout, event, now).rollout
    progress.moved(rollout, now)
  }
  return { lines, progress }
}

function textOf({ state, text, tookMs, forMs }: RolloutStage): string {
  return [state, text, tookMs ?? '', forMs === undefined ? '' : `of ${forMs}`].filter((part) => part !== '').join(' ')
}

const READY: readonly RolloutEvent[] = [{ type: 'groupReady' }, { type: 'timedOut' }]
const SERVES: readonly RolloutEvent[] = [...READY, { type: 'smokePassed' }, { type: 'flipped', tookMs: 1.84 }]

describe('RolloutProgress', () => {
  it('tells each stage as it begins and as it ends', () => {
    expect(told([...SERVES, { type: 'bakePassed' }]).lines).toEqual([
      'running all ready, must stay up of 1000',
      'done all ready, stayed up 1000',
      'running smoke test runs',
      'done smoke test passed 1000',
      'done flip in 1.8 ms',
      'running serves and is watched of 600000',
      'done watched, nothing was found 1000',
    ])
  })

  it('tells nothing of what is not configured', () => {
    const { lines } = told(SERVES, { hasSmokeTest: false, bakeMs: 0 })
    expect(lines.join()).not.toMatch(/smoke|watched/)
  })

  it('says what it waits for, and that it goes on', () => {
    const { lines } = told([...READY, { type: 'smokePassed' }, { type: 'promoteWanted' }], { autoPromote: false })
    expect(lines.slice(-2)).toEqual(['running waits for `supervise promote web`', 'done promoted 1000'])
  })

  it('tells a pause once, and no time with it', () => {
    const { lines } = told([...SERVES, { type: 'pauseWanted' }, { type: 'pauseWanted' }])
    expect(lines.slice(-1)).toEqual(['running serves and is watched, paused'])
    expect(lines.filter((line) => line.includes('paused'))).toHaveLength(1)
  })

  it('says why a stage failed, and when the old release serves again', () => {
    const back = told([...SERVES, { type: 'bakeFailed', why: 'worker 1 crashed' }, { type: 'flippedBack' }])
    expect(back.lines.slice(-3)).toEqual([
      'failed worker 1 crashed 1000',
      'running the traffic moves back to r1',
      'done r1 serves again',
    ])
    const refused = told([...READY, { type: 'smokeFailed', why: 'the smoke test `no` failed' }])
    expect(refused.lines.slice(-1)).toEqual(['failed the smoke test `no` failed 1000'])
  })

  it('begins with what runs for those who come later, and how long it has', () => {
    const { progress } = told(SERVES)
    const seen: RolloutStage[] = []
    const unfollow = progress.follow((stage) => seen.push(stage), 9000)
    expect(seen).toEqual([
      { stage: 'watch', state: 'running', text: 'serves and is watched', elapsedMs: 5000, forMs: 600_000 },
    ])
    unfollow()
    progress.tell({ stage: 'x', state: 'done', text: 'x' })
    expect(seen).toHaveLength(1)
  })
})

describe('tellOfHook()', () => {
  it('tells the question and the answer, and nothing of a hook that is not there', async () => {
    const lines: string[] = []
    const ask = (isThere: boolean, answer: string | null) =>
      tellOfHook(
        'pre-rollout',
        isThere,
        () => Promise.resolve(answer === null ? null : { why: answer, lines: [] }),
        (stage) => lines.push(textOf(stage)),
      )
    expect(await ask(true, null)).toBeNull()
    expect(await ask(true, 'the hook said no')).toEqual({ why: 'the hook said no', lines: [] })
    expect(await ask(false, null)).toBeNull()
    expect(lines).toEqual([
      'running hook pre-rollout is asked',
      'done hook pre-rollout said yes',
      'running hook pre-rollout is asked',
      'failed the hook said no',
    ])
  })
})

describe('roomWords()', () => {
  it.each([
    ['baking', 'r2 serves and is watched no more, r1 ends: r3 needs the room'],
    ['retiring', 'r1 ends: r3 needs the room'],
    ['withdrawn', 'r2 ends: r3 needs the room'],
  ] as const)('says what ends of a rollout that is %s for a newer release', (state, words) => {
    const { rollout } = beginRollout({ release: 'r2', from: 'r1', autoPromote: true, policy }, 0)
    expect(roomWords({ ...rollout, state }, 'r3')).toBe(words)
  })
})
