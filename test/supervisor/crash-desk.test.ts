/* oxlint-disable typescript/no-unsafe-type-assertion -- a crash is described from a small part of an app */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'

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
  startedAt: 0,
  generation: { group: 'blue', release: { id: 'r1', path: '/srv' }, config },
  vitals: null,
  uncaught: null,
  listenProblem: null,
} as unknown as WorkerHandle

function fail(problem: string): never {
  throw new Error(problem)
}

function exit(signal: NodeJS.Signals): WorkerExit {
  const rest = { code: null, asked: false, killReason: null, uncaught: false, seen: true }
  return { ...rest, signal, uptimeMs: 1_000, wasReady: true }
}

it.each([
  [1, 'SIGKILL', 'out-of-memory', "was killed by the kernel's out-of-memory killer (SIGKILL)"],
  [0, 'SIGKILL', 'signal', 'was killed by somebody else with SIGKILL'],
  [1, 'SIGHUP', 'signal', 'was ended by SIGHUP, which the supervisor did not send'],
] as const)('CrashDesk.take() says who it was: %i kernel kills, %s', (kills, signal, reason, words) => {
  let count = 0
  const samples = { of: () => null, kernelKills: new KernelKills(0, () => count) } as unknown as Samples
  const stateDirectory = mkdtempSync(join(tmpdir(), 'crash-desk-'))
  onTestFinished(() => rmSync(stateDirectory, { recursive: true }))
  const desk = new CrashDesk({ samples, clock: { now: () => 0 } }, stateDirectory, () => [], fail)
  onTestFinished(() => desk.close())
  count += kills
  const { record } = desk.take(app, worker, exit(signal), null)
  expect(record).toMatchObject({ id: 'c1', reason, words })
  expect(desk.crash('c1')).toMatchObject({ crash: record, group: { count: 1, firstId: 'c1' } })
  expect(() => desk.crash('c2')).toThrow('Cannot find crash "c2": there is no record of that id')
})

it('CrashDesk keeps reports within their limits while nothing crashes', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const stateDirectory = mkdtempSync(join(tmpdir(), 'crash-desk-'))
  onTestFinished(() => rmSync(stateDirectory, { recursive: true }))
  const samples = { of: () => null } as unknown as Samples
  const desk = new CrashDesk({ samples, clock: { now: () => 0 } }, stateDirectory, () => [], fail)
  onTestFinished(() => desk.close())
  const { directory } = desk.diagnostics
  for (let n = 10; n < 40; n += 1) writeFileSync(join(directory, `report.20260101.0000${n}.7.0.001.json`), '{}')
  vi.advanceTimersByTime(10 * 60_000)
  expect(readdirSync(directory)).toHaveLength(20)
})
