// What a user may write about crashes and alerts, and what each option means. Belongs to app-options.ts, whose first lines
// hold here, too.

import type { AlertKind } from './alert-kinds.ts'
import type { Duration } from './app-options.ts'

export interface AlertOptions {
  /**
   * How many heap snapshots Node writes when a worker's heap comes near its limit, 0 to 5. Each takes about as much disk as
   * the heap, and the worker stands still meanwhile. The latest 3 of an instance are kept.
   * @default 0
   */
  heapSnapshotNearLimit?: number
  /**
   * Who is told when something is wrong: `{ on: ['crash-loop', 'rollback'], webhook: 'https://…' }`, or with a `command`
   * that gets the same JSON on its stdin; or a list of them. Without `on`, every kind of alert. A command or URL alone is
   * told of every kind.
   * @default nobody
   */
  notify?: string | NotifyOptions | readonly (string | NotifyOptions)[]
}

export interface NotifyOptions {
  readonly on?: AlertKind | readonly AlertKind[]
  readonly webhook?: string
  readonly command?: string
  readonly within?: Duration
}
