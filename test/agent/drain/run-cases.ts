// Turns cases into tests: each against its own worker, several at a time, since they mostly wait.

import { describe, it, vi } from 'vitest'

import type { Case } from './exchanges.ts'
import { startWorker, type Environment, type Kind, type Mode, type WorkerUnderTest } from './worker.ts'

const BEGUN_BY: Readonly<Record<Mode, string>> = { drain: 'beginDrain()', close: "the app's own server.close()" }

export function runCases(mode: Mode, kinds: readonly Kind[], cases: Readonly<Record<string, Case>>): void {
  vi.setConfig({ maxConcurrency: 6, testTimeout: 45_000 })
  for (const kind of kinds) {
    describe.concurrent(`${BEGUN_BY[mode]} over ${kind}`, () => {
      for (const [name, testCase] of Object.entries(cases)) {
        if ((testCase.plainOnly && kind !== kinds[0]) || (testCase.drainOnly && mode !== 'drain')) continue
        it(mode === 'close' ? `D16 ${name}` : name, withWorker(kind, testCase.env ?? {}, testCase.run, mode))
      }
    })
  }
}

/**
 * A test against a worker of its own. What the cases prove is a matter of tens of milliseconds: one that failed while the
 * machine stood still has shown nothing, and is judged again.
 */
export function withWorker(
  kind: Kind,
  env: Environment,
  run: (worker: WorkerUnderTest) => Promise<void>,
  mode: Mode = 'drain',
): () => Promise<void> {
  return async () => {
    for (let tries = 1; ; tries++) {
      const watch = watchStalls()
      const worker = await startWorker(kind, mode, env)
      try {
        return await run(worker)
      } catch (error) {
        if (watch.longestMs() < STALL_MS || tries === 3) throw error
      } finally {
        watch.stop()
        await worker.end()
      }
    }
  }
}

const STALL_MS = 250
const LOOK_MS = 20

/** How long this process was kept from running at a stretch: its workers were in the same straits. */
function watchStalls(): { longestMs(): number; stop(): void } {
  let last = performance.now()
  let longest = 0
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last - LOOK_MS)
    last = now
  }, LOOK_MS)
  return { longestMs: () => longest, stop: () => clearInterval(timer) }
}
