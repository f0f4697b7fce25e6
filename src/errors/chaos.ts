// Errors that a user can meet with rehearsals of failures. One function each: code, message and fix together.

import type { Obstacle } from '../core/chaos-limits.ts'
import { EXIT, SuperviseError } from '../errors.ts'

const REMEDIES: Readonly<Record<Obstacle['remedy'], string>> = {
  keeper: 'start it with `supervise start -d`, which has a keeper, or as a unit (`supervise systemd install`)',
  otherFaults: '`--only kill,stop` is what can be done to it',
  workers: '`supervise scale APP 2` gives it another worker',
  restart: 'give the app another `restart`',
  time: 'give it a longer --for',
  unit: 'give its unit `Restart=always`, as `supervise systemd install` does',
  hangTime: 'give it a longer --for, or the app a shorter `hangTimeout`',
}

export function cannotRehearse(app: string, fault: string, { why, remedy }: Obstacle) {
  return new SuperviseError(
    'CHAOS_REFUSED',
    `Cannot rehearse "${fault}" on "${app}": ${why}`,
    `Leave it out of --only; or ${REMEDIES[remedy].replace('APP', app)}.`,
  )
}

export function nothingToRehearse(app: string, lines: readonly string[], isDelayPossible: boolean) {
  return new SuperviseError(
    'CHAOS_REFUSED',
    `Cannot rehearse failures of "${app}": nothing can be done to it as it is`,
    `\`supervise scale ${app} 2\` gives it another worker${isDelayPossible ? '; `--only delay` needs none' : ''}.`,
    EXIT.failed,
    { lines },
  )
}

export function notRecovered(app: string, faults: number) {
  return new SuperviseError(
    'CHAOS_NOT_RECOVERED',
    `Cannot say that "${app}" recovers: after ${faults === 1 ? '1 fault' : `${faults} faults`} fewer workers served than before`,
    `See \`supervise status\` and \`supervise crashes ${app}\`.`,
  )
}

/** `why` is a line of its own, for whoever makes a report of it. */
export function chaosEndedEarly(app: string, why: string) {
  return new SuperviseError(
    'CHAOS_ENDED_EARLY',
    `Cannot go on rehearsing failures of "${app}": ${why}`,
    'What could be undone was. Rehearse again when nothing else is to be done.',
    EXIT.failed,
    { lines: [why] },
  )
}

/** `lines` say what would be done; `again` would do it, and is null where it would be refused. */
export function chaosUnconfirmed(app: string, lines: readonly string[], again: string | null) {
  return new SuperviseError(
    'CHAOS_UNCONFIRMED',
    `Cannot rehearse failures of "${app}": it is not confirmed`,
    again === null
      ? 'Nothing was done, and it would be refused as it is: take what is refused out of --only.'
      : `Nothing was done. Type \`${again} --yes\` to do it.`,
    EXIT.usage,
    { lines },
  )
}
