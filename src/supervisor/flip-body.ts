// The story of a flip or a rollback by hand: the release that was meant has the traffic afterwards, whoever gave it.

import type { HandMove } from '../core/rollout.ts'
import { operationAborted } from '../errors/app.ts'
import { noLongerWarm } from '../errors/release.ts'
import type { App } from './app.ts'
import { flip, mayFlip, slotsFollow, type Flip } from './flip.ts'
import { labelOf, Report } from './operation-report.ts'
import type { Body } from './operation-runner.ts'
import type { ReleaseDesk } from './release-desk.ts'

export interface WantedRelease {
  readonly kind: HandMove
  /** Id of the release: a colour may be another one's by the time that this has its turn. */
  readonly wanted: string
  /** For one that is not warm any more. */
  readonly otherwise: Body | null
}

export function flipBody(app: App, desk: ReleaseDesk, { kind, wanted, otherwise }: WantedRelease): Body {
  return async (tell, cause) => {
    const report = new Report(app, kind, tell)
    const flipped = await flipTo(app, desk, { kind, wanted }, cause)
    const active = app.activeGroup.generation.release
    const serves = `${labelOf(active)} (${app.active}) is active`
    if (flipped !== null) return report.succeed(`${serves}; switched in ${flipped.tookMs.toFixed(1)} ms`)
    if (app.isStopped || app.activeGroup.isStopping) return report.fail(operationAborted(app.name, kind))
    if (active.id === wanted) return report.succeed(`${serves} already`)
    return otherwise?.(tell, cause) ?? report.fail(noLongerWarm(app.name, wanted, active.id))
  }
}

/** Null when it cannot have the traffic, or has it. */
async function flipTo(
  app: App,
  desk: ReleaseDesk,
  { kind, wanted }: Pick<WantedRelease, 'kind' | 'wanted'>,
  cause: string,
): Promise<Flip | null> {
  const runner = desk.runnerOf(app.name)
  if (runner !== null && !runner.isOver) return runner.flipByHand(wanted, kind, cause)
  if (app.standbyGroup?.generation.release.id !== wanted || !mayFlip(app)) return null
  const flipped = await flip(app, cause)
  if (flipped !== null) await slotsFollow(app)
  return flipped
}
