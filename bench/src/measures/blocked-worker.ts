// 4. What other clients wait for while one worker of 4 is blocked, a second at a time, again and again.

import { setTimeout as pause } from 'node:timers/promises'
import { ask } from '../ask.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { ContenderName } from '../contenders/contender.ts'
import { atMost, cell, type Figure } from '../figure.ts'
import { percentile } from '../statistics.ts'
import { answersFrom } from '../wait.ts'

const WORKERS = 4
const EVERY_MS = 2
const SHARES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
] as const

export const blockedWorker: Measure = {
  id: 4,
  title: 'Beside a blocked worker',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const apps = await bench.startAll(['cluster', 'pm2', 'supervise'], { script: HELLO, workers: WORKERS })
    const requests = bench.pace.quick ? 500 : 1_500
    const taken = new Map<ContenderName, (readonly number[])[]>(apps.map(({ name }) => [name, []]))
    for (const { port } of apps) await answersFrom(port, (pids) => pids.size === WORKERS, 30_000)
    for (let round = 0; round < bench.pace.rounds; round++) {
      for (const { name, port } of apps) taken.get(name)?.push(await waits(port, requests))
    }
    await bench.stopAll()
    return SHARES.map(([share, of]) => {
      const cells = Object.fromEntries(
        [...taken].map(([name, rounds]) => [name, cell(rounds.map((each) => percentile(each, of)))]),
      )
      const targets = share === 'p99' ? [atMost(cells, 10, ' ms')] : []
      return { what: `${share} of others beside a blocked worker of 4`, unit: 'ms', cells, targets }
    })
  },
}

/** Sends by the clock, whether or not earlier ones were answered. */
async function waits(port: number, requests: number): Promise<readonly number[]> {
  const blocking = new AbortController()
  const blocked = blockAgainAndAgain(port, blocking.signal)
  await pause(100)
  const waited: Promise<number>[] = []
  const began = performance.now()
  for (let sent = 0; sent < requests; sent++) {
    waited.push(timed(port))
    const ahead = began + (sent + 1) * EVERY_MS - performance.now()
    if (ahead > 0) await pause(ahead)
  }
  const all = await Promise.all(waited)
  blocking.abort()
  await blocked
  return all
}

async function timed(port: number): Promise<number> {
  const began = performance.now()
  await ask(port)
  return performance.now() - began
}

async function blockAgainAndAgain(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ask(port, '/block')
    await pause(50)
  }
}
