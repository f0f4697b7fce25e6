// Errors that a user can meet: what cannot be understood of a command line. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

/** `what` begins with a verb: `understand "relaod": there is no such command`. */
export function wrongUsage(what: string, fix: string) {
  return new SuperviseError('WRONG_USAGE', `Cannot ${what}`, fix, EXIT.usage)
}

export function detachedFirstProcess() {
  return wrongUsage(
    'detach as the first process: the container would end with this command, and all that it has started',
    'Leave --detach out: in a container it runs in the foreground.',
  )
}

export function nothingRuns(root: string) {
  return new SuperviseError(
    'NOT_RUNNING',
    `Cannot find a supervisor: none of this user runs (looked in ${root})`,
    'Start one with `supervise start app.js`, or with `supervise start --detach` to get the terminal back.',
    EXIT.notRunning,
  )
}

/** Supervisors that died; their workers serve on. `commands` start them again. */
export function onlyDeadRun(instances: readonly string[], lines: readonly string[], commands: readonly string[]) {
  return new SuperviseError(
    'NOT_RUNNING',
    `Cannot reach instance ${instances.map((name) => `"${name}"`).join(', ')}: its supervisor is dead, and its workers still serve`,
    `Start it again, which takes the workers over: ${commands.map((command) => `\`${command}\``).join(', ')}. To end them instead: \`supervise stop --orphans\`.`,
    EXIT.notRunning,
    { lines },
  )
}

/** A dead supervisor of another instance left the same app, which serves; `again` takes it over. */
export function leftByDead(app: string, instance: string, left: string, again: string) {
  return new SuperviseError(
    'APP_LEFT_BY_DEAD',
    `Cannot start "${app}" in instance "${instance}": its workers of instance "${left}" still serve, whose supervisor is dead`,
    `Take them over: \`${again}\`. Or end them: \`supervise stop --orphans --instance ${left}\`. For a second copy beside them, name the instance: \`--instance ${instance}\`.`,
    EXIT.busy,
  )
}

/** Of a unit, whose manager starts it. */
export function leftByUnit(app: string, instance: string, again: string) {
  return new SuperviseError(
    'LEFT_BY_UNIT',
    `Cannot start "${app}" of instance "${instance}" again: it belongs to a unit of systemd, whose supervisor is dead`,
    `Type \`${again}\`: the unit starts a supervisor, which takes the workers over.`,
  )
}

export function severalInstances(names: readonly string[]) {
  return new SuperviseError(
    'AMBIGUOUS_INSTANCE',
    `Cannot choose an instance: ${names.length} run`,
    'Name one with --instance.',
    EXIT.usage,
    { lines: names },
  )
}

/** `lines` name what there is, as `web  (instance default)`. */
export function severalApps(lines: readonly string[], example: string) {
  return new SuperviseError(
    'AMBIGUOUS_APP',
    `Cannot choose an app: ${lines.length} run`,
    `Name one, such as \`${example}\`.`,
    EXIT.usage,
    { lines },
  )
}

export function appInSeveralInstances(app: string, instances: readonly string[]) {
  return new SuperviseError(
    'AMBIGUOUS_INSTANCE',
    `Cannot choose an instance: ${instances.length} have an app "${app}"`,
    'Name one with --instance.',
    EXIT.usage,
    { lines: instances },
  )
}

export function appNotFound(app: string, apps: readonly string[], meant: string | null) {
  const known = apps.length === 0 ? 'no app runs' : `there is ${apps.map((name) => `"${name}"`).join(', ')}`
  return new SuperviseError(
    'UNKNOWN_APP',
    `Cannot find app "${app}": ${known}`,
    meant === null ? 'See `supervise status`.' : `Did you mean "${meant}"?`,
    EXIT.unknownTarget,
  )
}

export function noApps(instance: string) {
  return new SuperviseError(
    'NO_APP',
    `Cannot choose an app: instance "${instance}" has none`,
    'Start one with `supervise start app.js --detach`.',
    EXIT.unknownTarget,
  )
}

export function workerNotFound(app: string, worker: number, workers: readonly number[]) {
  return new SuperviseError(
    'UNKNOWN_WORKER',
    `Cannot find worker ${worker} of "${app}": ${workers.length === 0 ? 'it has none' : `it has ${workers.join(', ')}`}`,
    'See `supervise status`.',
    EXIT.unknownTarget,
  )
}

export function appAlreadyRuns(app: string, instance: string, state: string) {
  return new SuperviseError(
    'APP_ALREADY_RUNS',
    `Cannot start "${app}": it is ${state} already in instance "${instance}"`,
    `New code: \`supervise reload ${app}\`. A second copy: \`--name\`, or \`--instance\` for a supervisor of its own.`,
    EXIT.busy,
  )
}

/** The person let go of an operation; it goes on. `look` shows how. */
export function detached(what: string, look: string, timedOut: boolean) {
  return new SuperviseError(
    timedOut ? 'TIMED_OUT' : 'INTERRUPTED',
    `${what} goes on in the supervisor; see \`${look}\``,
    '',
    timedOut ? EXIT.timedOut : EXIT.interrupted,
  )
}

export function detachedStartFailed(instance: string, why: string, logFile: string, lines: readonly string[]) {
  return new SuperviseError(
    'DETACHED_START_FAILED',
    `Cannot start instance "${instance}" in the background: ${why}`,
    `Read ${logFile}, or start it in the foreground to see more: leave --detach out.`,
    EXIT.failed,
    { lines },
  )
}

/** A command that was given to be run. */
export function commandNotRun(command: string, why: string) {
  return new SuperviseError(
    'COMMAND_NOT_RUN',
    `Cannot run "${command}": ${why}`,
    'Name a program and its arguments; for pipes and variables, `sh -c "…"`.',
  )
}

export function adminTokenUnusable(file: string, why: string) {
  return new SuperviseError(
    'ADMIN_TOKEN_UNUSABLE',
    `Cannot take the admin token from "${file}": ${why}`,
    'Write one into it that only its owner can read: `(umask 077; openssl rand -hex 32 > token)`.',
    EXIT.usage,
  )
}

export function adminNeedsStart(instance: string) {
  return new SuperviseError(
    'ADMIN_NEEDS_START',
    `Cannot open an admin address in instance "${instance}": it runs already, and has what it was started with`,
    'Stop it with `supervise stop --all` and start it with --admin, or leave the option out.',
    EXIT.usage,
  )
}

export function stopTimingNeedsStart(instance: string) {
  return new SuperviseError(
    'STOP_TIMING_NEEDS_START',
    `Cannot change the stop delay or budget of instance "${instance}": it runs already, and has what it was started with`,
    'Stop it with `supervise stop --all` and start it with them, or leave the options out.',
    EXIT.usage,
  )
}

export function noTerminal() {
  return new SuperviseError(
    'NO_TERMINAL',
    'Cannot show the live view: input or output is no terminal',
    'Use `supervise status --json` and `supervise events -f --json` for programs.',
    EXIT.usage,
  )
}
