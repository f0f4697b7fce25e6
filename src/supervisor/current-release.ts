// The release that an app was started with, as one of its history.

import type { ReleaseRecord } from '../state/release-store.ts'
import type { App } from './app.ts'

/** The release that an app was started with, as the books would have it. */
export function currentRelease(app: App): ReleaseRecord {
  const { release, config, given, own } = app.activeGroup.generation
  return {
    id: release.id,
    version: release.version,
    path: release.path,
    createdAt: app.startedAt,
    config,
    given,
    own,
    deployedBy: 'start',
    outcome: 'started',
    why: null,
    endedAt: null,
  }
}
