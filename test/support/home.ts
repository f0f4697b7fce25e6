// The place in which one test's supervisors live: directories of its own for sockets, state and temporary files, and the
// promise that nothing of it is left when the test ends.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { InstanceStatus } from '../../src/control/messages.ts'
import { commandOf, endAll, processesOf, variableOf } from './processes.ts'
import { ROOT } from './releases.ts'
import { until } from './until.ts'

export const LAUNCHER = join(ROOT, 'bin/supervise.js')

const CLI_LIMIT_MS = 60_000

/** What SIGKILL was sent to is gone within this time, however busy the machine; an orphan does not go by itself. */
const DYING_MS = 3_000

/** The Node under test; the tests themselves may run on another. */
export const TEST_NODE = process.env['SUPERVISE_TEST_NODE'] ?? process.execPath
/** Where what is the same on every Node was tested before, on that of the project. */
export const IS_OTHER_NODE = process.env['SUPERVISE_TEST_NODE'] !== undefined

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

export interface ApiAnswer {
  readonly status: number
  readonly text: string
  /** Parsed, when the answer is one JSON document. */
  readonly body: unknown
}

export interface CliOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly node?: string
  readonly input?: string
  /** Run as this user, which must own the home. */
  readonly uid?: number
}

export class Home {
  /** Short, since a Unix socket's path may have 107 bytes. */
  readonly directory = mkdtempSync('/tmp/sv-')
  readonly runtime = join(this.directory, 'run')

  constructor() {
    for (const part of ['run', 'state', 'tmp', 'work']) mkdirSync(join(this.directory, part), { mode: 0o700 })
  }

  /** Where a test may put releases and files of its own. */
  get work(): string {
    return join(this.directory, 'work')
  }

  /** The environment of everything that is started here. Nothing of the tests' own supervisor settings gets in. */
  get env(): Record<string, string> {
    const inherited = Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(SUPERVISE_|VITEST|NODE_OPTIONS|NODE_ENV|npm_|PORT$|RELEASE$)/.test(name)
        ? []
        : [[name, value]],
    )
    return {
      ...Object.fromEntries(inherited),
      SUPERVISE_RUNTIME_DIR: this.runtime,
      XDG_RUNTIME_DIR: this.runtime,
      XDG_STATE_HOME: join(this.directory, 'state'),
      TMPDIR: join(this.directory, 'tmp'),
      NO_COLOR: '1',
    }
  }

  /** Runs the command to its end. */
  cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    const began = performance.now()
    const child = spawn(options.node ?? TEST_NODE, [LAUNCHER, ...args], {
      cwd: options.cwd ?? this.work,
      env: { ...this.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
      timeout: CLI_LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    child.stdin.on('error', () => {}).end(options.input ?? '')
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) =>
        resolve({ code, signal, stdout, stderr, tookMs: Math.round(performance.now() - began) }),
      )
    })
  }

  /** The status of the instance with this name, or of the only one. */
  async status(instance?: string): Promise<InstanceStatus> {
    const which = instance === undefined ? [] : ['--instance', instance]
    const { code, stdout, stderr } = await this.cli(['status', '--json', ...which])
    // 1 is a status too: something is not healthy.
    if (stdout === '') throw new Error(`supervise status: exit code ${code}, ${stderr.trim()}`)
    const status: InstanceStatus = JSON.parse(stdout)
    return status
  }

  /** Directory of the instance with this name, or of the only one. */
  instanceDirectory(instance?: string): string {
    const name = instance ?? readdirSync(this.runtime)[0]
    if (name === undefined) throw new Error(`There is no instance in ${this.runtime}`)
    return join(this.runtime, name)
  }

  /** Asks the control socket itself. */
  api(method: string, path: string, body?: unknown, instance?: string): Promise<ApiAnswer> {
    const socketPath = join(this.instanceDirectory(instance), 'control.sock')
    const headers = { host: 'localhost', 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath, method, path, headers, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, body: parseOrNull(text) }))
      })
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** Every process that was started here and lives. */
  processes(): readonly number[] {
    return processesOf(this.directory)
  }

  /** Workers of any generation, and what they started: the supervisor is asked nothing. */
  workers(): readonly number[] {
    return this.processes().filter((pid) => variableOf(pid, 'NODE_APP_INSTANCE') !== undefined)
  }

  /** Fails when a process that was started here is left, other than one that is ending just now. */
  async mustBeEmpty(butFor?: number): Promise<void> {
    const left = () => this.processes().filter((pid) => pid !== butFor)
    await until(() => left().length === 0, DYING_MS, 'nothing is left').catch((error: unknown) => {
      const named = left().map((pid) => `${pid} (${commandOf(pid)})`)
      if (named.length > 0) throw new Error(`Left after the stop: ${named.join(', ')}`, { cause: error })
    })
  }

  async remove(): Promise<void> {
    // Again, since what is being killed may just have started something.
    // oxlint-disable-next-line no-await-in-loop
    for (let left = this.processes(); left.length > 0; left = this.processes()) await endAll(left)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Must be called inside a test: at the test's end everything of it is ended and removed. */
export function makeHome(): Home {
  const home = new Home()
  onTestFinished(() => home.remove())
  return home
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
