// Goes along with a rollout until it is decided, for whoever waits for that.

import type { OperationResult } from '../control/messages.ts'
import type { LastRollout } from '../control/release-messages.ts'
import { operationAborted } from '../errors/app.ts'
import { rolloutTakenBack } from '../errors/release.ts'
import type { App } from './app.ts'
import { slotsFollow } from './flip.ts'
import { whatServes, type Report } from './operation-report.ts'
import { isSettled, type RolloutProgress } from './rollout-progress.ts'
import type { RolloutRunner } from './rollout-runner.ts'

export interface Watched {
  readonly app: App
  readonly runner: RolloutRunner
  readonly progress: RolloutProgress | undefined
}

/** From `now` the stage that runs is told first; from `next` whoever listens has seen it begin. */
export async function untilDecided(
  { app, runner, progress }: Watched,
  report: Report,
  from: 'now' | 'next',
): Promise<OperationResult> {
  report.release = runner.rollout.release
  const unfollow = progress?.follow(report.stage, from === 'now' ? app.clock.now() : null)
  const { outcome, release, why } = await runner.when(isSettled)
  unfollow?.()
  // What serves is counted by its slots.
  await slotsFollow(app)
  if (outcome === null) return report.fail(operationAborted(app.name, 'rollout'))
  return decidedResult(app, { outcome, release, why }, report)
}

/** Of a rollout that is decided, or was before somebody asked. */
export function decidedResult(
  app: App,
  { outcome, release, why }: Pick<LastRollout, 'outcome' | 'release' | 'why'>,
  report: Report,
): OperationResult {
  if (outcome === 'promoted') return report.succeed(`${release} is promoted; ${whatIsWarm(app)}`)
  return report.fail(rolloutTakenBack(app.name, release, why ?? outcome), whatServes(app))
}

function whatIsWarm({ standbyGroup }: App): string {
  return standbyGroup === null ? 'the one before has ended' : `${standbyGroup.generation.release.id} stays warm`
}
