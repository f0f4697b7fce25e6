// What a person may wish of a rollout, as far as it has come.

import type { Rollout } from '../core/rollout.ts'
import { appIsBusy } from '../errors/app.ts'
import { givenUpAlready, promotedAlready } from '../errors/release.ts'

/** The traffic is on its way from one group to the other. */
export function isMoving({ state }: Pick<Rollout, 'state'>): boolean {
  return state === 'flipping' || state === 'goingBack' || state === 'heldUp'
}

/** Throws when it was decided the other way. */
export function mustBeOpen(app: string, wish: string, { state, outcome, release, from, why }: Rollout): void {
  if (wish === 'abort' && (state === 'retiring' || state === 'endingOld')) throw promotedAlready(app, release, from)
  if (wish === 'promote' && outcome !== null && outcome !== 'promoted')
    throw givenUpAlready(app, release, why ?? outcome)
}

/** Throws when a flip by hand would come between. */
export function mustBeStill(app: string, rollout: Rollout | undefined): void {
  if (rollout !== undefined && (rollout.state === 'starting' || isMoving(rollout)))
    throw appIsBusy(app, 'flip', 'rollout')
}
