// The share of the container's memory that each worker of an instance may have.

import { memoryShare } from '../core/memory-share.ts'
import { containerLimits } from '../telemetry/container-limits.ts'
import type { App } from './app.ts'

/** Null without a limit. */
export function workerShareBytes(apps: readonly App[]): number | null {
  const { memoryBytes } = containerLimits()
  if (memoryBytes === null) return null
  const workers = apps.flatMap((app) => [...app.bothGroups()]).reduce((sum, { wanted }) => sum + wanted, 0)
  return memoryShare({ limitBytes: memoryBytes, supervisorBytes: process.memoryUsage.rss(), workers })
}
