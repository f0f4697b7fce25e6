// What a supervisor says of itself: part of the conversation that messages.ts has on its page.

import type { LimitsStatus } from './figure-messages.ts'
import type { AppStatus } from './messages.ts'

export type KeptBy = { readonly who: 'keeper' | 'systemd' | 'nobody'; readonly pid: number | null }

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
  readonly apps: readonly AppStatus[]
}
