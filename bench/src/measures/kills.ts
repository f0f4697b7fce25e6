// 25. What clients see of deaths: of a worker, of all workers, of the supervisor, of either in the middle of a reload, and of a
// reload that fails at boot. PM2 and supervise suffer the same under the same load, in one run. What a killed worker had under
// way is lost with anyone, so it is counted apart: by the connections that the kernel says it had.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { killWorker, unexplained, type Victim } from '../../../test/support/matrix/victims.ts'
import { sendIfAlive } from '../../../test/support/processes.ts'
import { until } from '../../../test/support/until.ts'
import type { LaneRequest } from '../../../test/support/load/options.ts'
import { HELLO, type Bench, type Measure } from '../bench.ts'
import { sourceFile } from '../builds.ts'
import type { RunningApp } from '../contenders/contender.ts'
import { startSupervise } from '../contenders/supervise.ts'
import { cell, exactly, type Cell, type Figure } from '../figure.ts'
import { failureWords, startLoad } from '../load.ts'
import { answersFrom } from '../wait.ts'

const WORKERS = 2
const REQUESTS_PER_SECOND = 1_000
const READY_TIMEOUT_MS = 3_000
/** After each death, so long is counted, whether anybody answers or not. */
const AFTERWARDS_MS = 3_000
const RECOVERS_WITHIN_MS = 15_000

const expect = { text: 'hello\n' }
const LANES: readonly LaneRequest[] = [
  { kind: 'once', connections: 16, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 32, postShare: 0.25, expect },
  { kind: 'keepAlive', connections: 16, postShare: 0.25, thinkMs: [1, 60], expect },
]

interface Death {
  readonly what: string
  readonly times: number
  readonly next?: 'throws.js'
  act(app: RunningApp): Promise<readonly (Victim | null)[]>
}

const DEATHS: readonly Death[] = [
  {
    what: 'SIGKILL of a worker of 2, 5 times',
    times: 5,
    act: async (app) => [await killWorker(app.workerPids()[0] ?? 0, app.port)],
  },
  {
    what: 'SIGKILL of both workers, 3 times',
    times: 3,
    act: (app) => Promise.all(app.workerPids().map((pid) => killWorker(pid, app.port))),
  },
  { what: 'SIGKILL of the supervisor', times: 1, act: killSupervisor },
  { what: 'SIGKILL of the supervisor in a reload', times: 1, act: (app) => inReload(app, () => killSupervisor(app)) },
  {
    what: 'SIGKILL of the new worker in a reload',
    times: 1,
    act: (app) => inReload(app, async (pid) => [await killWorker(pid, app.port)]),
  },
  { what: 'a reload of a version that throws at boot', times: 1, next: 'throws.js', act: reload },
]

export const kills: Measure = {
  id: 25,
  title: 'Deaths under load',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const figures: Figure[] = []
    for (const death of DEATHS) {
      const cells = { pm2: await suffer(bench, 'pm2', death), supervise: await suffer(bench, 'supervise', death) }
      const what = `failed requests beyond those in a killed worker, ${death.what}`
      figures.push({ what, unit: 'requests', cells, targets: [exactly(0, cells.supervise.value)] })
    }
    return figures
  },
}

async function killSupervisor({ supervisorPid }: RunningApp): Promise<readonly []> {
  sendIfAlive(supervisorPid, 'SIGKILL')
  return []
}

async function reload(app: RunningApp): Promise<readonly []> {
  await app.reload()
  return []
}

/** As soon as there is a process that was not there before; nobody may be left to end the command. */
async function inReload<Result>(app: RunningApp, act: (newPid: number) => Promise<Result>): Promise<Result> {
  const before = app.workerPids()
  const reloading = app.reload().catch(() => null)
  const pid = await until(() => app.workerPids().find((one) => !before.includes(one)), 10_000, 'a new worker')
  const result = await act(pid)
  await Promise.race([reloading, pause(RECOVERS_WITHIN_MS)])
  return result
}

async function suffer(bench: Bench, name: 'pm2' | 'supervise', death: Death): Promise<Cell> {
  const room = bench.place.room()
  const script = join(room, 'app.js')
  copyFileSync(HELLO, script)
  const { app, stop } = await start(bench, name, script)
  const target = { host: '127.0.0.1', port: app.port }
  const limits = { ratePerSecond: REQUESTS_PER_SECOND, durationMs: 300_000, timeoutMs: 5_000 }
  const load = startLoad({ target, lanes: LANES, ...limits }, bench.place.environment(room))
  try {
    await load.answered(500)
    if (death.next !== undefined) copyFileSync(sourceFile(death.next), script)
    const victims: Victim[] = []
    for (let done = 0; done < death.times; done++) {
      victims.push(...(await death.act(app)).filter((victim) => victim !== null))
      await pause(AFTERWARDS_MS)
    }
    const report = await load.stop()
    const recovered = await recovery(app.port)
    // Not every one of very many is told.
    const explained = report.firstFailures.length - unexplained(report.firstFailures, victims).length
    const beyond = report.failed - explained
    const of = `of ${report.ok + report.failed}`
    const note = [of, failureWords(report), `${explained} were in killed workers`, recovered]
    return cell([beyond], note.filter((text) => text !== '').join('; '))
  } finally {
    load.kill()
    await stop()
  }
}

/** Whether it is whole again when the time that is counted is over. */
async function recovery(port: number): Promise<string> {
  const isWhole = await answersFrom(port, (pids) => pids.size >= WORKERS, RECOVERS_WITHIN_MS).then(
    () => true,
    () => false,
  )
  return isWhole ? 'whole again by itself' : `not whole ${RECOVERS_WITHIN_MS / 1_000} s later`
}

async function start(bench: Bench, name: 'pm2' | 'supervise', script: string) {
  const plan = { script, workers: WORKERS, graceful: true, readyTimeoutMs: READY_TIMEOUT_MS, detached: true }
  if (name === 'pm2') {
    const app = await bench.start('pm2', plan)
    return { app, stop: () => bench.stop(app) }
  }
  const app = bench.keep(await startSupervise(plan, bench.place))
  // The one that was started may have died; whoever has its place ends.
  const stop = async (): Promise<void> => {
    await app.command('stop', '--all')
    await bench.stop(app)
  }
  return { app, stop }
}
