// What an app shares with its siblings: the instance's clock, places, records and wishes.

import type { AppConfig, ConfigSource } from '../config/app-config.ts'
import type { Elsewhere } from '../config/read-config.ts'
import type { CrashRecord, LogRecord } from '../control/messages.ts'
import type { EventLog } from '../telemetry/events.ts'
import type { Measures } from '../telemetry/measures.ts'
import type { Samples } from '../telemetry/samples.ts'
import type { App } from './app.ts'
import type { BootGate } from './boot-gate.ts'
import type { Clock } from './clock.ts'
import type { CrashDesk } from './crash-desk.ts'
import type { HandedSockets } from './handed-sockets.ts'
import type { Inherited } from './lending.ts'
import type { LimitName } from './health-watch.ts'
import type { MergeDesk } from './merge-desk.ts'
import type { ReleaseDesk } from './release-desk.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Where its workers and it meet. */
export interface Places {
  readonly linkPath: string
  readonly endpointDirectory: string
  readonly outputDirectory: string
  /** Sockets that the service manager passed. */
  readonly inherited: Inherited
  /** What the supervisor before this one has handed over; left out where it did not. */
  readonly handed?: HandedSockets
}

export interface Instance {
  readonly name: string
  readonly clock: Clock
  readonly gate: BootGate
  readonly eventLog: EventLog
  readonly samples: Samples
  readonly measures: Measures
  readonly crashDesk: CrashDesk
  /** Told of what workers say of their apps' own metrics. */
  readonly metrics: { readonly merge: Pick<MergeDesk, 'greet' | 'heard'> }
  /** Told of what its apps and their workers do, since a rollout may wait for it. */
  readonly releases: Pick<ReleaseDesk, 'ends' | 'stopped' | 'serves' | 'crashed'>
  readonly places: Places
  log(record: LogRecord): void
  readConfig(source: ConfigSource, elsewhere?: Elsewhere): Promise<AppConfig>
  /** Writes the state file in a moment: who lives, and from what it was started. */
  saveSoon(): void
  /** The same at once, for what must be written before anybody is told. */
  saveNow(): void
  appChanged(app: App): void
  /** What each of its workers may have of the container's memory; null without a limit. */
  workerShareBytes(): number | null
  /** A worker is over one of its limits. Resolves with whether it was replaced. */
  recycle(app: App, worker: WorkerHandle, limit: LimitName, value: number): Promise<boolean>
}

export interface CrashDescription {
  readonly record: CrashRecord
  readonly advice: string | null
  /** Its words say it all: what the process wrote tells less. */
  readonly saysAll: boolean
}
