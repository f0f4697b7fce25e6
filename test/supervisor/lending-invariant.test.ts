import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ATTACH_DEADLINE_MS } from '../../src/supervisor/borrowing-worker.ts'
import type { FakeBorrower } from './fake-borrowers.ts'
import { KEY, REQUEST, Scene } from './lending-scene.ts'

describe('Lending, whatever happens', () => {
  const events = fc.array(
    fc.tuple(
      fc.constantFrom(
        'join',
        'read',
        'read',
        'read',
        'settle',
        'settle',
        'replace',
        'replace',
        'withdraw',
        'back',
        'die',
        'saturate',
        'unsaturate',
        'wait',
      ),
      fc.nat(50),
    ),
    { maxLength: 60, size: 'max' },
  )

  it('never leaves a slot without a borrower that it had, while any worker can serve', () => {
    fc.assert(
      fc.property(events, (history) => {
        const scene = new Scene()
        scene.lending.listen(REQUEST, KEY)
        const borrowing = new Set<FakeBorrower>()
        let isPromised = false
        for (const [event, which] of history) {
          const live = scene.workers.filter((one) => one.isAlive)
          const one = live[which % Math.max(live.length, 1)]
          const before = scene.coverage()
          if (event === 'join' && live.length < 6) borrowing.add(scene.join())
          if (event === 'wait') scene.clock.advance(ATTACH_DEADLINE_MS)
          if (event === 'settle') scene.settle()
          if (one !== undefined) {
            if (event === 'read') for (let n = 0; n < which; n += 1) one.read()
            if (event === 'replace') borrowing.add(scene.join())
            if (event === 'withdraw' || event === 'replace') void scene.lending.withdraw(one.incarnation)
            if (event === 'withdraw' || event === 'replace' || event === 'die') borrowing.delete(one)
            if (event === 'back') {
              borrowing.add(one)
              scene.lending.addBorrower(one)
            }
            if (event === 'die') one.dies()
            if (event === 'saturate') one.saturates()
            if (event === 'unsaturate') {
              one.isSaturated = false
              scene.lending.unsaturated(one.incarnation)
            }
          }
          const canServe = [...borrowing].some((candidate) => !candidate.isSaturated)
          // A death takes loans, and so does a worker that is full; with nobody to serve, all end at once. Until every
          // message of before has been read, nothing is promised.
          if (!canServe || event === 'die' || event === 'saturate') isPromised = false
          if (event === 'settle' && canServe) isPromised = true
          if (!isPromised) continue
          for (const [slot, count] of scene.coverage().entries())
            if ((before[slot] ?? 0) > 0) expect(count).toBeGreaterThan(0)
        }
        scene.settle()
        const able = [...borrowing].filter((candidate) => !candidate.isSaturated)
        for (const count of scene.coverage()) expect(count).toBe(Math.min(2, able.length))
        for (const one of scene.workers.filter(({ isAlive }) => isAlive))
          expect(one.holds.size).toBe(scene.lending.status()[0]!.slots)
        scene.lending.closeAll()
      }),
      { numRuns: 60 },
    )
  })
})
