// This process becomes the supervisor, and stays it until nothing is left to run.

import type { RunOptions } from '../control/run.ts'
import type { ExitCode } from '../errors.ts'
import { reportError, type Invocation } from './invocation.ts'

const LEFTOVERS_MS = 1000

export interface BecomeOptions extends RunOptions {
  /** Told of what kept it from starting, before the process ends by it. */
  readonly onFailure?: (error: unknown) => void
}

export async function becomeSupervisor(options: BecomeOptions, { output }: Invocation): Promise<ExitCode> {
  const { runInstance } = await import('../control/run.ts')
  try {
    const exitCode = await runInstance(options)
    // Nothing should be left that keeps the process; if something is, a unit that has stopped must not wait for it.
    setTimeout(() => process.exit(exitCode), LEFTOVERS_MS).unref()
    return exitCode
  } catch (error) {
    options.onFailure?.(error)
    // What a half-made supervisor holds open would keep the process from ending by itself.
    process.exit(reportError(error, output))
  }
}
