// What a supervisor says of itself and of all its apps.

import type { InstanceStatus, KeptBy } from '../control/messages.ts'
import { surroundings } from '../telemetry/surroundings.ts'
import type { App } from './app.ts'
import { appStatus } from './app-status.ts'
import type { Supervisor } from './supervisor.ts'

export interface Situation {
  readonly detached: boolean
  readonly keptBy: () => KeptBy
}

export function instanceStatus(
  supervisor: Supervisor,
  { detached, keptBy }: Situation,
  startedAt: string,
): InstanceStatus {
  return {
    instance: supervisor.name,
    pid: process.pid,
    version: supervisor.version,
    nodeVersion: process.version,
    detached,
    keptBy: keptBy(),
    startedAt,
    ...surroundings(),
    apps: supervisor.apps.map((app: App) => appStatus(app, supervisor, supervisor.releases.newsOf(app))),
  }
}
