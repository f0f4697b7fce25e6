// Errors that a user can meet with rehearsals of failures. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

export function cannotRehearse(app: string, fault: string, why: string) {
  return new SuperviseError(
    'CHAOS_REFUSED',
    `Cannot rehearse "${fault}" on "${app}": ${why}`,
    `Leave it out of --only, or change what is so: \`supervise scale ${app} 2\` for another worker, a longer --for, a shorter \`hangTimeout\`.`,
  )
}

export function nothingToRehearse(app: string, lines: readonly string[]) {
  return new SuperviseError(
    'CHAOS_REFUSED',
    `Cannot rehearse failures of "${app}": nothing can be done to it as it is`,
    `\`supervise scale ${app} 2\` gives it another worker; \`--only delay\` needs none.`,
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

/** `lines` say what would be done. */
export function chaosUnconfirmed(app: string, lines: readonly string[], again: string) {
  return new SuperviseError(
    'CHAOS_UNCONFIRMED',
    `Cannot rehearse failures of "${app}": it is not confirmed`,
    `Nothing was done. Type \`${again} --yes\` to do it.`,
    EXIT.usage,
    { lines },
  )
}
