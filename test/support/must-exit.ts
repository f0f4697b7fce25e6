// A command's exit code, with what the command said when it is another one.

import { expect } from 'vitest'
import type { CliResult } from './home.ts'

export function mustExit(result: CliResult, code: number): void {
  const { stdout, stderr, signal, tookMs } = result
  const said = `after ${tookMs} ms${signal === null ? '' : ` by ${signal}`}:\n${stdout.slice(-2_000)}\n${stderr.slice(-2_000)}`
  expect(result.code, said).toBe(code)
}
