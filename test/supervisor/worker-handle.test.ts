import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { DRAIN_REPORT_GRACE_MS } from '../../src/core/worker-lifecycle.ts'
import { isCrash, type WorkerExit } from '../../src/supervisor/worker-exit.ts'
import { WorkerHandle, type WorkerOwner } from '../../src/supervisor/worker-handle.ts'

const POLICY = {
  ready: { by: 'listen' },
  readyTimeoutMs: 10_000,
  drainTimeoutMs: 1000,
  killTimeoutMs: 1000,
  stopSignal: 'SIGTERM',
  treeKill: false,
}

const HOUR_MS = 3_600_000

const generation = {
  number: 1,
  group: 'blue' as const,
  release: { id: 'r1', path: '/app', version: null },
  // The rest of a configuration is nothing to a process.
  config: POLICY as never,
  given: { script: '/app/app.js', cwd: '/app' },
  isPinned: false,
  own: {},
}

const nothing = (): void => {}

/** The exit of a process that an earlier supervisor has forked. */
async function exitOfAdopted(wasReady: boolean): Promise<WorkerExit> {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  const exited = Promise.withResolvers<WorkerExit>()
  const owner: WorkerOwner = {
    clock: { now: () => performance.now(), wakeAt: () => nothing },
    lend: nothing,
    withdraw: nothing,
    shelve: nothing,
    moved: nothing,
    beat: nothing,
    settle: (_worker, done) => done(),
    exited: (_worker, exit) => exited.resolve(exit),
    lingers: nothing,
  }
  const origin = { child: null, pid: child.pid ?? 0, ageMs: HOUR_MS, wasReady }
  const worker = new WorkerHandle({ id: 1, incarnation: 'a', generation }, owner, origin)
  expect(worker.isUp).toBe(wasReady)
  child.kill('SIGKILL')
  return exited.promise
}

it('that was adopted was ready if the supervisor before found it so: its crash is none of its start', async () => {
  const exit = await exitOfAdopted(true)
  expect(isCrash(exit)).toBe(true)
  expect(exit).toMatchObject({ wasReady: true, code: null, seen: false })
  expect(exit.uptimeMs).toBeGreaterThan(HOUR_MS)
})

it('that was adopted while it started was not ready', async () => {
  expect(await exitOfAdopted(false)).toMatchObject({ wasReady: false, code: null, seen: false })
})

it('that is told to be quick drains by that, and is killed by that', () => {
  const wakes: number[] = []
  const owner: WorkerOwner = {
    clock: { now: () => 0, wakeAt: (time) => (wakes.push(time), nothing) },
    lend: nothing,
    withdraw: (_worker, done) => done(),
    shelve: nothing,
    moved: nothing,
    beat: nothing,
    settle: nothing,
    exited: nothing,
    lingers: nothing,
  }
  const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); process.stdin.resume()'])
  onTestFinished(() => void child.kill('SIGKILL'))
  const origin = { child: null, pid: child.pid ?? 0, ageMs: 0, wasReady: true }
  const worker = new WorkerHandle({ id: 1, incarnation: 'a', generation }, owner, origin)
  const told: unknown[] = []
  worker.link({ send: (message: unknown) => void told.push(message), close: nothing } as never)
  worker.shorten({ drainTimeoutMs: 400, killTimeoutMs: 70 })
  worker.handle('drainWanted')
  expect(told).toMatchObject([{ type: 'drain', deadlineMs: 400 }])
  worker.handle('drained')
  expect(wakes.slice(-2)).toEqual([400 + DRAIN_REPORT_GRACE_MS, 70])
})
