// Errors that a user can meet when a supervisor is to be followed by another one. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

/** `why` says what is so; `lines` are the last ones that the new supervisor wrote. */
export function upgradeRefused(instance: string, why: string, lines: readonly string[] = []) {
  return new SuperviseError(
    'UPGRADE_REFUSED',
    `Cannot upgrade "${instance}": ${why}`,
    'The supervisor that ran before is in charge, and the workers serve as before. Mend it, then upgrade again; `supervise upgrade --dry-run` only checks.',
    EXIT.rolloutFailed,
    { lines },
  )
}

/** `names` such as `the reload of "web"`. */
export function upgradeWaits(instance: string, names: readonly string[], waitedMs: number) {
  return new SuperviseError(
    'UPGRADE_WAITS',
    `Cannot upgrade "${instance}": ${names.join(' and ')} ${names.length > 1 ? 'have' : 'has'} not ended within ${waitedMs / 1000} s`,
    'Wait for its end (`supervise status`), or give it more time with --wait 10m.',
    EXIT.busy,
  )
}

export function upgradeUnderWay(instance: string) {
  return new SuperviseError(
    'UPGRADE_UNDER_WAY',
    `Cannot upgrade "${instance}": it is being upgraded already`,
    'See how that went with `supervise events --type supervisorUpgraded,upgradeRefused`.',
    EXIT.busy,
  )
}

/** What was asked of the supervisor that was just leaving. */
export function justUpgraded(instance: string) {
  return new SuperviseError(
    'JUST_UPGRADED',
    `Cannot do this any more: the supervisor of "${instance}" was upgraded at the same moment`,
    'Nothing was begun. Repeat the command: the new supervisor is there.',
    EXIT.busy,
  )
}

/** To whoever waits for a supervisor that is in charge no more. */
export function supervisorReplaced(instance: string) {
  return new SuperviseError(
    'SUPERVISOR_REPLACED',
    `Cannot follow this to its end: another supervisor of "${instance}" has taken over`,
    'The workers serve on, and the new supervisor goes on with what was under way. See `supervise status`, and follow it there: `supervise rollout --watch` for a release.',
    EXIT.busy,
  )
}

export function upgradeUnknown(instance: string, version: string) {
  return new SuperviseError(
    'UPGRADE_UNKNOWN',
    `Cannot upgrade "${instance}": its supervisor (version ${version}) does not know how`,
    'End it by its pid with SIGKILL: what starts it again starts the new version, and the workers serve all the while.',
    EXIT.failed,
  )
}

/** For an event: of a stack trace the line that names the error; all of it is in the command's answer. */
export function inOneLine({ message, lines }: SuperviseError): string {
  const text = lines.map((line) => line.trim()).filter((line) => /\w/.test(line))
  const said = text.find((line) => /^\w*(?:Error|Exception)\b/.test(line)) ?? text[0]
  return said === undefined ? message : `${message}: ${said}`
}
