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
