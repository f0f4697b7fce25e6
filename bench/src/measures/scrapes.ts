// 17. What a scrape of the metrics takes over the control socket: of few workers and of many, with requests of many kinds
// counted.

import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuMs } from '../../../test/support/processes.ts'
import { ask } from '../ask.ts'
import type { Bench, Measure } from '../bench.ts'
import { startSupervise } from '../contenders/supervise.ts'
import { controlText } from '../control-text.ts'
import { cell, noMoreThan, type Figure } from '../figure.ts'
import { ownSamples } from '../paired-rates.ts'
import { median, percentile } from '../statistics.ts'
import { answersFrom } from '../wait.ts'

const STATUSES = fileURLToPath(new URL('../../apps/statuses.js', import.meta.url))
/** All that it answers: 5 methods, 10 statuses. */
const KINDS = 50
const SCRAPES = 100
/** Until what writes them is loaded and compiled. */
const WARM_UP = 10
/** No client of metrics asks more often; the supervisor has its own work in between. */
const EVERY_MS = 50
interface Scene {
  readonly workers: number
  /** Methods and statuses of the requests that were answered. */
  readonly kinds: number
  readonly limitMs: number
}

const SCENES: readonly Scene[] = [
  { workers: 4, kinds: 1, limitMs: 5 },
  { workers: 4, kinds: KINDS, limitMs: 5 },
  { workers: 50, kinds: KINDS, limitMs: 30 },
]

export const scrapes: Measure = {
  id: 17,
  title: 'Scrapes',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = []
    for (const scene of SCENES) figures.push(...(await scrapesOf(bench, scene)))
    return figures
  },
}

async function scrapesOf(bench: Bench, { workers, kinds, limitMs }: Scene): Promise<readonly Figure[]> {
  const app = bench.keep(await startSupervise({ script: STATUSES, workers }, bench.place))
  await answersFrom(app.port, (pids) => pids.size === workers, 120_000)
  if (kinds > 1) await ask(app.port, '/all')
  const scraper = new Scraper(app.controlSocket)
  const first = await scraper.scrape()
  await untilAllAreCounted(scraper, kinds)
  for (let n = 0; n < WARM_UP; n++) await scraper.scrape()
  const before = cpuMs(app.supervisorPid)
  const taken: Scrape[] = []
  for (let n = 0; n < (bench.pace.quick ? 20 : SCRAPES); n++) {
    await pause(EVERY_MS)
    taken.push(await scraper.scrape())
  }
  const cpu = (cpuMs(app.supervisorPid) - before) / taken.length
  scraper.close()
  await bench.stop(app)
  const took = taken.map(({ ms }) => ms)
  const [p99, kilobytes] = [percentile(took, 0.99), (taken.at(-1)?.text.length ?? 0) / 1_000]
  const note = `p99 ${p99.toFixed(1)} ms, the first one ${first.ms.toFixed(0)} ms; ${kilobytes.toFixed(0)} KB`
  const what = `a scrape, ${workers} workers, ${kinds === 1 ? 'one kind' : `${kinds} kinds`} of requests`
  const targets = [noMoreThan(limitMs, median(took), ' ms')]
  return [
    { what, unit: 'ms', cells: { supervise: cell(took, note) }, targets },
    ownSamples('ms', `CPU of the supervisor, ${what}`, [cpu]),
  ]
}

/** Workers tell with their heartbeat. */
async function untilAllAreCounted(scraper: Scraper, kinds: number): Promise<void> {
  for (let look = 0; look < 100; look++) {
    const { text } = await scraper.scrape()
    if (text.split('http_server_request_duration_seconds_count{').length > kinds) return
    await pause(EVERY_MS)
  }
  throw new Error(`Cannot scrape: not all of ${kinds} kinds of requests are counted`)
}

interface Scrape {
  readonly ms: number
  readonly text: string
}

/** One connection that stays open, as Prometheus has it. */
class Scraper {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async scrape(): Promise<Scrape> {
    const began = performance.now()
    const text = await controlText(this.#socketPath, '/v1/metrics', this.#agent)
    return { ms: performance.now() - began, text }
  }

  close(): void {
    this.#agent.destroy()
  }
}
