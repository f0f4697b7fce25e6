// What an error is that a user can meet: a code for programs, a message and a fix for people, an exit code for the shell.
// The errors themselves are in errors/, one function each. The message says "Cannot do X: what is so", the offending value
// quoted, no full stop; the fix says what a person can do now.

/** @see exitCode of `SuperviseError`, and docs/reference/exit-codes.md */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  unknownTarget: 4,
  rolloutFailed: 5,
  degraded: 6,
  timedOut: 7,
  busy: 8,
  noPermission: 77,
  invalidConfig: 78,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface ErrorDetail {
  /** Lines that belong below the message, such as the last lines of a worker's stderr or one line per broken option. */
  readonly lines?: readonly string[]
}

/** An error with a code for programs, a message and a fix for people, and an exit code for the shell. */
export class SuperviseError extends Error {
  readonly code: string
  readonly fix: string
  readonly exitCode: ExitCode
  readonly lines: readonly string[]

  constructor(code: string, message: string, fix: string, exitCode: ExitCode = EXIT.failed, detail: ErrorDetail = {}) {
    super(message)
    this.name = 'SuperviseError'
    this.code = code
    this.fix = fix
    this.exitCode = exitCode
    this.lines = detail.lines ?? []
  }

  /** What travels over the control socket. */
  toJSON(): ErrorBody {
    return { code: this.code, message: this.message, fix: this.fix, exitCode: this.exitCode, lines: this.lines }
  }
}

export interface ErrorBody {
  readonly code: string
  readonly message: string
  readonly fix: string
  readonly exitCode: ExitCode
  readonly lines: readonly string[]
}

/** The error again, at the other end of the control socket. */
export function fromErrorBody(body: ErrorBody): SuperviseError {
  return new SuperviseError(body.code, body.message, body.fix, body.exitCode, { lines: body.lines })
}

/** What is worth telling of anything that was thrown: our own errors say it all, others show where they came from. */
export function textOf(error: unknown): string {
  if (error instanceof SuperviseError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
