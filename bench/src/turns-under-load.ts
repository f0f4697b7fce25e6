// The same thing done again and again to a supervisor whose app is under load: what its clients lost, and how long each turn
// took as whoever waits for the supervisor sees it.

import type { InstanceStatus } from '../../src/control/messages.ts'
import type { LaneRequest } from '../../test/support/load/options.ts'
import { until } from '../../test/support/until.ts'
import type { Bench } from './bench.ts'
import { controlText } from './control-text.ts'
import { exactly, noMoreThan, ownFigure, type Figure, type Target } from './figure.ts'
import { failureWords, startLoad } from './load.ts'
import { percentile } from './statistics.ts'

/** Some clients pause, so that there are idle connections to be lost; some send without a pause. */
const expect = { text: 'hello\n' }
const LANES: readonly LaneRequest[] = [
  { kind: 'once', connections: 16, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 40, postShare: 0.25, thinkMs: [1, 60], expect },
  { kind: 'keepAlive', connections: 4, postShare: 0.5, expect },
  { kind: 'pipelined', connections: 4, thinkMs: [0, 20], expect },
]

/** A fifth or so of what two cores do: what is timed is the supervisor, not a queue for the CPU. */
const RATE_PER_SECOND = 1_000

/** The load client's longest run; a new one takes over. */
const TURNS_A_CLIENT = 100
const LOAD_MS = 570_000
const BACK_LIMIT_MS = 30_000

export interface Lived {
  readonly requests: number
  readonly failed: number
  readonly words: readonly string[]
  /** What `turn` returned, in its order. */
  readonly tookMs: readonly number[]
}

/** Throws what `turn` throws, which ends the series. */
export async function turnsUnderLoad(
  bench: Bench,
  port: number,
  count: number,
  turn: () => Promise<number>,
): Promise<Lived> {
  const tookMs: number[] = []
  const words: string[] = []
  let [requests, failed] = [0, 0]
  while (tookMs.length < count) {
    const target = { host: '127.0.0.1', port }
    const request = { target, lanes: LANES, ratePerSecond: RATE_PER_SECOND, durationMs: LOAD_MS, timeoutMs: 10_000 }
    const load = startLoad(request, bench.place.environment(bench.place.room()))
    try {
      await load.answered(500)
      for (let n = 0; n < TURNS_A_CLIENT && tookMs.length < count; n++) tookMs.push(await turn())
      bench.say(`   ${tookMs.length} of ${count}`)
      const report = await load.stop()
      requests += report.ok + report.failed
      failed += report.failed
      if (report.failed > 0) words.push(failureWords(report))
      for (const failure of report.firstFailures) bench.say(`   ${JSON.stringify(failure)}`)
    } finally {
      load.kill()
    }
  }
  return { requests, failed, words, tookMs }
}

export function lostIn(what: string, { requests, failed, words }: Lived): Figure {
  const note = [`of ${requests}`, ...words].join('; ')
  return ownFigure(`failed requests in ${what}`, 'requests', failed, { note, target: exactly(0, failed) })
}

/** The middle and the 99th percentile of what the turns took. */
export function timesOf(what: string, { tookMs }: Lived, target?: (p99: number) => Target): readonly Figure[] {
  const p99 = percentile(tookMs, 0.99)
  return [
    ownFigure(`${what}, p50`, 'ms', percentile(tookMs, 0.5)),
    ownFigure(`${what}, p99`, 'ms', p99, target === undefined ? {} : { target: target(p99) }),
  ]
}

/** `changed`: after how many deaths a worker was another process. */
export function killFigures(where: string, lived: Lived, changed: number): readonly Figure[] {
  return [
    lostIn(`${lived.tookMs.length} SIGKILLs of the supervisor, ${where}`, lived),
    ...timesOf(`control back after a SIGKILL, ${where}`, lived, (p99) => noMoreThan(1_000, p99, ' ms')),
    ownFigure(`SIGKILLs after which a worker was another, ${where}`, 'count', changed, { target: exactly(0, changed) }),
  ]
}

export interface Life {
  readonly pid: number
  /** Sorted, as text. */
  readonly workers: string
}

export async function lifeAt(controlSocket: string): Promise<Life> {
  const status: InstanceStatus = JSON.parse(await controlText(controlSocket, '/v1/status'))
  const workers = status.apps.flatMap(({ groups }) =>
    Object.values(groups).flatMap((group) => group?.workers.map(({ pid }) => pid) ?? []),
  )
  return { pid: status.pid, workers: workers.map(String).toSorted().join(' ') }
}

/** Resolves when another supervisor than this one has all workers and answers; rejects after half a minute. */
export async function untilAnother(controlSocket: string, before: Life): Promise<Life> {
  return until(
    async () => {
      const life = await lifeAt(controlSocket).catch(() => null)
      return life !== null && life.pid !== before.pid && life
    },
    BACK_LIMIT_MS,
    'another supervisor answers',
  )
}
