/* oxlint-disable typescript/no-unsafe-type-assertion -- a crash is described from a small part of an app */

import { expect, it } from 'vitest'

import type { App } from '../../src/supervisor/app.ts'
import { CrashDesk } from '../../src/supervisor/crash-desk.ts'
import type { WorkerExit } from '../../src/supervisor/worker-exit.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'
import { KernelKills } from '../../src/telemetry/kernel-kills.ts'
import type { Samples } from '../../src/telemetry/samples.ts'

const app = { name: 'web', outputs: { tailOf: () => [] } } as unknown as App
const config = { cwd: '/srv', script: '/srv/app.js' }
const worker = {
  id: 1,
  pid: 7,
  generation: { group: 'blue', release: { id: 'r1' }, config },
  vitals: null,
  uncaughtStack: null,
  listenProblem: null,
} as unknown as WorkerHandle

function exit(signal: NodeJS.Signals): WorkerExit {
  const rest = { code: null, asked: false, killReason: null, uncaught: false, seen: true }
  return { ...rest, signal, uptimeMs: 1_000, wasReady: true }
}

it.each([
  [1, 'SIGKILL', 'out-of-memory', "was killed by the kernel's out-of-memory killer (SIGKILL)"],
  [0, 'SIGKILL', 'signal', 'was killed by somebody else with SIGKILL'],
  [1, 'SIGHUP', 'signal', 'was ended by SIGHUP, which the supervisor did not send'],
] as const)('CrashDesk.describe() says who it was: %i kernel kills, %s', (kills, signal, reason, words) => {
  let count = 0
  const samples = { of: () => null, kernelKills: new KernelKills(0, () => count) } as unknown as Samples
  const desk = new CrashDesk(samples)
  count += kills
  expect(desk.describe(app, worker, exit(signal), null).record).toMatchObject({ reason, words })
})
