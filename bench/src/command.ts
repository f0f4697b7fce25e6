// Runs one command to its end, bounded in time, and says how it went.

import { spawn } from 'node:child_process'

const LIMIT_MS = 90_000

export interface Finished {
  readonly code: number | null
  readonly output: string
  readonly tookMs: number
}

export function runCommand(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const [program, ...args] = command
  const began = performance.now()
  const child = spawn(program, args, {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let tookMs = 0
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => (tookMs = performance.now() - began))
    child.once('close', (code) => resolve({ code, output, tookMs }))
  })
}

/** Throws with the command's own words when it did not go well. */
export async function mustRun(
  command: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  const finished = await runCommand(command, env)
  if (finished.code === 0) return finished
  throw new Error(`Cannot run ${command.join(' ')}: exit code ${finished.code}\n${finished.output.slice(-2_000)}`)
}
