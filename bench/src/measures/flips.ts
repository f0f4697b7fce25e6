// 12. A thousand flips between two warm releases under load, asked for by the control API: how long each takes, what clients
// lost, and whether any request that was sent after the acknowledgement was answered by the other release.

import { setTimeout as pause } from 'node:timers/promises'
import type { LaneRequest, LoadRequest } from '../../../test/support/load/options.ts'
import type { Bench, Measure } from '../bench.ts'
import { other, type Version } from '../builds.ts'
import { Control } from '../control.ts'
import { exactly, noMoreThan, ownFigure, type Figure } from '../figure.ts'
import { footprintFigures, footprintOf } from '../footprint.ts'
import { failureWords, startSwitchLoad } from '../load.ts'
import { monotonicMs } from '../monotonic.ts'
import { percentile, sum } from '../statistics.ts'
import { startWarmPair, type WarmPair } from '../warm-pair.ts'

/** Of each release. */
const WORKERS = 2

/** The first flips open connections and warm code up; what is compared is what comes after them. */
const WARM_UP = 20

/** So many with one load client, whose longest run is bounded. */
const BATCH = 1_000

const expect = { text: 'hello\n' }
const LANES: readonly LaneRequest[] = [
  { kind: 'keepAlive', connections: 64, expect },
  { kind: 'once', connections: 64, expect },
]

/** What one flip took, in milliseconds. */
interface FlipTimes {
  /** By the supervisor: from the message to the workers to the last one's answer. */
  readonly own: number
  /** By us: from the request to the event that says so. */
  readonly told: number
  /** By us: from the request to its answer, which waits until the slots have moved too. */
  readonly answered: number
}

interface Series {
  readonly flips: readonly FlipTimes[]
  readonly requests: number
  readonly failed: number
  /** Answers that only one release could give, and those of them that the other one gave. */
  readonly judged: number
  readonly wrong: number
  readonly requestsPerSecond: number
  readonly words: readonly string[]
}

export function manyFlips(count: number): Measure {
  return {
    id: 12,
    title: `${count} flips`,
    async run(bench: Bench): Promise<readonly Figure[]> {
      const pair = await startWarmPair(bench, WORKERS)
      const control = new Control(pair.app.controlSocket)
      await control.followEvents()
      const flipping = new Flipping(bench, pair, control)
      try {
        await flipping.series(WARM_UP, 0)
        const before = await footprintOf(pair.app, 2 * WORKERS)
        const full = await flipping.series(count, 0)
        const third = await flipping.series(count, Math.round(full.requestsPerSecond / 3))
        const after = await footprintOf(pair.app, 2 * WORKERS)
        return [
          ...figuresOf(full, 'at full speed', { p50: 2, p99: 10 }),
          ...figuresOf(third, 'at a third of it', { p99: 5 }),
          ...footprintFigures(before, after),
        ]
      } finally {
        control.close()
        await bench.stopAll()
      }
    },
  }
}

class Flipping {
  readonly #bench: Bench
  readonly #pair: WarmPair
  readonly #control: Control
  #active: Version

  constructor(bench: Bench, pair: WarmPair, control: Control) {
    this.#bench = bench
    this.#pair = pair
    this.#control = control
    this.#active = pair.active
  }

  async series(count: number, ratePerSecond: number): Promise<Series> {
    const batches: Series[] = []
    for (let left = count; left > 0; left -= BATCH)
      batches.push(await this.#batch(Math.min(left, BATCH), ratePerSecond))
    return {
      flips: batches.flatMap(({ flips }) => flips),
      requests: sum(batches.map(({ requests }) => requests)),
      failed: sum(batches.map(({ failed }) => failed)),
      judged: sum(batches.map(({ judged }) => judged)),
      wrong: sum(batches.map(({ wrong }) => wrong)),
      requestsPerSecond: sum(batches.map((batch) => batch.requestsPerSecond)) / batches.length,
      words: batches.flatMap(({ words }) => words),
    }
  }

  async #batch(count: number, ratePerSecond: number): Promise<Series> {
    const { port } = this.#pair.app
    const target = { host: '127.0.0.1', port }
    const request: LoadRequest = { target, lanes: LANES, ratePerSecond, durationMs: 600_000, timeoutMs: 10_000 }
    const load = startSwitchLoad(request, this.#active, this.#bench.place.environment(this.#bench.place.room()))
    try {
      await load.answered(1_000)
      const flips: FlipTimes[] = []
      for (let done = 0; done < count; done++) {
        const { askedAt, doneAt, times } = await this.#flip()
        flips.push(times)
        load.switched({ askedAt, doneAt, to: this.#active })
        // At no fixed distance, so that nothing else that is regular falls on all of them.
        await pause((done * 37) % 61)
        if (flips.length % 100 === 0) this.#bench.say(`   ${flips.length} flips`)
      }
      const report = await load.stop()
      for (const failure of report.firstFailures) this.#bench.say(`   ${JSON.stringify(failure)}`)
      const { ok, failed, requestsPerSecond, verdict } = report
      const judgement = { judged: verdict.judged, wrong: verdict.wrong }
      const late = verdict.firstWrongMs.map((ms) => `${ms.toFixed(1)} ms`).join(', ')
      const words = [failureWords(report), late === '' ? '' : `wrong when sent ${late} after`]
      return { flips, requests: ok + failed, failed, requestsPerSecond, words, ...judgement }
    } finally {
      load.kill()
    }
  }

  async #flip(): Promise<{ readonly askedAt: number; readonly doneAt: number; readonly times: FlipTimes }> {
    const flipped = this.#control.nextEvent('flipped')
    const askedAt = monotonicMs()
    const answer = this.#control.act('app', 'flip').then(({ text }) => ({ text, at: monotonicMs() }))
    const [event, { text, at }] = await Promise.all([flipped, answer])
    this.#active = other(this.#active)
    const own = Number(/switched in ([\d.]+) ms/.exec(text)?.[1])
    if (!(own >= 0)) throw new Error(`Cannot read how long a flip took: ${text}`)
    if (event.text.includes('killed')) this.#bench.say(`   ${event.text}`)
    const times = { own, told: event.seenAt - askedAt, answered: at - askedAt }
    return { askedAt, doneAt: event.seenAt, times }
  }
}

interface Limits {
  readonly p50?: number
  readonly p99: number
}

function figuresOf(series: Series, how: string, { p50, p99 }: Limits): readonly Figure[] {
  const { flips, requests, failed, wrong } = series
  const words = series.words.filter((text) => text !== '')
  const own = flips.map((flip) => flip.own)
  const limitOf: Readonly<Record<string, number | undefined>> = { p50, p99 }
  return [
    ownFigure(`failed requests in ${flips.length} flips, ${how}`, 'requests', failed, {
      note: [`of ${requests}`, ...words].join('; '),
      target: exactly(0, failed),
    }),
    ownFigure(`answers of the other release to requests sent after the acknowledgement, ${how}`, 'requests', wrong, {
      note: `of ${series.judged} that only one could answer`,
      target: exactly(0, wrong),
    }),
    ...SHARES.map(([share, of]): Figure => {
      const value = percentile(own, of)
      const limit = limitOf[share]
      const what = `a flip, message to last acknowledgement, ${how}, ${share}`
      return ownFigure(what, 'ms', value, limit === undefined ? {} : { target: noMoreThan(limit, value, ' ms') })
    }),
    outside(
      'request to the event that it is done',
      how,
      flips.map(({ told }) => told),
    ),
    outside(
      'request to its answer, slots moved too',
      how,
      flips.map(({ answered }) => answered),
    ),
    ownFigure(`requests a second, ${how}`, 'req/s', series.requestsPerSecond),
  ]
}

const SHARES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p99', 0.99],
  ['max', 1],
] as const

/** The median as the figure, the rest beside it. */
function outside(what: string, how: string, samples: readonly number[]): Figure {
  const note = SHARES.map(([share, of]) => `${share} ${percentile(samples, of).toFixed(1)} ms`).join(', ')
  return ownFigure(`a flip, ${what}, ${how}, p50`, 'ms', percentile(samples, 0.5), { note })
}
