// Small programs that fail in one way each, run for real: their stderr is what the telemetry has to understand.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface Failed {
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: readonly string[]
  readonly directory: string
  /** Absolute path of the main module. */
  readonly script: string
}

/** The first file is the main module. */
export type Files = Readonly<Record<string, string>>

export async function runApp(files: Files, nodeArgs: readonly string[] = [], node = process.execPath): Promise<Failed> {
  const directory = mkdtempSync(join(tmpdir(), 'failing-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  const script = join(directory, Object.keys(files)[0] ?? '')
  const child = spawn(node, [...nodeArgs, script], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (...ending) => resolve(ending))
  })
  rmSync(directory, { recursive: true })
  return { code, signal, stderr: said.split('\n').slice(-64), directory, script }
}

/** The Node that runs the tests, and those that TEST_NODES names, separated by colons. */
export const NODES = [process.execPath, ...(process.env.TEST_NODES ?? '').split(':').filter((path) => path !== '')]
