// What a container engine does for its first process, without an engine: a pid namespace, a file system of its own, another user.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import type { Exit } from './harness.ts'
import type { Home } from './home.ts'
import { childrenOf, commandOf, sendIfAlive } from './processes.ts'
import { until } from './until.ts'

/** Why there can be none here; null when there can. */
export function whyNoContainer(): string | null {
  if (process.getuid?.() !== 0) return 'only root may make namespaces'
  return spawnSync('unshare', ['--fork', '--pid', '--mount', 'true']).status === 0
    ? null
    : 'there is no unshare, or it may not'
}

export interface ContainerOptions {
  /** Shell words that run in it first, as root, such as mounts. */
  readonly prepare?: string
  /** Nobody whose name is known, and without a home. */
  readonly uid?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

const AS_USER = (uid: number) =>
  `setpriv --reuid ${uid} --regid ${uid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all`

export class Container {
  readonly home: Home
  readonly #child: ChildProcess
  #output = ''
  #exit: Exit | null = null

  /** Call it inside a test: what is left of it at the test's end is killed. */
  constructor(home: Home, words: readonly string[], options: ContainerOptions = {}) {
    this.home = home
    const { prepare = ':', uid, env = home.env, cwd = home.work } = options
    const script = `set -e\nmount --make-rprivate /\n${prepare}\nexec ${uid === undefined ? '' : AS_USER(uid)} "$@"`
    const isolation = ['--fork', '--kill-child', '--pid', '--mount', '--mount-proc', 'bash', '-c', script, 'container']
    this.#child = spawn('unshare', [...isolation, ...words], {
      cwd,
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()))
    this.#child.once('exit', (code, signal) => (this.#exit = { code, signal }))
    onTestFinished(() => void this.#child.kill('SIGKILL'))
  }

  /** The first process, as the outside numbers it. */
  get init(): number {
    return childrenOf(this.#child.pid ?? 0)[0] ?? 0
  }

  get output(): string {
    return this.#output
  }

  /** The child of the first process that is a supervisor. */
  get supervisor(): number {
    return childrenOf(this.init).find((pid) => commandOf(pid).includes('supervise')) ?? 0
  }

  /** Runs words in it to their end. */
  exec(...words: readonly string[]): string {
    return spawnSync('nsenter', ['-t', String(this.init), '-p', '-m', ...words], { encoding: 'utf8' }).stdout
  }

  signal(signal: NodeJS.Signals): void {
    sendIfAlive(this.init, signal)
  }

  async says(pattern: RegExp): Promise<void> {
    await until(() => pattern.test(this.#output), 15_000, `${pattern} in ${this.#output}`)
  }

  /** As an engine tells it: the signal that ended it is 128 and its number. `unshare` does so for its child. */
  ended(deadlineMs = 30_000): Promise<Exit> {
    return until(() => this.#exit, deadlineMs, 'the container ends')
  }
}
