// 11. A thousand reloads under mixed load, with WebSockets: what clients lost, and what the supervisor kept of it.

import { fileURLToPath } from 'node:url'
import type { LaneRequest, LoadRequest } from '../../../test/support/load/options.ts'
import type { Bench, Measure } from '../bench.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { exactly, ownFigure, type Figure } from '../figure.ts'
import { footprintFigures, footprintOf, type Footprint } from '../footprint.ts'
import { failureWords, startLoad, type Load } from '../load.ts'

/** The fixture of the end-to-end tests, which speaks WebSocket too. */
const APP = fileURLToPath(new URL('../../../test/fixtures/ws.js', import.meta.url))

const WORKERS = 2

/** The first reloads fill caches and warm the code up: what is compared is what comes after them. */
const WARM_UP = 5

/** The load client's longest run; a new one takes over. */
const LOAD_MS = 540_000

/** Some clients pause, so that there are idle connections to be lost; some send without a pause. */
const expect = { text: 'hello\n' }
const LANES: readonly LaneRequest[] = [
  { kind: 'once', connections: 10, postShare: 0.25, thinkMs: [0, 20], expect },
  { kind: 'keepAlive', connections: 4, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 36, postShare: 0.5, thinkMs: [1, 60], expect },
  { kind: 'keepAlive', connections: 4, thinkMs: [0, 20], requestsPerConnection: 10, expect },
  { kind: 'pipelined', connections: 4, thinkMs: [0, 20], expect },
  { kind: 'webSocket', connections: 6, thinkMs: [0, 40] },
]

export function manyReloads(count: number): Measure {
  return {
    id: 11,
    title: `${count} reloads`,
    async run(bench: Bench): Promise<readonly Figure[]> {
      const app = await bench.start('supervise', {
        script: APP,
        workers: WORKERS,
        superviseFlags: ['--min-ready', '0', '--drain-timeout', '2s', '--drain-spread', '0'],
      })
      const series = new ReloadSeries(bench, app)
      try {
        await series.reload(WARM_UP)
        const before = await footprintOf(app, WORKERS)
        const began = performance.now()
        await series.reload(count)
        const seconds = (performance.now() - began) / 1_000
        await series.endLoad()
        const after = await footprintOf(app, WORKERS)
        return figuresOf(series, before, after, seconds / count)
      } finally {
        series.kill()
        await bench.stopAll()
      }
    },
  }
}

class ReloadSeries {
  readonly #bench: Bench
  readonly #app: RunningApp
  #load: Load | null = null
  #loadSince = 0
  reloads = 0
  refused = 0
  requests = 0
  failed = 0
  words: string[] = []

  constructor(bench: Bench, app: RunningApp) {
    this.#bench = bench
    this.#app = app
  }

  async reload(count: number): Promise<void> {
    for (let done = 0; done < count; done++) {
      await this.#keepLoaded()
      const { code, output } = await this.#app.reload()
      this.reloads++
      if (code !== 0) {
        this.refused++
        this.#bench.say(`   reload ${this.reloads} exited with ${code}: ${output.slice(-500)}`)
      }
      if (this.reloads % 50 === 0) this.#bench.say(`   ${this.reloads} reloads`)
    }
  }

  async endLoad(): Promise<void> {
    const report = await this.#load?.stop()
    this.#load = null
    if (report === undefined) return
    this.requests += report.ok + report.failed
    this.failed += report.failed
    if (report.failed === 0) return
    this.words.push(failureWords(report))
    for (const failure of report.firstFailures) this.#bench.say(`   ${JSON.stringify(failure)}`)
  }

  kill(): void {
    this.#load?.kill()
  }

  async #keepLoaded(): Promise<void> {
    if (this.#load !== null && performance.now() - this.#loadSince < LOAD_MS) return
    await this.endLoad()
    const target = { host: '127.0.0.1', port: this.#app.port }
    const request: LoadRequest = { target, lanes: LANES, durationMs: LOAD_MS * 1.1, timeoutMs: 10_000 }
    this.#load = startLoad(request, this.#bench.place.environment(this.#bench.place.room()))
    this.#loadSince = performance.now()
    await this.#load.answered(500)
  }
}

function figuresOf(series: ReloadSeries, before: Footprint, after: Footprint, each: number): readonly Figure[] {
  const { reloads, refused, requests, failed, words } = series
  const lost = { note: [`of ${requests}`, ...words].join('; '), target: exactly(0, failed) }
  return [
    ownFigure(`failed requests in ${reloads} reloads`, 'requests', failed, lost),
    ownFigure('reloads that were refused', 'count', refused, { target: exactly(0, refused) }),
    ownFigure('one reload', 's', each),
    ...footprintFigures(before, after),
  ]
}
