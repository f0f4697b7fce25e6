import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { endRehearsal, heldBytes, rehearse } from '../../src/agent/rehearse.ts'
import { hostMs } from '../../src/protocol/host-time.ts'
import { until } from '../support/until.ts'

afterEach(endRehearsal)

const MB = 1024 ** 2

/** How long one turn of the loop takes from now on, at the longest of several. */
async function longestTurnMs(turns: number): Promise<number> {
  let longest = 0
  for (let turn = 0; turn < turns; turn += 1) {
    const began = performance.now()
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    await pause(1)
    longest = Math.max(longest, performance.now() - began)
  }
  return longest
}

it('rehearse() blocks the event loop for as long as it is told, and not in the turn of the order', async () => {
  const began = performance.now()
  rehearse({ fault: 'hang', forMs: 300 })
  expect(performance.now() - began).toBeLessThan(250)
  expect(await longestTurnMs(5)).toBeGreaterThanOrEqual(295)
})

it('rehearse() blocks no longer than until its end when it hears of it late, and not at all after it', async () => {
  rehearse({ fault: 'hang', forMs: 60_000, untilMs: hostMs() + 300 })
  const turnMs = await longestTurnMs(5)
  expect(turnMs).toBeGreaterThanOrEqual(250)
  expect(turnMs).toBeLessThan(30_000)
  rehearse({ fault: 'memory', forMs: 60_000, untilMs: hostMs() - 1, bytes: 20 * MB })
  expect(heldBytes()).toBe(0)
})

it('rehearse() delays the event loop again and again, until it is told otherwise', async () => {
  rehearse({ fault: 'delay', forMs: 60_000, byMs: 60 })
  expect(await longestTurnMs(20)).toBeGreaterThanOrEqual(59)
  expect(await longestTurnMs(20)).toBeGreaterThanOrEqual(59)
  rehearse({ fault: 'none' })
  await until(async () => (await longestTurnMs(20)) < 59, 10_000, 'the loop is not delayed any more')
})

it('rehearse() delays for no longer than it is told', async () => {
  rehearse({ fault: 'delay', forMs: 100, byMs: 60 })
  await until(async () => (await longestTurnMs(20)) < 59, 10_000, 'the loop is not delayed any more')
})

it('rehearse() takes as much memory as it is told, and lets go of it when its time is over', async () => {
  rehearse({ fault: 'memory', forMs: 400, bytes: 20 * MB })
  await until(() => heldBytes() >= 20 * MB, 5000, 'the memory is taken')
  expect(heldBytes()).toBeLessThan(30 * MB)
  await until(() => heldBytes() === 0, 5000, 'the memory is let go of')
})

it('rehearse() lets go of memory at once when it is told so', async () => {
  rehearse({ fault: 'memory', forMs: 60_000, bytes: 20 * MB })
  await until(() => heldBytes() > 0, 5000, 'some memory is taken')
  rehearse({ fault: 'none' })
  expect(heldBytes()).toBe(0)
})
