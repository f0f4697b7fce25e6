// 15. Moving between two releases as it is done today, and what it costs while nothing moves: nginx and HAProxy in front of
// plain node processes, PM2, and supervise, each with the same app under the same load in one run.

import { copyFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuMs, isAlive } from '../../../test/support/processes.ts'
import type { LaneRequest, LoadRequest } from '../../../test/support/load/options.ts'
import type { Bench, Measure } from '../bench.ts'
import { makeBuild, other, scriptOf, sourceFile } from '../builds.ts'
import type { Finished } from '../command.ts'
import type { ColumnName, RunningApp } from '../contenders/contender.ts'
import { startSupervise } from '../contenders/supervise.ts'
import { cell, exactly, type Cell, type Cells, type Figure, type Target, type Unit } from '../figure.ts'
import { failureWords, startLoad, startSwitchLoad, type JudgedReport } from '../load.ts'
import { monotonicMs } from '../monotonic.ts'
import { median, sum } from '../statistics.ts'
import { startProxySwitcher, startSuperviseSwitcher, type Switcher } from '../switchers.ts'
import { takeTurns } from '../turns.ts'
import { requestsPerSecond } from '../wrk.ts'

/** The same for all, so that none is judged by how fast it makes the clients. */
const REQUESTS_PER_SECOND = 2_000
/** Even a reload that nobody is told the end of is over by then. */
const BETWEEN_MS = 500
const AFTERWARDS_MS = 1_000
const READY_TIMEOUT_MS = 3_000
const ONE = { workers: 1 }

const expect = { text: 'hello\n' }
const LANES: readonly LaneRequest[] = [
  { kind: 'once', connections: 64, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 48, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 16, postShare: 0.25, thinkMs: [1, 60], expect },
]

export const sideBySide: Measure = {
  id: 15,
  title: 'Side by side',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const switchers = [
      await startProxySwitcher(bench, 'nginx'),
      await startProxySwitcher(bench, 'haproxyReload'),
      await startProxySwitcher(bench, 'haproxyTuned'),
      await startProxySwitcher(bench, 'haproxySocket'),
      await startSuperviseSwitcher(bench),
    ]
    const steady = await steadyFigures(bench, switchers)
    const switched = await switchFigures(bench, switchers)
    await bench.stopAll()
    const broken = await brokenFigure(bench)
    return [...switched, broken, ...steady]
  },
}

// ---- switching -----------------------------------------------------------------------------------------

interface Outcome {
  readonly reports: JudgedReport[]
  readonly commandMs: number[]
  /** What the command says itself, where it says it. */
  readonly ownMs: number[]
}

async function switchFigures(bench: Bench, switchers: readonly Switcher[]): Promise<readonly Figure[]> {
  const half = bench.pace.quick ? 3 : bench.pace.rounds * 4
  const outcomes = switchers.map((switcher): [Switcher, Outcome] => [
    switcher,
    { reports: [], commandMs: [], ownMs: [] },
  ])
  // In two halves, so that each gets its turn twice; an even count of switches ends where it began.
  for (const _half of [1, 2]) {
    for (const [switcher, outcome] of outcomes) await switchSeries(bench, switcher, half + (half % 2), outcome)
  }
  const cellsOf = (read: (outcome: Outcome, switcher: Switcher) => Cell): Cells =>
    Object.fromEntries(outcomes.map(([switcher, outcome]) => [switcher.name, read(outcome, switcher)]))
  const failed = cellsOf(failedCell)
  const wrong = cellsOf(wrongCell)
  const count = 2 * (half + (half % 2))
  return [
    figure(`failed requests in ${count} switches between two releases`, 'requests', failed, [isZero(failed)]),
    figure('answers of the other release to requests sent after the command had ended', 'requests', wrong, [
      isZero(wrong),
    ]),
    figure('a switch, from the command to its end', 'ms', cellsOf(commandCell)),
    figure('a switch, from the command to the last request that the other release got', 'ms', cellsOf(settledCell)),
  ]
}

async function switchSeries(bench: Bench, switcher: Switcher, count: number, outcome: Outcome): Promise<void> {
  const load = startSwitchLoad(loadOn(switcher.port), switcher.first, bench.place.environment(bench.place.room()))
  try {
    await load.answered(500)
    let serving = switcher.first
    for (let done = 0; done < count; done++) {
      serving = other(serving)
      const askedAt = monotonicMs()
      const ownMs = await switcher.switchTo(serving)
      const doneAt = monotonicMs()
      if (ownMs !== null) outcome.ownMs.push(ownMs)
      outcome.commandMs.push(doneAt - askedAt)
      load.switched({ askedAt, doneAt, to: serving })
      await pause(BETWEEN_MS)
    }
    outcome.reports.push(await load.stop())
  } finally {
    load.kill()
  }
}

function isZero(cells: Cells): Target {
  return exactly(0, cells.supervise?.value ?? Number.NaN)
}

function failedCell({ reports }: Outcome, { version }: Switcher): Cell {
  const words = reports.map((report) => failureWords(report)).filter((text) => text !== '')
  const of = `of ${sum(reports.map(({ ok, failed }) => ok + failed))}`
  const samples = reports.map(({ failed }) => failed)
  return { value: sum(samples), samples, note: [version, of, ...words].filter((text) => text !== '').join('; ') }
}

function wrongCell({ reports }: Outcome): Cell {
  const samples = reports.map(({ verdict }) => verdict.wrong)
  return { value: sum(samples), samples, note: `of ${sum(reports.map(({ verdict }) => verdict.judged))}` }
}

/** Most of it may be the start of the command's own process. */
function commandCell({ commandMs, ownMs }: Outcome): Cell {
  return ownMs.length === 0
    ? cell(commandMs)
    : cell(commandMs, `by the command's own words ${median(ownMs).toFixed(1)} ms, the rest is its start and end`)
}

function settledCell({ reports }: Outcome): Cell {
  const samples = reports.flatMap(({ verdict }) => verdict.settledMs)
  return cell(samples, `at most ${Math.max(...samples).toFixed(0)} ms`)
}

// ---- a broken build ------------------------------------------------------------------------------------

async function brokenFigure(bench: Bench): Promise<Figure> {
  const cells = { pm2: await brokenCell(bench, 'pm2'), supervise: await brokenCell(bench, 'supervise') }
  const { value, code } = cells.supervise
  const target = {
    text: '0, and exit code not 0',
    reached: `${value}, exit code ${code}`,
    met: value === 0 && code !== 0 && code !== null,
  }
  return figure('failed requests, a build that throws at boot', 'requests', cells, [target])
}

type BrokenCell = Cell & Pick<Finished, 'code'>

/** PM2 reads the same path again; supervise is given a directory. */
async function brokenCell(bench: Bench, name: 'pm2' | 'supervise'): Promise<BrokenCell> {
  const room = bench.place.room()
  const plan = { ...ONE, script: scriptOf(makeBuild(room, '1')), graceful: true, readyTimeoutMs: READY_TIMEOUT_MS }
  if (name === 'supervise') {
    const app = bench.keep(await startSupervise(plan, bench.place))
    return await underLoad(bench, app, () => app.command('deploy', 'app', makeBuild(room, 'broken', 'throws.js')))
  }
  const app = await bench.start('pm2', plan)
  return await underLoad(bench, app, () => {
    copyFileSync(sourceFile('throws.js'), plan.script)
    return app.reload()
  })
}

async function underLoad(bench: Bench, app: RunningApp, act: () => Promise<Finished>): Promise<BrokenCell> {
  const load = startLoad(loadOn(app.port), bench.place.environment(bench.place.room()))
  try {
    await load.answered(500)
    const { code } = await act()
    await pause(AFTERWARDS_MS)
    const report = await load.stop()
    const note = [`of ${report.ok + report.failed}`, failureWords(report), `exit code ${code}`]
    return { ...cell([report.failed], note.filter((text) => text !== '').join('; ')), code }
  } finally {
    load.kill()
    await bench.stop(app)
  }
}

// ---- while nothing moves -------------------------------------------------------------------------------

type Steady = Pick<Switcher, 'name' | 'port' | 'pids'>

async function steadyFigures(bench: Bench, switchers: readonly Switcher[]): Promise<readonly Figure[]> {
  const script = scriptOf(makeBuild(bench.place.room(), '1'))
  const plain = await bench.startAll(['node', 'pm2'], { ...ONE, script })
  const all: readonly Steady[] = [
    ...plain.map(({ name, port, supervisorPid, workerPids }) => ({
      name,
      port,
      pids: () => [supervisorPid, ...workerPids()],
    })),
    // HAProxy's three do the same while nothing moves.
    ...switchers.filter(({ name }) => name !== 'haproxyReload' && name !== 'haproxyTuned'),
  ]
  return [
    ...(await steadyPair(bench, all, 'keep-alive', false)),
    ...(await steadyPair(bench, all, 'one request a connection', true)),
  ]
}

async function steadyPair(
  bench: Bench,
  all: readonly Steady[],
  what: string,
  close: boolean,
): Promise<readonly Figure[]> {
  const seconds = bench.pace.quick ? 1 : 2
  const cpu = new Map<ColumnName, number[]>(all.map(({ name }) => [name, []]))
  for (const { port } of all) await requestsPerSecond({ port, seconds, close })
  const rates = await takeTurns(all, bench.pace.rounds, async ({ name, port, pids }) => {
    const before = cpuOf(pids())
    const rate = await requestsPerSecond({ port, seconds, close })
    cpu.get(name)?.push(((cpuOf(pids()) - before) * 1_000) / (rate * seconds))
    return rate
  })
  const perRequest = Object.fromEntries([...cpu].map(([name, samples]) => [name, cell(samples)]))
  return [
    figure(`${what}, 1 process of the app`, 'req/s', rates),
    figure(`CPU a request, ${what}, proxy and app together`, 'µs', perRequest),
  ]
}

function cpuOf(pids: readonly number[]): number {
  return sum([...new Set(pids)].filter(isAlive).map(cpuMs))
}

// ---- in common -----------------------------------------------------------------------------------------

function loadOn(port: number): LoadRequest {
  const target = { host: '127.0.0.1', port }
  return { target, lanes: LANES, ratePerSecond: REQUESTS_PER_SECOND, durationMs: 300_000, timeoutMs: 5_000 }
}

function figure(what: string, unit: Unit, cells: Cells, targets: Figure['targets'] = []): Figure {
  return { what, unit, cells, targets }
}
