// Errors that a user can meet: what cannot be done to an app or a worker. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

export function appIsBusy(app: string, wish: string, because: string) {
  return new SuperviseError(
    'APP_BUSY',
    `Cannot ${wish} "${app}": a ${because} is under way`,
    'See `supervise status`, and try again when it has ended.',
    EXIT.busy,
  )
}

/** It waited, and is not begun any more. */
export function operationOvertaken(app: string, wish: string, because: string) {
  return new SuperviseError(
    'OPERATION_OVERTAKEN',
    `Cannot ${wish} "${app}": a ${because} that was asked for later takes its place`,
    'Nothing was begun. See `supervise status`.',
    EXIT.busy,
  )
}

export function unknownApp(name: string, known: readonly string[], suggestion: string | null) {
  return new SuperviseError(
    'APP_UNKNOWN',
    `Cannot find the app "${name}": ${known.length === 0 ? 'this instance runs none' : `there is ${known.join(', ')}`}`,
    suggestion === null ? 'See `supervise status` for the names.' : `Did you mean "${suggestion}"?`,
    EXIT.unknownTarget,
  )
}

export function unknownWorker(app: string, worker: number, known: readonly number[]) {
  return new SuperviseError(
    'WORKER_UNKNOWN',
    `Cannot find worker "${worker}" of "${app}": ${known.length === 0 ? 'it has none' : `there is ${known.join(', ')}`}`,
    `See \`supervise describe ${app}\` for its workers.`,
    EXIT.unknownTarget,
  )
}

/** It was never there, or had to make room. */
export function unknownCrash(id: string) {
  return new SuperviseError(
    'CRASH_UNKNOWN',
    `Cannot find crash "${id}": there is no record of that id`,
    'See `supervise crashes` for the ids; older records make room for later ones.',
    EXIT.unknownTarget,
  )
}

export function appNamedTwice(name: string) {
  return new SuperviseError(
    'APP_NAMED_TWICE',
    `Cannot start "${name}": two of the apps to start have this name`,
    'Give each app a name of its own, with `--name` or as `name` in its config.',
    EXIT.usage,
  )
}

export function appExists(name: string) {
  return new SuperviseError(
    'APP_EXISTS',
    `Cannot start "${name}": an app of this name runs already`,
    `Take another name with \`--name\`, or replace its code with \`supervise reload ${name}\`.`,
    EXIT.busy,
  )
}

export function appNotStopped(name: string, state: string) {
  return new SuperviseError(
    'APP_NOT_STOPPED',
    `Cannot start "${name}": it is ${state}`,
    `\`supervise reload ${name}\` runs its code anew.`,
  )
}

export function appIsStopped(name: string, wish: string) {
  return new SuperviseError(
    'APP_STOPPED',
    `Cannot ${wish} "${name}": it is stopped`,
    `Start it with \`supervise start ${name}\`.`,
  )
}

export function invalidScale(text: string) {
  return new SuperviseError(
    'SCALE_INVALID',
    `Cannot scale to "${text}": that is no number of workers`,
    'Give a number from 1 to 1000, `+1`, `-2` or `max`.',
    EXIT.usage,
  )
}

export function scaleOutOfRange(app: string, text: string, result: number) {
  return new SuperviseError(
    'SCALE_OUT_OF_RANGE',
    `Cannot scale "${app}" by "${text}": that makes ${result} workers, and 1 to 1000 are possible`,
    result < 1 ? `To end it, type \`supervise stop ${app}\`.` : 'Give a smaller number.',
    EXIT.usage,
  )
}

export function cannotRunTwice(app: string, ports: readonly number[]) {
  const [port] = ports
  const opened = ports.length === 1 ? `port ${port}` : `ports ${ports.join(', ')}`
  return new SuperviseError(
    'OPENS_ITS_PORT',
    `Cannot scale "${app}": it opens ${opened} by itself, and two processes cannot have the same`,
    `Let it take its socket from supervise (\`--listen ${port}\`, option listen): then any number can run. One that shares its port (SO_REUSEPORT) is started with several at once, by \`--workers\`.`,
  )
}

export function unknownSignal(text: string) {
  return new SuperviseError(
    'SIGNAL_UNKNOWN',
    `Cannot send "${text}": there is no such signal here`,
    'Give a name such as SIGUSR2, HUP or TERM; `kill -l` lists them.',
    EXIT.usage,
  )
}

export function startFailed(app: string, why: string, advice: string | null, lines: readonly string[]) {
  return new SuperviseError(
    'START_FAILED',
    `Cannot start "${app}": ${why}`,
    advice ?? `Correct the cause, then start it again.`,
    EXIT.failed,
    { lines },
  )
}

/** What nobody outside may have noticed, and what everybody has. */
export function whatServes(serving: number, wanted: number): string {
  return serving === 0 ? 'No worker serves.' : `The old code still serves with ${serving} of ${wanted} workers.`
}

export function reloadRefused(
  app: string,
  why: string,
  serving: number,
  wanted: number,
  advice: string | null,
  lines: readonly string[],
) {
  return new SuperviseError(
    'RELOAD_REFUSED',
    `Cannot reload "${app}": ${why}`,
    `${whatServes(serving, wanted)} ${advice ?? `Read \`supervise logs ${app}\`, correct the cause, then reload again.`}`,
    serving === 0 ? EXIT.degraded : EXIT.rolloutFailed,
    { lines },
  )
}

export function reloadMixed(app: string, why: string, lines: readonly string[]) {
  return new SuperviseError(
    'RELOAD_MIXED',
    `Cannot finish the reload of "${app}": ${why}`,
    `Some workers run the new code and some the old, which is no longer there to go back to. Correct the cause, then \`supervise reload ${app}\`.`,
    EXIT.degraded,
    { lines },
  )
}

export function operationAborted(app: string, kind: string) {
  return new SuperviseError(
    'OPERATION_ABORTED',
    `Cannot finish the ${kind} of "${app}": it was stopped meanwhile`,
    'See `supervise events` for who stopped it.',
  )
}

export function instanceIsEnding(instance: string) {
  return new SuperviseError(
    'INSTANCE_ENDING',
    `Cannot do that: the instance "${instance}" is ending`,
    'Wait until it has ended, then start it again.',
    EXIT.busy,
  )
}

export function appRenamed(name: string, inConfig: string) {
  return new SuperviseError(
    'APP_RENAMED',
    `Cannot read the configuration of "${name}" again: it calls the app "${inConfig}" now`,
    `Name it "${name}" again, or delete the app and start it under its new name.`,
    EXIT.invalidConfig,
  )
}
