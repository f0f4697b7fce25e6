// The part of the conversation on the control socket that is about moving between releases; the rest is messages.ts, whose
// first lines hold here, too.

import type { GroupName } from '../protocol/messages.ts'

/** A new release into the other group. */
export interface DeployRequest {
  /** Absolute path of the release's directory; null reads the one that is configured again. */
  readonly path: string | null
  /** Label; null takes package.json's, or git's short hash. */
  readonly version: string | null
  /** What the configuration says when left out. */
  readonly strategy?: 'blue-green' | 'rolling'
  /** Also when the two releases cannot live on the same data. */
  readonly force?: boolean
  /** Absolute path of the Node binary for this release alone. */
  readonly node?: string
  /** Variables for this release alone, on top of the configuration's. */
  readonly env?: Readonly<Record<string, string>>
  /** Answer when the watch is over, not as soon as it serves. */
  readonly wait?: boolean
}

export interface RollbackRequest {
  /** Id or version; null is the release before. */
  readonly release: string | null
  readonly force?: boolean
}

/** Where the release without public traffic can be reached. */
export interface PreviewStatus {
  readonly app: string
  readonly release: string
  readonly version: string | null
  readonly group: GroupName
  /** Where the preview listens; null when none is configured. */
  readonly url: string | null
  /** A private Unix socket of each worker that is up; they speak plain HTTP, also of apps with TLS. */
  readonly endpoints: readonly string[]
}

/** A part of a rollout beside its workers. */
export interface RolloutStage {
  /** The same again is the same part, further on: `room`, `memory`, `settle`, `smoke`, `hook pre-rollout`, `wait`, `flip`, `watch`, `back`. */
  readonly stage: string
  readonly state: 'running' | 'done' | 'failed' | 'warned'
  /** In words. */
  readonly text: string
  /** What it took, once it is over. */
  readonly tookMs?: number
  /** How long it goes on by itself, and how long it has. */
  readonly forMs?: number
  readonly elapsedMs?: number
}

/** What there is to know of an app's releases while none is rolled out. */
export interface ReleaseNews {
  /** How the rollout of the newest release ended; null while it goes on, and when nothing was ever deployed. */
  readonly lastRollout: LastRollout | null
  /** Of a stopped app that was deployed: the release that a start begins with. */
  readonly nextStart: { readonly release: string; readonly version: string | null } | null
}

export interface LastRollout {
  readonly release: string
  readonly version: string | null
  readonly outcome: string
  readonly why: string | null
  readonly endedAt: string | null
}
