// One run of the command: what was typed beside the command's own words, where it writes, and how it ends.

import { SuperviseError, EXIT, type ExitCode } from '../errors.ts'
import type { Output } from './output.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Invocation {
  readonly output: Output
  readonly environment: Environment
  readonly directory: string
  /** What was typed after `--`; null when there was no `--`. */
  readonly afterDashes: readonly string[] | null
  /** The whole command, to be typed again. */
  readonly typed: string
  /** `--instance`, or SUPERVISE_INSTANCE. */
  readonly instance: () => string | null
  /** What the shell gets to see: of a command that was run, whatever that ended with. */
  exitCode: number
}

/** `Error [CODE] message`, what belongs to it, and what to do now; with `--json` the same as a document on stdout. */
export function reportError(error: unknown, output: Output): ExitCode {
  const known = error instanceof SuperviseError ? error : unexpected(error)
  if (output.json) output.document({ error: known.toJSON() })
  else output.talk(renderError(known, output).join('\n'))
  return known.exitCode
}

export function renderError(error: SuperviseError, { talkPaint: paint }: Pick<Output, 'talkPaint'>): string[] {
  const lines = error.lines.map((line) => `  ${line}`)
  const fix = error.fix === '' ? [] : [`${paint('bold', 'Try:')} ${error.fix}`]
  return [
    `${paint('red', 'Error')} [${error.code}] ${error.message}`,
    ...lines,
    ...(lines.length > 0 ? [''] : []),
    ...fix,
  ]
}

/** A mistake of ours: whoever mends it needs the stack. */
function unexpected(error: unknown): SuperviseError {
  const { stack, message } = error instanceof Error ? error : new Error(String(error))
  const lines = (stack ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
  return new SuperviseError(
    'INTERNAL',
    `Cannot go on: an error in the command itself (${message})`,
    'Please report it, with the lines above.',
    EXIT.failed,
    { lines },
  )
}
