// Errors that a user can meet: instances, their directories, locks and control sockets. One function each: code, message and fix together.

import { dirname } from 'node:path'
import { EXIT, SuperviseError, type ExitCode } from '../errors.ts'

export function invalidInstanceName(name: string) {
  return new SuperviseError(
    'INVALID_INSTANCE_NAME',
    `Cannot use instance name "${name}": it is not made of letters, digits, ".", "_" and "-" (at most 64, a letter or digit first)`,
    'Give another name with --instance.',
    EXIT.usage,
  )
}

export function socketPathTooLong(
  root: string,
  name: string,
  pathBytes: number,
  limitBytes: number,
  roomBytes: number,
) {
  return new SuperviseError(
    'SOCKET_PATH_TOO_LONG',
    `Cannot use runtime directory "${root}" for instance "${name}": a socket in it would have a path of ${pathBytes} bytes, and the system allows ${limitBytes}`,
    roomBytes > 1
      ? `Set SUPERVISE_RUNTIME_DIR to a directory whose path has at most ${roomBytes} bytes, or give a shorter name with --instance.`
      : 'Give a shorter name with --instance.',
    EXIT.usage,
  )
}

/** `why` says what is so: `it belongs to uid 1000`. */
export function unsafeDirectory(path: string, why: string, fix: string) {
  return new SuperviseError(
    'UNSAFE_RUNTIME_DIRECTORY',
    `Cannot use runtime directory "${path}": ${why}`,
    fix,
    EXIT.noPermission,
  )
}

export function directoryNotUsable(path: string, why: string, fix: string, exitCode: ExitCode) {
  return new SuperviseError(
    'RUNTIME_DIRECTORY_UNUSABLE',
    `Cannot use runtime directory "${path}": ${why}`,
    fix,
    exitCode,
  )
}

/** `why` says what is so: `the disk is full`. */
export function logFileUnusable(name: string, file: string, why: string) {
  return new SuperviseError(
    'LOG_FILE_UNUSABLE',
    `Cannot start instance "${name}" in the background: its log "${file}" cannot be opened, since ${why}`,
    'Set XDG_STATE_HOME to a directory that you may write to, or start it in the foreground: leave --detach out.',
    EXIT.noPermission,
  )
}

export function instanceAlreadyRuns(name: string, pid: number | null) {
  const holder = pid === null ? 'another supervisor' : `another supervisor (pid ${pid})`
  return new SuperviseError(
    'INSTANCE_ALREADY_RUNS',
    `Cannot start instance "${name}": ${holder} runs it`,
    `See it with \`supervise status --instance ${name}\`, or start under another name with --instance.`,
    EXIT.busy,
  )
}

/** `owner` keeps its state in the same place, for another runtime directory. */
export function stateIsShared(name: string, state: string, owner: { readonly pid: number; readonly runtime: string }) {
  return new SuperviseError(
    'STATE_IS_SHARED',
    `Cannot start instance "${name}": another supervisor of this name (pid ${owner.pid}, runtime directory "${owner.runtime}") keeps its releases, crashes and events in "${state}"`,
    `The two would write over each other. To reach that one, set SUPERVISE_RUNTIME_DIR=${dirname(owner.runtime)}; to start this one beside it, give another name with --instance, or set another XDG_STATE_HOME.`,
    EXIT.busy,
  )
}

export function noOrphans(name: string, pid: number | null) {
  return new SuperviseError(
    'SUPERVISOR_LIVES',
    `Cannot stop orphans of instance "${name}": it has none, its supervisor${pid === null ? '' : ` (pid ${pid})`} lives`,
    `To end everything that it runs: \`supervise stop --all --instance ${name}\`.`,
    EXIT.busy,
  )
}

export function orphansLeft(name: string, workers: number) {
  return new SuperviseError(
    'ORPHANS_LEFT',
    `Cannot end all orphans of instance "${name}": ${workers === 1 ? '1 process is' : `${workers} processes are`} left`,
    'Only a process that proves to be our worker is ended. Find the rest with `fuser` or `lsof` by who holds the files in the `output` folder of the instance’s runtime directory.',
  )
}

export function lockFailed(name: string, cause: string) {
  return new SuperviseError(
    'LOCK_FAILED',
    `Cannot start instance "${name}": its lock cannot be taken (${cause})`,
    'The lock is an abstract Unix socket: let the sandbox or container that this runs in allow Unix sockets.',
  )
}

export function instanceNotRunning(name: string, root: string) {
  return new SuperviseError(
    'NOT_RUNNING',
    `Cannot reach instance "${name}": no supervisor runs it (looked in ${root})`,
    'Start it with `supervise start`. If it was started by systemd or with another SUPERVISE_RUNTIME_DIR, set the same one here.',
    EXIT.notRunning,
  )
}

export function instanceNotPermitted(name: string, socket: string) {
  return new SuperviseError(
    'NOT_PERMITTED',
    `Cannot reach instance "${name}": this user may not use ${socket}`,
    'Run the command as the user that started the instance, for example with `sudo -u`.',
    EXIT.noPermission,
  )
}

export function supervisorSilent(name: string, waitedMs: number) {
  return new SuperviseError(
    'SUPERVISOR_SILENT',
    `Cannot reach instance "${name}": its supervisor did not answer within ${waitedMs} ms`,
    'The apps go on serving. Look at its process (`ps`, `journalctl`) and try again; whatever was asked may still be carried out.',
    EXIT.timedOut,
  )
}

/** `what` is the request: `reload of "web"`. */
export function connectionLost(what: string, supervisorLives: boolean) {
  return supervisorLives
    ? new SuperviseError(
        'CONNECTION_LOST',
        `Cannot follow ${what}: the connection to the supervisor ended before the result`,
        'The supervisor goes on with what was asked, if it had read it: see `supervise status`.',
        EXIT.timedOut,
      )
    : new SuperviseError(
        'CONNECTION_LOST',
        `Cannot follow ${what}: the supervisor ended before the result`,
        'What was asked may be half done. See `supervise status` once the supervisor runs again, and repeat the command if needed.',
      )
}

/** Of an operation that the next supervisor of the instance goes on with; `look` shows how. */
export function supervisorLost(what: string, look: string) {
  return new SuperviseError(
    'CONNECTION_LOST',
    `Cannot follow ${what}: the supervisor ended before the result`,
    `The workers serve on, and the next supervisor goes on with it where it was: start it again if nothing does, then type \`${look}\`. Repeat the command only if that tells of no such release.`,
  )
}

export function otherSchema(name: string, theirs: string, ours: number) {
  return new SuperviseError(
    'OTHER_SCHEMA',
    `Cannot read the answer of instance "${name}": it speaks schema ${theirs}, this command ${ours}`,
    'Use the `supervise` command of the version that runs the instance.',
  )
}

export function unreadableAnswer(what: string, why: string) {
  return new SuperviseError(
    'UNREADABLE_ANSWER',
    `Cannot understand the answer to ${what}: ${why}`,
    'Use the `supervise` command of the version that runs the instance.',
  )
}

export function badRequest(why: string, fix: string) {
  return new SuperviseError('BAD_REQUEST', `Cannot read the request: ${why}`, fix, EXIT.usage)
}

export function bodyTooLarge(limitBytes: number) {
  return new SuperviseError(
    'BODY_TOO_LARGE',
    `Cannot read the request: its body is larger than ${limitBytes} bytes`,
    'Send a smaller body.',
    EXIT.usage,
  )
}

export function unsupportedContent(type: string) {
  return new SuperviseError(
    'UNSUPPORTED_CONTENT',
    `Cannot read the request: its body is "${type}", not JSON`,
    "Send JSON in UTF-8, uncompressed, with `content-type: application/json` (curl: `-H 'content-type: application/json'`).",
    EXIT.usage,
  )
}

export function unknownRoute(path: string, routes: readonly string[]) {
  return new SuperviseError(
    'UNKNOWN_ROUTE',
    `Cannot answer "${path}": the control API has no such path`,
    'Use one of these:',
    EXIT.usage,
    { lines: routes },
  )
}

export function methodNotAllowed(method: string, path: string, allowed: readonly string[]) {
  return new SuperviseError(
    'METHOD_NOT_ALLOWED',
    `Cannot ${method} "${path}": it takes ${allowed.join(' or ')}`,
    `Send ${allowed.join(' or ')}.`,
    EXIT.usage,
  )
}

export function tooManyStreams(limit: number) {
  return new SuperviseError(
    'TOO_MANY_STREAMS',
    `Cannot open another stream: ${limit} clients already follow this instance`,
    'End some of them, such as a forgotten `supervise logs --follow`.',
    EXIT.busy,
  )
}

export function readTooSlowly(waitingBytes: number) {
  return new SuperviseError(
    'READ_TOO_SLOWLY',
    `Cannot send more: this client left ${waitingBytes} bytes unread`,
    'Ask again, and read without pausing; write to a file first when what reads is slow.',
  )
}

export function internalError(request: string, message: string) {
  return new SuperviseError(
    'INTERNAL',
    `Cannot answer ${request}: an error in the supervisor itself (${message})`,
    "The apps are not affected. Please report it, with the lines of the supervisor's own log.",
  )
}

export function foreignHost(host: string) {
  return new SuperviseError(
    'FOREIGN_HOST',
    `Cannot answer a request for host "${host}": it is neither an address nor a name of this machine`,
    'Ask by address or as localhost, or let the name in with --admin-name.',
    EXIT.noPermission,
  )
}

export function foreignOrigin(origin: string) {
  return new SuperviseError(
    'FOREIGN_ORIGIN',
    `Cannot answer a page of "${origin}": only pages of the admin address itself may ask`,
    'Ask from a program instead of from a page of another site.',
    EXIT.noPermission,
  )
}

export function tokenMissing(method: string, path: string) {
  return new SuperviseError(
    'ADMIN_READ_ONLY',
    `Cannot do ${method} ${path}: the admin address was opened without a token, and changes nothing`,
    'Use the `supervise` command on the machine itself, or start with --admin-token-file.',
    EXIT.noPermission,
  )
}

export function tokenNeeded(method: string, path: string) {
  return new SuperviseError(
    'TOKEN_NEEDED',
    `Cannot do ${method} ${path}: it needs a token`,
    'Send the one of --admin-token-file as `Authorization: Bearer …`.',
    EXIT.noPermission,
  )
}

export function tokenWrong() {
  return new SuperviseError(
    'TOKEN_WRONG',
    'Cannot answer: the token is not the one of the admin address',
    'Send what the file of --admin-token-file says as `Authorization: Bearer …`.',
    EXIT.noPermission,
  )
}

export function adminAddressTaken({ host, port }: { readonly host: string; readonly port: number }, code: string) {
  const why = code === 'EADDRINUSE' ? 'another program listens there' : `the system says ${code}`
  return new SuperviseError(
    'ADMIN_ADDRESS_UNUSABLE',
    `Cannot open the admin address ${host}:${port}: ${why}`,
    'Give another one with --admin.',
  )
}
