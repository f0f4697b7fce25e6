import { describe, expect, it } from 'vitest'
import { AnswerJudge, type Answer } from '../../bench/src/answer-judge.ts'

const FIRST = { askedAt: 100, doneAt: 110, to: '2' }
const BACK = { askedAt: 200, doneAt: 210, to: '1' }

function verdictOn(...answers: readonly (readonly [sentAt: number, answeredAt: number, release: string])[]) {
  const judge = new AnswerJudge('1')
  const all = answers.map(([sentAt, answeredAt, release]): Answer => ({ sentAt, answeredAt, release }))
  // As they come: a switch is told of when it is done, which some answers are before and some behind.
  for (const told of [FIRST, BACK]) {
    for (const answer of all) if (isBefore(answer, told)) judge.answered(answer)
    judge.switched(told)
  }
  for (const answer of all) if (answer.answeredAt >= BACK.doneAt) judge.answered(answer)
  return judge.close()
}

function isBefore({ answeredAt }: Answer, told: typeof FIRST): boolean {
  return told === FIRST ? answeredAt < FIRST.doneAt : answeredAt >= FIRST.doneAt && answeredAt < BACK.doneAt
}

describe('the judge of answers', () => {
  it.each([
    ['before any switch', 90, 95, '1', 0],
    ['by the other release before any switch', 90, 95, '2', 1],
    ['sent while a switch was under way, by the old one', 105, 150, '1', 0],
    ['sent while a switch was under way, by the new one', 105, 107, '2', 0],
    ['sent after the switch, by the new one', 111, 120, '2', 0],
    ['sent after the switch, by the old one', 111, 120, '1', 1],
    ['sent before the next switch was asked for and answered after it, by either', 195, 203, '1', 0],
    ['sent after the last switch, by the one before', 215, 999, '2', 1],
    ['by something that is no release', 120, 130, 'none', 1],
  ] as const)('judges an answer %s', (_what, sentAt, answeredAt, release, wrong) => {
    expect(verdictOn([sentAt, answeredAt, release]).wrong).toBe(wrong)
  })

  it('says how many could be judged, and how long after each switch the other release still got requests', () => {
    const verdict = verdictOn([90, 95, '1'], [104, 108, '1'], [130, 140, '1'], [150, 160, '2'], [195, 203, '1'])
    expect(verdict).toEqual({ judged: 3, wrong: 1, firstWrongMs: [20], settledMs: [30, 0] })
  })
})
