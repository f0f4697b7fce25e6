import { expect, it } from 'vitest'
import { SHARE_COUNTS_AFTER_MS } from '../../src/core/memory-share.ts'
import { HealthWatch, type HealthOwner } from '../../src/supervisor/health-watch.ts'
import type { WorkerHandle } from '../../src/supervisor/worker-handle.ts'

const MB = 1024 ** 2

/** Of a worker with 300 MB of memory, and its share of the container's. */
function limitsOver(
  maxMemoryBytes: number | 'auto' | null,
  ageMs: number,
  shareBytes: number | null,
): readonly string[] {
  const over: string[] = []
  const owner: HealthOwner = {
    clock: { now: () => 1, wakeAt: () => () => {} },
    state: 'online',
    standbyGroup: null,
    chance: () => 0,
    sampleOf: () => ({ rssBytes: 300 * MB }),
    hangs: async () => {},
    probeFailed: () => {},
    isOverLimit: async (_worker, limit) => over.push(limit) > 0,
  }
  const config = { maxMemoryBytes, maxAgeMs: null, maxRequests: null, liveness: null, hangTimeoutMs: 0 }
  const worker = { pid: 7, isUp: true, adopted: false, vitals: null, uptimeMs: () => ageMs, generation: { config } }
  // The rest of a worker is nothing to the watch.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  new HealthWatch(owner, { workerShareBytes: () => shareBytes }).tick([worker as unknown as WorkerHandle], 0)
  return over
}

it('HealthWatch goes by maxMemory, or by the share of the container once a worker is old enough to have leaked', () => {
  expect(limitsOver(null, SHARE_COUNTS_AFTER_MS, 200 * MB)).toEqual([])
  expect(limitsOver(200 * MB, 0, null)).toEqual(['maxMemory'])
  expect(limitsOver('auto', SHARE_COUNTS_AFTER_MS, 200 * MB)).toEqual(['maxMemory'])
  expect(limitsOver('auto', SHARE_COUNTS_AFTER_MS, 400 * MB)).toEqual([])
  expect(limitsOver('auto', SHARE_COUNTS_AFTER_MS - 1, 200 * MB)).toEqual([])
  expect(limitsOver('auto', SHARE_COUNTS_AFTER_MS, null)).toEqual([])
})
