// Running a command of the user to its end, whatever it does: it may hang, print without end, or not exist.

import { spawn, type ChildProcess } from 'node:child_process'
import { formatDuration } from '../config/quantities.ts'

export interface Command {
  /** For `sh -c`. */
  readonly command: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly withinMs: number
  /** What it can read from its stdin. */
  readonly input?: string
  readonly signal?: AbortSignal | undefined
}

export interface CommandEnd {
  /** Why it is no success, in words that follow the command; null when it is one. */
  readonly problem: string | null
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string
}

/** How much of the output is kept. */
export const OUTPUT_BYTES = 64 * 1024

/** A process that the command left behind may have its output open for ever. */
const OUTPUT_GRACE_MS = 500

/** Never rejects. When the time is over or `signal` aborts, the command is killed with all that it started. */
export function runCommand({ command, cwd, env, withinMs, input = '', signal }: Command): Promise<CommandEnd> {
  if (signal?.aborted === true) return Promise.resolve({ problem: ABORTED, output: '' })
  const tail = new Tail(OUTPUT_BYTES)
  return new Promise((resolve) => {
    // A group of its own, so that it can be killed as a whole.
    const child = spawn('sh', ['-c', command], { cwd, env: { ...env }, stdio: 'pipe', detached: true })
    let killedFor: string | null = null
    const killFor = (reason: string): void => {
      killedFor ??= reason
      killGroup(child)
    }
    const onAbort = (): void => killFor(ABORTED)
    const timer = setTimeout(() => killFor(`did not end within ${formatDuration(withinMs)}`), withinMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    const settle = (problem: string | null): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ problem, output: tail.text() })
    }
    child.stdout.on('data', (chunk: Buffer) => tail.add(chunk))
    child.stderr.on('data', (chunk: Buffer) => tail.add(chunk))
    // It need not read what it is given.
    child.stdin.on('error', () => undefined).end(input)
    child.once('error', (error: NodeJS.ErrnoException) => settle(whyNotSpawned(error, cwd)))
    child.once('exit', (code, by) => {
      clearTimeout(timer)
      const problem = killedFor ?? whyItFailed(code, by)
      const grace = setTimeout(() => settle(problem), OUTPUT_GRACE_MS)
      child.once('close', () => {
        clearTimeout(grace)
        settle(problem)
      })
    })
  })
}

const ABORTED = 'was aborted'

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All of it is gone already.
  }
}

function whyNotSpawned(error: NodeJS.ErrnoException, cwd: string): string {
  // Node reports a missing directory as a missing program.
  return error.code === 'ENOENT'
    ? `cannot be run: there is no directory "${cwd}", or no \`sh\``
    : `cannot be run (${error.code ?? error.message})`
}

/** 126 and 127 are the shell's own words for a command that it could not run. */
function whyItFailed(code: number | null, signal: NodeJS.Signals | null): string | null {
  if (code === 0) return null
  if (code === 127) return 'was not found (exit code 127)'
  if (code === 126) return 'may not be executed (exit code 126)'
  return code === null ? `was killed by ${signal}` : `ended with exit code ${code}`
}

/** What fits on a screen, below why it failed. */
const SHOWN_LINES = 20
const SHOWN_CHARACTERS = 500

/** The last lines of an output, for people. */
export function lastLines(output: string): readonly string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines
    .slice(-SHOWN_LINES)
    .map((line) => (line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line))
}

/** The end of a text that may be very long. */
export class Tail {
  #chunks: Buffer[] = []
  #bytes = 0
  #dropped = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    // Not at each chunk: a command that prints single bytes would make it copy all of it again and again.
    if (this.#bytes > this.#limit * 2) this.#cut()
  }

  /** Whole lines, where there are any. */
  text(): string {
    this.#cut()
    const text = Buffer.concat(this.#chunks).toString('utf8')
    if (this.#dropped === 0) return text
    return `[${this.#dropped} bytes before this are left out]\n${text.slice(text.indexOf('\n') + 1)}`
  }

  #cut(): void {
    if (this.#bytes <= this.#limit) return
    const whole = Buffer.concat(this.#chunks)
    this.#dropped += this.#bytes - this.#limit
    // A copy, or the whole chunk would be kept for its end.
    this.#chunks = [Buffer.from(whole.subarray(-this.#limit))]
    this.#bytes = this.#limit
  }
}
