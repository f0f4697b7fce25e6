import { describe, expect, it } from 'vitest'
import { whatIsUnderWay } from '../../src/supervisor/standstill.ts'

type Asked = Parameters<typeof whatIsUnderWay>[0]

/** One app at rest, but for what is said. */
function asked({ operation, step }: { readonly operation?: string; readonly step?: string }): Asked {
  const current = operation === undefined ? null : { kind: operation }
  const app = { name: 'web', operations: { current }, bothGroups: () => [] }
  const supervisor = {
    apps: [app],
    chaos: { statusOf: () => null },
    rolloutOf: () => (step === undefined ? null : { step }),
  }
  // What is not asked is left out.
  return supervisor as unknown as Asked
}

describe('whatIsUnderWay()', () => {
  it('names an operation', () => {
    expect(whatIsUnderWay(asked({}))).toEqual([])
    expect(whatIsUnderWay(asked({ operation: 'reload', step: 'baking' }))).toEqual(['the reload of "web"'])
  })

  it.each(['smoking', 'flipping', 'goingBack'])('names a rollout that waits for an answer: %s', (step) => {
    expect(whatIsUnderWay(asked({ step }))).toEqual([`the rollout of "web" (${step})`])
  })

  it.each(['awaiting', 'baking', 'retiring', 'withdrawn', 'done'])('lets a rollout go on in the next: %s', (step) => {
    expect(whatIsUnderWay(asked({ step }))).toEqual([])
  })
})
