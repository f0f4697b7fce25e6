// Requests a second, by wrk: a load generator that is cheap enough not to be what is measured.

import { mustRun, runCommand } from './command.ts'

const CONNECTIONS = 64

export interface WrkPlan {
  readonly port: number
  readonly seconds: number
  /** One request a connection. */
  readonly close: boolean
  /** One further header, such as `x-a: b`. */
  readonly header?: string
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
export async function requestsPerSecond({ port, seconds, close, header }: WrkPlan): Promise<number> {
  const headers = [close ? 'Connection: close' : null, header ?? null].flatMap((line) =>
    line === null ? [] : ['-H', line],
  )
  const { output } = await mustRun(
    ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...headers, `http://127.0.0.1:${port}/`],
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
