import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { StoppableClock } from '../../src/supervisor/stoppable-clock.ts'

it('StoppableClock wakes nobody while it is stopped, and all who are due when it goes on (S7)', async () => {
  const clock = new StoppableClock()
  const woken: string[] = []
  const wake = (name: string, ms: number) => clock.wakeAt(clock.now() + ms, () => woken.push(name))
  const cancel = wake('cancelled while it is stopped', 5)
  wake('due', 5)
  wake('later', 60)
  clock.stop()
  const began = clock.now()
  await setTimeout(30)
  expect([woken, clock.isStopped]).toEqual([[], true])
  expect(clock.now() - began).toBeGreaterThan(20)
  cancel()
  clock.goOn()
  expect(woken).toEqual(['due'])
  await setTimeout(80)
  expect(woken).toEqual(['due', 'later'])
})
