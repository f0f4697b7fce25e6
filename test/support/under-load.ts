// A supervisor whose app is under load before the test begins.

import { freePort } from './free-port.ts'
import { startSupervise, type Supervise, type SuperviseOptions } from './harness.ts'
import { mixedLanes, startLoad, type Load } from './load.ts'
import type { LaneRequest, Target } from './load/options.ts'

export interface UnderLoad {
  readonly supervise: Supervise
  readonly load: Load
  readonly target: Target
}

export interface LoadChoice extends SuperviseOptions {
  readonly port?: number
  /** Default: the whole mix without WebSockets. */
  readonly lanes?: readonly LaneRequest[]
  /** Default: a fifth or so of what two cores can do, so that what is measured is the product and not the machine. */
  readonly ratePerSecond?: number
}

/** Times that suit a test: a drain does not wait half a minute for a WebSocket. */
export const QUICK = [
  '--min-ready',
  '200ms',
  '--drain-timeout',
  '3s',
  '--drain-spread',
  '0',
  '--backoff-first',
  '100ms',
]

export async function startUnderLoad(
  script: string,
  args: readonly string[],
  choice: LoadChoice = {},
): Promise<UnderLoad> {
  const { port = await freePort(), lanes = mixedLanes({ webSockets: 0 }), ratePerSecond = 1_200, ...options } = choice
  const supervise = await startSupervise([script, '--port', String(port), ...QUICK, ...args], options)
  const target = { host: '127.0.0.1', port }
  const load = startLoad({ target, lanes, ratePerSecond, durationMs: 120_000 })
  await load.answers(200)
  return { supervise, load, target }
}
