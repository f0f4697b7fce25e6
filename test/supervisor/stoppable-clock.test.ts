import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { StoppableClock } from '../../src/supervisor/stoppable-clock.ts'

it('StoppableClock wakes the others though one of them throws (S7)', async () => {
  const clock = new StoppableClock()
  const woken: string[] = []
  clock.stop()
  clock.wakeAt(clock.now(), () => {
    throw new Error('this one')
  })
  clock.wakeAt(clock.now(), () => woken.push('the other'))
  await setTimeout(20)
  const thrown = new Promise((resolve) => void process.once('uncaughtException', resolve))
  const others = process.listeners('uncaughtException').slice(0, -1)
  for (const listener of others) process.off('uncaughtException', listener)
  clock.goOn()
  expect(woken).toEqual(['the other'])
  expect(await thrown).toEqual(new Error('this one'))
  for (const listener of others) process.on('uncaughtException', listener)
})

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
