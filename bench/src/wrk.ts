// Requests a second, by wrk: a load generator that is cheap enough not to be what is measured.

import { mustRun, runCommand } from './command.ts'

const CONNECTIONS = 64

export interface WrkPlan {
  readonly port: number
  readonly seconds: number
  /** One request a connection. */
  readonly close: boolean
}

/** Null when it is not installed. */
export async function wrkVersion(): Promise<string | null> {
  try {
    // It exits with 1 after its usage.
    const { output } = await runCommand(['wrk', '-v'], environment())
    return /^wrk (\S+)/.exec(output)?.[1] ?? null
  } catch {
    return null
  }
}

/** Throws when a request failed: throughput with failures in it is no figure. */
export async function requestsPerSecond({ port, seconds, close }: WrkPlan): Promise<number> {
  const header = close ? (['-H', 'Connection: close'] as const) : []
  const { output } = await mustRun(
    ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...header, `http://127.0.0.1:${port}/`],
    environment(),
  )
  const failures = /Socket errors: .*|Non-2xx.*/.exec(output)?.[0]
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1])
  if (!(rate > 0)) throw new Error(`Cannot read what wrk says:\n${output}`)
  if (failures !== undefined) throw new Error(`Requests failed while wrk measured: ${failures}`)
  return rate
}

function environment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '' }
}
