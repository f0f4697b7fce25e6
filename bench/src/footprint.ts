// What a process holds: to be compared before and after something was done a thousand times.

import { setTimeout as pause } from 'node:timers/promises'
import { countDescriptors, rss, threads, zombiesOf } from '../../test/support/processes.ts'
import { until } from '../../test/support/until.ts'
import type { RunningApp } from './contenders/contender.ts'
import { exactly, ownFigure, type Figure } from './figure.ts'

const MB = 1_000_000

export interface Footprint {
  readonly descriptors: number
  readonly threads: number
  readonly rssBytes: number
  readonly zombies: number
}

/** Once only so many workers are left, and what asks for the figures of each process has let go of the ended ones. */
export async function footprintOf(app: RunningApp, workers: number): Promise<Footprint> {
  await until(() => app.workerPids().length === workers, 30_000, `only ${workers} workers are left`)
  await pause(15_000)
  const pid = app.supervisorPid
  return {
    descriptors: countDescriptors(pid),
    threads: threads(pid),
    rssBytes: rss(pid),
    zombies: zombiesOf(pid).length,
  }
}

export function footprintFigures(before: Footprint, after: Footprint): readonly Figure[] {
  const grown = (after.rssBytes - before.rssBytes) / MB
  const rssTarget = { text: '≤ 20 MB more', reached: `${grown.toFixed(1)} MB`, met: grown <= 20 }
  return [
    ownFigure('descriptors before', 'count', before.descriptors),
    ownFigure('descriptors after', 'count', after.descriptors, {
      target: exactly(before.descriptors, after.descriptors),
    }),
    ownFigure('threads before', 'count', before.threads),
    ownFigure('threads after', 'count', after.threads, { target: exactly(before.threads, after.threads) }),
    ownFigure('zombies after', 'count', after.zombies, { target: exactly(0, after.zombies) }),
    ownFigure('RSS before', 'MB', before.rssBytes / MB),
    ownFigure('RSS after', 'MB', after.rssBytes / MB, { target: rssTarget }),
  ]
}
