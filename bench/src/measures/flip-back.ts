// 13. Going back to the release before while it is warm: from typing the command to the first answer of that release. The
// command is a process of its own, so that Node's own start is in it, and told beside it.

import { setTimeout as pause } from 'node:timers/promises'
import { askRelease } from '../ask.ts'
import type { Bench, Measure } from '../bench.ts'
import { other, type Version } from '../builds.ts'
import { mustRun } from '../command.ts'
import { cell, exactly, noMoreThan, ownFigure, type Figure } from '../figure.ts'
import { percentile } from '../statistics.ts'
import { startWarmPair } from '../warm-pair.ts'

const WORKERS = 2
const LOOK_EVERY_MS = 1
const LIMIT_MS = 10_000

export const flipBack: Measure = {
  id: 13,
  title: 'Flip back by command',
  async run(bench: Bench): Promise<readonly Figure[]> {
    const { app, active } = await startWarmPair(bench, WORKERS)
    const before = app.workerPids()
    const taken = { rollback: [] as number[], flip: [] as number[] }
    const boots: number[] = []
    let serving: Version = active
    for (let turn = 0; turn < bench.pace.rounds * 4; turn++) {
      boots.push((await mustRun([process.execPath, '-e', '0'], bench.place.environment(bench.place.room()))).tookMs)
      for (const command of ['rollback', 'flip'] as const) {
        serving = other(serving)
        taken[command].push(await firstAnswerAfter(app.port, serving, () => app.command(command, 'app')))
        // What follows a flip, slots and records, is not the next one's affair.
        await pause(200)
      }
    }
    const started = app.workerPids().filter((pid) => !before.includes(pid)).length
    await bench.stopAll()
    return [
      { what: 'start and end of `node -e 0`', unit: 'ms', cells: { node: cell(boots) }, targets: [] },
      flipFigure('`supervise rollback`', taken.rollback),
      flipFigure('`supervise flip`', taken.flip),
      ownFigure(`processes started by ${2 * boots.length} such commands`, 'count', started, {
        target: exactly(0, started),
      }),
    ]
  },
}

async function firstAnswerAfter(
  port: number,
  release: Version,
  type: () => Promise<{ readonly code: number | null; readonly output: string }>,
): Promise<number> {
  const began = performance.now()
  const typed = type()
  let took = Number.NaN
  while (Number.isNaN(took) && performance.now() - began < LIMIT_MS) {
    if ((await askRelease(port)) === release) took = performance.now() - began
    else await pause(LOOK_EVERY_MS)
  }
  const { code, output } = await typed
  if (code !== 0 || Number.isNaN(took))
    throw new Error(`Release ${release} did not answer: exit code ${code}\n${output}`)
  return took
}

function flipFigure(what: string, samples: readonly number[]): Figure {
  const cells = { supervise: cell(samples, `p90 ${percentile(samples, 0.9).toFixed(0)} ms`) }
  const targets = [noMoreThan(100, cells.supervise.value, ' ms')]
  return { what: `${what}, to the first answer of the release before`, unit: 'ms', cells, targets }
}
