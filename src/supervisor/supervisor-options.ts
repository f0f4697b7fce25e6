// What an instance is given by whoever puts it together: its places, and where its words go.

import type { KeptBy } from '../control/messages.ts'
import type { StopTiming } from '../core/stop-budget.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { LogDesk } from '../telemetry/log-desk.ts'
import type { App } from './app.ts'
import type { Places } from './instance.ts'

export type { StopTiming }

export interface SupervisorOptions {
  readonly name: string
  readonly version: string
  readonly detached: boolean
  readonly keptBy: () => KeptBy
  readonly places: Places
  /** How the whole instance ends; at once, and in its own time, when left out. */
  readonly stop?: StopTiming
  readonly events: EventLog
  readonly logs: LogDesk
  /** Where releases are remembered across a reboot. */
  readonly releasesFile: string
  /** Where crash records are. */
  readonly stateDirectory: string
  /** Asked soon after something changed that must survive the supervisor. */
  readonly save: (apps: readonly App[], isEnding: boolean) => void
}
