// What a receiver of alerts gets, as JSON: a command on its stdin, a webhook in the body of a POST. Told to people in
// docs/how-to/alerts.md.

import type { AlertKind } from '../config/alert-kinds.ts'
import type { EventRecord } from '../control/messages.ts'

/** Raised when a field changes its meaning; fields may be added. */
export const SCHEMA_OF_ALERTS = 1

export interface AlertPayload {
  readonly schema: number
  /** The same in every attempt to tell it. */
  readonly id: string
  readonly alert: AlertKind
  /** One sentence, for people. */
  readonly text: string
  readonly app: string
  readonly instance: string
  readonly host: string
  readonly time: string
  readonly cause: string
  /** How many alerts were left out since the last one that was sent. */
  readonly leftOut: number
  /** The event that raised it, as `supervise events --json` shows it. */
  readonly event: EventRecord
}
