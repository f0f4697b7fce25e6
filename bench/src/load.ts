// The exact load client of the end-to-end tests, as a process of its own: it names what became of every request.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadRequest } from '../../test/support/load/options.ts'
import type { Report } from '../../test/support/load/recorder.ts'
import { until } from '../../test/support/until.ts'

const CLIENT = fileURLToPath(new URL('../../test/support/load/client.ts', import.meta.url))

type Line =
  | { readonly type: 'progress'; readonly ok: number; readonly failed: number }
  | ({ readonly type: 'report' } & Report)

export interface Load {
  /** Waits for so many answers in all. */
  answered(count: number): Promise<void>
  /** Nothing new is sent, what is under way is waited for, and then it reports. */
  stop(): Promise<Report>
  kill(): void
}

/** In an environment by which it can be told from all others, should it be left over. */
export function startLoad(request: LoadRequest, env: Readonly<Record<string, string>>): Load {
  const child = spawn(process.execPath, [CLIENT, JSON.stringify({ ...request, progress: true })], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let ok = 0
  const report = new Promise<Report>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => reject(new Error(`The load client ended early: ${signal ?? code}`)))
    createInterface(child.stdout).on('line', (text) => {
      const line: Line = JSON.parse(text)
      if (line.type === 'report') resolve(line)
      else ok = line.ok
    })
  })
  // When a measure fails elsewhere nobody awaits it.
  report.catch(() => {})
  return {
    answered: async (count) => void (await until(() => ok >= count, 20_000, `${count} answers`)),
    stop() {
      child.kill('SIGTERM')
      return report
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Failed requests by kind, as `12 reset, 3 refused`. */
export function failureWords({ failures }: Report): string {
  const met = Object.entries(failures).filter(([, count]) => count > 0)
  return met.map(([kind, count]) => `${count} ${kind}`).join(', ')
}
