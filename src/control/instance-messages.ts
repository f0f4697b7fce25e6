// What a supervisor says of itself: part of the conversation that messages.ts has on its page.

import type { LimitsStatus } from './figure-messages.ts'
import type { AppStatus } from './messages.ts'

export type KeptBy = {
  readonly who: 'keeper' | 'systemd' | 'firstProcess' | 'nobody'
  readonly pid: number | null
}

export interface InstanceStatus {
  readonly instance: string
  readonly pid: number
  readonly version: string
  readonly nodeVersion: string
  readonly detached: boolean
  /** Who starts the supervisor again should it die. */
  readonly keptBy: KeptBy
  readonly startedAt: string
  readonly limits: LimitsStatus
  /** Dead processes that nobody waits for; null where somebody else is the first process of this container or machine. */
  readonly zombies: number | null
  readonly apps: readonly AppStatus[]
}

/** To go on with another installation of supervise. */
export interface UpgradeRequest {
  /** Absolute paths of its Node and of its `bin/supervise.js`. */
  readonly node: string
  readonly launcher: string
  /** Only find out whether it could take over. */
  readonly dryRun?: boolean
  /** How long an operation that is under way may take to its end. */
  readonly waitMs?: number
}

export interface UpgradeResult {
  readonly instance: string
  readonly dryRun: boolean
  /** Versions, before and after. */
  readonly from: string
  readonly to: string
  readonly nodeVersion: string
  readonly pid: number
  /** Of the new supervisor; null when it was only asked. */
  readonly newPid: number | null
  /** From letting go of the workers until the new one had them all. */
  readonly handOverMs: number
  readonly notes: readonly string[]
}
