// 3. How evenly connections that stay open are spread over 4 workers, in a burst and one after the other.

import { setTimeout as pause } from 'node:timers/promises'
import { askAndHold, type Answer } from '../ask.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { atMost, type Cell, type Cells, type Figure } from '../figure.ts'
import { median } from '../statistics.ts'
import { answersFrom } from '../wait.ts'

const WORKERS = 4

interface Spread {
  readonly ratio: number
  readonly counts: readonly number[]
}

export const fairness: Measure = {
  id: 3,
  title: 'Fairness',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const apps = await bench.startAll(['cluster', 'pm2', 'supervise'], { script: HELLO, workers: WORKERS })
    for (const { port } of apps) await answersFrom(port, (pids) => pids.size === WORKERS, 30_000)
    const burst = await spreads(apps, bench.pace.rounds, 64, 0)
    const trickle = await spreads(apps, bench.pace.rounds, 400, 1)
    await bench.stopAll()
    const what = 'connections of the busiest worker of 4 ÷ the least busy'
    return [
      { what: `${what}, 64 in a burst`, unit: 'ratio', cells: burst, targets: [] },
      { what: `${what}, 400 trickled`, unit: 'ratio', cells: trickle, targets: [atMost(trickle, 1.5, '')] },
    ]
  },
}

async function spreads(apps: readonly RunningApp[], rounds: number, count: number, gapMs: number): Promise<Cells> {
  const taken = new Map(apps.map(({ name }) => [name, [] as Spread[]]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, port } of apps) taken.get(name)?.push(await spread(port, count, gapMs))
  }
  return Object.fromEntries([...taken].map(([name, each]) => [name, cellOf(each)]))
}

/** Opens them all, keeps them open, and counts whose they are. */
async function spread(port: number, count: number, gapMs: number): Promise<Spread> {
  const opening: Promise<Answer>[] = []
  for (let opened = 0; opened < count; opened++) {
    opening.push(askAndHold(port))
    if (gapMs > 0) await pause(gapMs)
  }
  const answers = await Promise.all(opening)
  for (const { socket } of answers) socket.destroy()
  const byPid = new Map<number, number>()
  for (const { pid } of answers) byPid.set(pid, (byPid.get(pid) ?? 0) + 1)
  const counts = [...byPid.values(), ...Array.from({ length: WORKERS - byPid.size }, () => 0)].toSorted((a, b) => b - a)
  return { ratio: Math.max(...counts) / Math.max(1, Math.min(...counts)), counts }
}

/** The counts shown are those of the round in the middle. */
function cellOf(each: readonly Spread[]): Cell {
  const ratios = each.map(({ ratio }) => ratio)
  const value = median(ratios)
  const middle = each.toSorted((a, b) => Math.abs(a.ratio - value) - Math.abs(b.ratio - value))[0]
  return { value, samples: ratios, note: middle?.counts.join('/') ?? '' }
}
