// Runs measures one after the other, bounded in time, and cleans up behind them whatever happens.

import { existsSync } from 'node:fs'
import { Bench, type Measure, type Pace } from './bench.ts'
import { describeMachine, describeVersions } from './machine.ts'
import type { MeasureResult, Result } from './result.ts'
import { joinControlGroup } from './scheduling.ts'
import { wrkVersion } from './wrk.ts'

const CLI = new URL('../../dist/cli/main.js', import.meta.url)

/** Throws with what is missing, and where to get it. */
async function requireTools(): Promise<string> {
  const [major = 0] = process.versions.node.split('.').map(Number)
  if (major < 22) throw new Error(`Cannot measure with Node ${process.versions.node}: run \`npm ci\` in the root first`)
  if (!existsSync(CLI)) throw new Error('Cannot find dist/: run `npm ci && npm run build` in the root first')
  const wrk = await wrkVersion()
  if (wrk === null) throw new Error('Cannot find wrk: install it (`apt-get install wrk`, `brew install wrk`)')
  return wrk
}

export async function runMeasures(measures: readonly Measure[], pace: Pace, limitMs: number): Promise<Result> {
  const versions = describeVersions(await requireTools())
  const group = joinControlGroup()
  const machine = describeMachine(group.scheduling)
  const at = new Date()
  const bench = new Bench(pace)
  const stopped = stopOnSignal(bench, limitMs)
  try {
    if (machine.loadBefore > machine.cpus / 4) {
      bench.say(`The machine is busy (load ${machine.loadBefore}): do not trust these figures.`)
    }
    if (machine.scheduling === 'by session') {
      bench.say(
        'The kernel shares CPUs out by session, which favours some: run as root, or with sched_autogroup_enabled=0.',
      )
    }
    const results: MeasureResult[] = []
    for (const measure of measures)
      results.push(await Promise.race([runOne(bench, measure, stopped), stopped.failure(measure)]))
    const tookSeconds = (Date.now() - at.getTime()) / 1_000
    return { schema: 1, at: at.toISOString(), tookSeconds, rounds: pace.rounds, machine, versions, measures: results }
  } finally {
    stopped.disarm()
    await bench.close()
    group.leave()
  }
}

/** A measure that fails is told as such, and the others are measured all the same. */
async function runOne(bench: Bench, measure: Measure, stop: Stop): Promise<MeasureResult> {
  const { id, title } = measure
  const began = performance.now()
  const tookSeconds = () => Math.round((performance.now() - began) / 1_000)
  if (stop.why !== null) return failed(measure, stop.why)
  bench.say(`${id}. ${title} …`)
  try {
    const figures = await measure.run(bench)
    bench.say(`   ${tookSeconds()} s`)
    return { id, title, tookSeconds: tookSeconds(), figures, failure: null }
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    if (stop.why === null) bench.say(`   failed: ${failure}`)
    await bench.stopAll()
    return failed(measure, failure)
  }
}

function failed({ id, title }: Measure, failure: string): MeasureResult {
  return { id, title, tookSeconds: 0, figures: [], failure }
}

interface Stop {
  /** Null as long as it goes on. */
  readonly why: string | null
  /** Resolves at the stop, and so ends the wait for a measure that is under way. */
  failure(measure: Measure): Promise<MeasureResult>
  disarm(): void
}

/** At a signal, or when the time is over, nothing further is measured, and what was measured so far is told. */
function stopOnSignal(bench: Bench, limitMs: number): Stop {
  const stopping = Promise.withResolvers<string>()
  let reason: string | null = null
  const stop = (why: string) => {
    bench.say(`Stopping: ${why}`)
    reason ??= why
    stopping.resolve(why)
  }
  const onSignal = (signal: string) => stop(signal)
  const timer = setTimeout(() => stop(`not done within ${Math.round(limitMs / 60_000)} min`), limitMs)
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return {
    get why() {
      return reason
    },
    failure: async (measure) => failed(measure, await stopping.promise),
    disarm() {
      clearTimeout(timer)
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    },
  }
}
