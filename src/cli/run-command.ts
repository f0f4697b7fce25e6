// Runs a command of the user's in this terminal, as a shell would, and ends as it did.

import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { commandNotRun } from '../errors/cli.ts'
import { reportError, type Environment } from './invocation.ts'
import type { Output } from './output.ts'

export interface CommandToRun {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: Environment
  readonly output: Output
}

/** As in a shell: a program that cannot be run, one that is not there, and one that a signal ended. */
const NOT_RUNNABLE = 126
const NOT_FOUND = 127
const BY_SIGNAL = 128

const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const

/** Its exit code. */
export function runCommand({ program, args, environment, output }: CommandToRun): Promise<number> {
  const child = spawn(program, [...args], { stdio: 'inherit', env: environment })
  const giveBack = leaveSignalsTo(child)
  return new Promise<number>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const isAbsent = error.code === 'ENOENT'
      const why = isAbsent ? 'there is no such program' : `it cannot be started (${error.code ?? error.message})`
      reportError(commandNotRun(program, why), output)
      resolve(isAbsent ? NOT_FOUND : NOT_RUNNABLE)
    })
    child.once('exit', (code, signal) => resolve(code ?? BY_SIGNAL + (signal === null ? 0 : constants.signals[signal])))
  }).finally(giveBack)
}

function ignore(): void {}

/** Ctrl-C reaches the command by itself, and whether it ends by it is its own affair. */
function leaveSignalsTo(child: ChildProcess): () => void {
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal)
  process.on('SIGINT', ignore)
  for (const signal of PASSED_ON) process.on(signal, passOn)
  return () => {
    process.removeListener('SIGINT', ignore)
    for (const signal of PASSED_ON) process.removeListener(signal, passOn)
  }
}
