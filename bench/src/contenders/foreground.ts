// A process that stays in the foreground: started, watched until the app answers, and ended by a signal.

import { spawn, type ChildProcess } from 'node:child_process'
import { freePort } from '../../../test/support/free-port.ts'
import { isAlive, sendIfAlive } from '../../../test/support/processes.ts'
import { until } from '../../../test/support/until.ts'
import { firstAnswer } from '../wait.ts'

const START_MS = 60_000
const STOP_MS = 30_000

export interface Foreground {
  readonly pid: number
  readonly port: number
  readonly firstAnswerMs: number
  /** SIGTERM, and SIGKILL when that does not help. */
  stop(): Promise<void>
}

export async function startForeground(
  command: readonly [string, ...string[]],
  environmentAt: (port: number) => Readonly<Record<string, string>>,
  /** Where it will answer, when that is not for its environment to say. */
  given?: number,
): Promise<Foreground> {
  const port = given ?? (await freePort())
  const [program, ...args] = command
  const began = performance.now()
  const child = spawn(program, args, { env: { ...environmentAt(port) }, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = collectOutput(child)
  const gaveUp = () => (child.exitCode === null && child.signalCode === null ? null : `it ended.\n${said()}`)
  const { pid } = child
  if (pid === undefined) throw new Error(`Cannot start ${command.join(' ')}`)
  try {
    const answered = await firstAnswer(port, START_MS, gaveUp)
    return { pid, port, firstAnswerMs: answered - began, stop: () => endProcess(pid) }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

export async function endProcess(pid: number): Promise<void> {
  sendIfAlive(pid, 'SIGTERM')
  try {
    await until(() => !isAlive(pid), STOP_MS, `process ${pid} ends`)
  } catch (error) {
    sendIfAlive(pid, 'SIGKILL')
    throw error
  }
}

/** The last of what it wrote, to be told when it fails. */
function collectOutput(child: ChildProcess): () => string {
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000))
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => output
}
