// The exact load client of the end-to-end tests, as a process of its own: it names what became of every request.

import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { LoadRequest } from '../../test/support/load/options.ts'
import type { Report } from '../../test/support/load/recorder.ts'
import { until } from '../../test/support/until.ts'
import type { Switch, Verdict } from './answer-judge.ts'

const CLIENT = fileURLToPath(new URL('../../test/support/load/client.ts', import.meta.url))
const SWITCH_CLIENT = fileURLToPath(new URL('switch-client.ts', import.meta.url))

type Environment = Readonly<Record<string, string>>

type Line<Told> =
  | { readonly type: 'progress'; readonly ok: number; readonly failed: number }
  | ({ readonly type: 'report' } & Told)

export interface Load<Told = Report> {
  /** Waits for so many answers in all. */
  answered(count: number): Promise<void>
  /** Nothing new is sent, what is under way is waited for, and then it reports. */
  stop(): Promise<Told>
  kill(): void
}

export interface JudgedReport extends Report {
  readonly verdict: Verdict
}

/** Load that knows which of two releases may answer. */
export interface SwitchLoad extends Load<JudgedReport> {
  switched(told: Switch): void
}

/** In an environment by which it can be told from all others, should it be left over. */
export function startLoad(request: LoadRequest, env: Environment): Load {
  return follow<Report>(spawnClient([CLIENT, JSON.stringify({ ...request, progress: true })], env))
}

export function startSwitchLoad(request: LoadRequest, first: string, env: Environment): SwitchLoad {
  const child = spawnClient([SWITCH_CLIENT, JSON.stringify(request), first], env)
  return {
    ...follow<JudgedReport>(child),
    switched: (told) => void child.stdin.write(`${JSON.stringify(told)}\n`),
  }
}

type Client = ChildProcessByStdio<Writable, Readable, null>

function spawnClient(args: readonly string[], env: Environment): Client {
  return spawn(process.execPath, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
}

function follow<Told extends Report>(child: Client): Load<Told> {
  let ok = 0
  const report = new Promise<Told>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => reject(new Error(`The load client ended early: ${signal ?? code}`)))
    createInterface(child.stdout).on('line', (text) => {
      const line: Line<Told> = JSON.parse(text)
      if (line.type === 'report') resolve(line)
      else ok = line.ok
    })
  })
  // When a measure fails elsewhere nobody awaits it.
  report.catch(() => {})
  child.stdin.on('error', () => {})
  return {
    answered: async (count) => void (await until(() => ok >= count, 20_000, `${count} answers`)),
    async stop() {
      child.kill('SIGTERM')
      const told = await report
      // What was measured after its end was measured without load.
      if (told.endedBy !== 'signal') throw new Error(`The load ended by itself (${told.endedBy}) before it was told to`)
      return told
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Failed requests by kind, as `12 reset, 3 refused`. */
export function failureWords({ failures }: Report): string {
  const met = Object.entries(failures).filter(([, count]) => count > 0)
  return met.map(([kind, count]) => `${count} ${kind}`).join(', ')
}
