// 5. What clients see of reloads: of an app that does everything right, of one that does nothing for it, and of new versions
// that are broken. PM2 and supervise reload the same app under the same load, each told the same of it.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LaneRequest, LoadRequest } from '../../../test/support/load/options.ts'
import type { Bench, Measure } from '../bench.ts'
import type { AppPlan, RunningApp } from '../contenders/contender.ts'
import type { Cell, Figure, Target } from '../figure.ts'
import { failureWords, startLoad } from '../load.ts'
import { median, sum } from '../statistics.ts'

/** The same for both, so that neither is judged by how fast it makes the clients. */
const REQUESTS_PER_SECOND = 2_000
const READY_TIMEOUT_MS = 3_000
const AFTERWARDS_MS = 1_000
const NAMES = ['pm2', 'supervise'] as const

const ONCE: readonly LaneRequest[] = [{ kind: 'once', connections: 64, expect: { text: 'hello\n' } }]
const MIXED: readonly LaneRequest[] = [
  { kind: 'once', connections: 16, postShare: 0.25, expect: { text: 'hello\n' } },
  { kind: 'keepAlive', connections: 32, postShare: 0.25, expect: { text: 'hello\n' } },
  { kind: 'keepAlive', connections: 16, postShare: 0.25, thinkMs: [1, 60], expect: { text: 'hello\n' } },
]

interface Case {
  readonly what: string
  readonly graceful: boolean
  readonly lanes: readonly LaneRequest[]
  /** The version that the reload finds. */
  readonly next: 'hello.js' | 'throws.js' | 'hangs.js'
  readonly reloads: number
}

const CASES: readonly Case[] = [
  { what: 'an app that closes on signal, no keep-alive', graceful: true, lanes: ONCE, next: 'hello.js', reloads: 10 },
  { what: 'an app that closes on signal, mixed load', graceful: true, lanes: MIXED, next: 'hello.js', reloads: 20 },
  { what: 'an app without signal handlers, mixed load', graceful: false, lanes: MIXED, next: 'hello.js', reloads: 20 },
  { what: 'a new version that throws at boot', graceful: true, lanes: MIXED, next: 'throws.js', reloads: 1 },
  { what: 'a new version that hangs at boot', graceful: true, lanes: MIXED, next: 'hangs.js', reloads: 1 },
]

/** What came of one series of reloads. */
interface Outcome {
  readonly requests: number
  readonly failed: number
  readonly words: string
  readonly tookMs: readonly number[]
  readonly codes: readonly (number | null)[]
}

export const reloads: Measure = {
  id: 5,
  title: 'Reloads under load',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = []
    for (const each of CASES) figures.push(...(await measureCase(bench, each)))
    return figures
  },
}

async function measureCase(bench: Bench, each: Case): Promise<readonly Figure[]> {
  const isBroken = each.next !== 'hello.js'
  // In two halves, so that both get their turn twice.
  const half = bench.pace.quick ? 1 : each.reloads / 2
  const series = isBroken ? [1] : [half, half]
  const outcomes = { pm2: [] as Outcome[], supervise: [] as Outcome[] }
  for (const count of series) {
    for (const name of NAMES) outcomes[name].push(await reloadSeries(bench, name, each, count))
  }
  const cells = { pm2: failedCell(outcomes.pm2), supervise: failedCell(outcomes.supervise) }
  if (isBroken)
    return [{ what: `failed requests, ${each.what}`, unit: 'requests', cells, targets: [refused(outcomes)] }]
  const took = { pm2: tookCell(outcomes.pm2), supervise: tookCell(outcomes.supervise) }
  return [
    {
      what: `failed requests in ${sum(series)} reloads, ${each.what}`,
      unit: 'requests',
      cells,
      targets: [lostNothing(outcomes)],
    },
    { what: `one reload, ${each.what}`, unit: 's', cells: took, targets: [] },
  ]
}

async function reloadSeries(bench: Bench, name: 'pm2' | 'supervise', each: Case, count: number): Promise<Outcome> {
  const room = bench.place.room()
  const script = join(room, 'app.js')
  copyFileSync(appFile('hello.js'), script)
  const plan: AppPlan = { script, workers: 2, graceful: each.graceful, readyTimeoutMs: READY_TIMEOUT_MS }
  const app = await bench.start(name, plan)
  const request: LoadRequest = {
    target: { host: '127.0.0.1', port: app.port },
    lanes: each.lanes,
    ratePerSecond: REQUESTS_PER_SECOND,
    durationMs: 300_000,
    timeoutMs: 5_000,
  }
  const load = startLoad(request, bench.place.environment(room))
  try {
    await load.answered(500)
    copyFileSync(appFile(each.next), script)
    const finished = await reloadAgainAndAgain(bench, app, count)
    await pause(AFTERWARDS_MS)
    const report = await load.stop()
    return { requests: report.ok + report.failed, failed: report.failed, words: failureWords(report), ...finished }
  } finally {
    load.kill()
    await bench.stop(app)
  }
}

async function reloadAgainAndAgain(
  bench: Bench,
  app: RunningApp,
  count: number,
): Promise<Pick<Outcome, 'tookMs' | 'codes'>> {
  const tookMs: number[] = []
  const codes: (number | null)[] = []
  for (let done = 0; done < count; done++) {
    const { code, output, tookMs: took } = await app.reload()
    tookMs.push(took)
    codes.push(code)
    if (code !== 0) bench.say(`   reload with ${app.name} exited with ${code}: ${output.trim().slice(-300)}`)
  }
  return { tookMs, codes }
}

function failedCell(outcomes: readonly Outcome[]): Cell {
  const samples = outcomes.map(({ failed }) => failed)
  const of = sum(outcomes.map(({ requests }) => requests))
  const codes = [...new Set(outcomes.flatMap((outcome) => outcome.codes))].join(', ')
  const words = outcomes.map((outcome) => outcome.words).filter((text) => text !== '')
  return { value: sum(samples), samples, note: [`of ${of}`, ...words, `exit code ${codes}`].join('; ') }
}

function tookCell(outcomes: readonly Outcome[]): Cell {
  const seconds = outcomes.flatMap(({ tookMs }) => tookMs.map((ms) => ms / 1_000))
  return { value: median(seconds), samples: seconds }
}

function lostNothing(outcomes: { readonly supervise: readonly Outcome[] }): Target {
  const failed = sum(outcomes.supervise.map((outcome) => outcome.failed))
  const undone = outcomes.supervise.flatMap(({ codes }) => codes.filter((code) => code !== 0)).length
  const reached = undone === 0 ? String(failed) : `${failed}, and ${undone} reloads not done`
  return { text: '0', reached, met: failed === 0 && undone === 0 }
}

/** A broken version costs no request, and whoever asked for it is told. */
function refused(outcomes: { readonly supervise: readonly Outcome[] }): Target {
  const failed = sum(outcomes.supervise.map((outcome) => outcome.failed))
  const codes = outcomes.supervise.flatMap((outcome) => outcome.codes)
  return {
    text: '0, and exit code not 0',
    reached: `${failed}, exit code ${codes.join(', ')}`,
    met: failed === 0 && codes.every((code) => code !== 0 && code !== null),
  }
}

function appFile(name: string): string {
  return fileURLToPath(new URL(`../../apps/${name}`, import.meta.url))
}
