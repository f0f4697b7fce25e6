// Errors that a user can meet about logs. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

/** `lines` name each file and why. */
export function logsNotReopened(lines: readonly string[]) {
  return new SuperviseError(
    'LOGS_NOT_REOPENED',
    `Cannot reopen ${lines.length === 1 ? 'a log file' : `${lines.length} log files`}: the old one is written on`,
    'Correct what is wrong with the path, then run `supervise logs --reopen` again.',
    EXIT.failed,
    { lines },
  )
}

export function noLogFiles(app: string | null) {
  return new SuperviseError(
    'NO_LOG_FILES',
    `Cannot reopen log files: ${app === null ? 'no app' : `app "${app}"`} has one`,
    'Write `log: { file: "logs/{app}.log" }` into the config, then reload.',
    EXIT.unknownTarget,
  )
}

export function unknownTime(text: string) {
  return new SuperviseError(
    'UNKNOWN_TIME',
    `Cannot show what came since "${text}": it is neither a duration nor a time`,
    'Write a duration such as 10m or 1h30m, or a time such as 2026-11-26T21:30 (local) or 2026-11-26T20:30:00Z.',
    EXIT.usage,
  )
}

export function unknownEventType(type: string, known: readonly string[], meant: string | null) {
  return new SuperviseError(
    'UNKNOWN_EVENT_TYPE',
    `Cannot show events of type "${type}": there is no such type`,
    meant === null
      ? `There is ${known.join(', ')}.`
      : `Did you mean "${meant}"? \`supervise events --help\` lists them all.`,
    EXIT.usage,
  )
}

export function unusablePattern(text: string, why: string) {
  return new SuperviseError(
    'UNUSABLE_PATTERN',
    `Cannot search for ${JSON.stringify(text)}: ${why}`,
    'Write a regular expression of JavaScript; a backslash before a sign takes it as it is, such as \\( or \\[.',
    EXIT.usage,
  )
}

export function noCrash(app: string, worker: number | null) {
  return new SuperviseError(
    'NO_CRASH',
    `Cannot show what a crashed worker wrote: ${worker === null ? 'none' : `worker ${worker}`} of "${app}" has crashed since the supervisor began`,
    `See what the workers write now with \`supervise logs ${app}\`.`,
    EXIT.unknownTarget,
  )
}
