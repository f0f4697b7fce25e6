// A command that goes on until it is interrupted, such as `supervise logs -f`.

import { spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { LAUNCHER, TEST_NODE, type Home } from './home.ts'
import { until } from './until.ts'

export interface Followed {
  readonly stdout: string
  readonly stderr: string
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
  waitFor(pattern: RegExp, deadlineMs?: number): Promise<unknown>
  /** Ctrl-C; resolves with what ended it, which a shell shows as 130 for SIGINT. */
  interrupt(): Promise<number | NodeJS.Signals | null>
}

/** Must be called inside a test: what is left of it at the test's end is killed. */
export function follow(home: Home, args: readonly string[]): Followed {
  const child = spawn(TEST_NODE, [LAUNCHER, ...args], {
    cwd: home.work,
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  return {
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    ended,
    waitFor: (pattern, deadlineMs = 10_000) =>
      until(() => pattern.test(stdout), deadlineMs, `supervise ${args.join(' ')} shows ${pattern}`),
    interrupt() {
      child.kill('SIGINT')
      return ended
    },
  }
}
