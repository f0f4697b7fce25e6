// Connections are spread over the workers, nobody waits for one that is busy, and a reload is hardly felt.
//
// The bounds are those of the promises. Where a noisy machine could break them, the best of a few rounds counts: what
// would break them for good, such as slots that one worker alone serves, breaks every round.

import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { get } from '../support/get.ts'
import { mixedLanes, mustHaveLostNothing, runLoad, startLoad } from '../support/load.ts'
import type { Target } from '../support/load/options.ts'
import { mustExit } from '../support/must-exit.ts'
import { fixture } from '../support/releases.ts'
import { startApp } from '../support/start-app.ts'

const ROUNDS = 8

/** On a quiet machine the 99th percentile is 5 ms. With slots that one worker alone serves, a quarter waits for it: 600 ms. */
const WAIT_MS = 50

/** Opens connections 1 ms apart, each with one request, keeps them open, and counts them by worker. */
async function spread(target: Target & { readonly port: number }, connections: number): Promise<readonly number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity })
  const answers: Promise<string>[] = []
  for (let opened = 0; opened < connections; opened++) {
    answers.push(pidOf(target, agent))
    // oxlint-disable-next-line no-await-in-loop -- the pause is what is asked for
    await pause(1)
  }
  const counts = new Map<string, number>()
  for (const pid of await Promise.all(answers)) counts.set(pid, (counts.get(pid) ?? 0) + 1)
  agent.destroy()
  return [...counts.values()]
}

async function pidOf(target: Target & { readonly port: number }, agent: http.Agent): Promise<string> {
  // All requests are under way at the same time, so that the agent opens a connection for each.
  const request = http.get({ ...target, agent, path: '/slow?ms=1500' })
  const [response]: [http.IncomingMessage] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  return String(response.headers['x-pid'])
}

/** The best of some rounds; ends with the first that is good enough. */
async function best(rounds: number, isGood: (value: number) => boolean, round: () => Promise<number>): Promise<number> {
  let found = Infinity
  for (let done = 0; done < rounds && !isGood(found); done++) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    found = Math.min(found, await round())
  }
  return found
}

describe('connections', () => {
  it('400 of them, 1 ms apart, are spread evenly over 4 workers (L1)', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-i', '4'])
    const ratio = await best(
      ROUNDS,
      (value) => value <= 1.5,
      async () => {
        const counts = await spread(target, 400)
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(400)
        return counts.length < 4 ? Infinity : Math.max(...counts) / Math.min(...counts)
      },
    )
    expect(ratio).toBeLessThanOrEqual(1.5)
    await supervise.stop()
  })

  it('leave a worker after --max-requests-per-connection requests, and nothing is lost (L3)', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['--max-requests-per-connection', '50'])
    const lanes = [{ kind: 'keepAlive' as const, connections: 16, expect: { text: 'hello\n' } }]
    const report = await runLoad({ target, lanes, requests: 4_000 })
    mustHaveLostNothing(report)
    expect(report.connections.opened).toBeGreaterThan(70)
    expect(report.connections.opened).toBeLessThan(120)
    expect(report.connections.closedAsAnnounced).toBeGreaterThan(60)
    await supervise.stop()
  })

  it('do not wait for a worker that blocks again and again (L6)', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-i', '4'])
    const lanes = [{ kind: 'once' as const, connections: 8, expect: { text: 'hello\n' } }]
    const p90 = await best(
      ROUNDS,
      (value) => value <= WAIT_MS,
      async () => {
        const blocking = new AbortController()
        const blocker = blockAgainAndAgain(target, blocking.signal)
        const report = await runLoad({ target, lanes, ratePerSecond: 400, durationMs: 3_000 })
        blocking.abort()
        await blocker
        mustHaveLostNothing(report)
        return report.latencyMs.p90
      },
    )
    expect(p90).toBeLessThanOrEqual(WAIT_MS)
    await supervise.stop()
  })
})

/** One worker after the other is busy for 1 s at a time. */
async function blockAgainAndAgain(target: Target, over: AbortSignal): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one block after the other
  while (!over.aborted) await get(target, '/block?ms=1000', 15_000)
}

describe('supervise reload at a third of full load', () => {
  it('has a 99th percentile of at most three times that of a steady state (L4)', async () => {
    const { supervise, target } = await startApp(fixture('hello.js'), ['-i', '2'])
    const lanes = mixedLanes({ webSockets: 0 })
    const full = await runLoad({ target, lanes, durationMs: 1_500 })
    const ratePerSecond = Math.round(full.requestsPerSecond / 3)
    const ratio = await best(
      ROUNDS,
      (value) => value <= 3,
      async () => {
        const steady = await runLoad({ target, lanes, ratePerSecond, durationMs: 3_000 })
        const load = startLoad({ target, lanes, ratePerSecond, durationMs: 60_000 })
        await load.answers(100)
        mustExit(await supervise.cli('reload'), 0)
        const reloading = await load.stop()
        mustHaveLostNothing(reloading)
        return reloading.latencyMs.p99 / steady.latencyMs.p99
      },
    )
    expect(ratio).toBeLessThanOrEqual(3)
    await supervise.stop()
  })
})
