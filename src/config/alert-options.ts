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
  /**
   * What is promised to users: `{ availability: 99.9, latency: { threshold: '500ms', target: 99 } }`, which is also written
   * `'99.9, 500ms 99'`. So many per cent of the requests are answered without 5xx and not cut by a crash, and so many within the
   * threshold. Metrics and `describe` say what is left of the error budget and how fast it is used up; a budget that burns
   * raises the alert `budget-burn`.
   * @default none
   */
  slo?: number | string | ServiceLevelOptions
  /**
   * What is asked from outside again and again: `{ path: '/healthz' }` of the app's public address and of each worker that serves,
   * `{ url: 'https://…' }` as any client would; or a list of them. `every` (`'10s'`, at least `'1s'`) is the pace, `within`
   * (`'2s'`) the time for a whole answer, `expect: { status: 200, body: 'ok' }` what it must be (any 2xx without a status; the body
   * must have the text), `failures` (3) how many bad answers in a row make it fail, `name` what it is called. Redirects are not
   * followed. A text alone is a path or a URL. Nothing is restarted: metrics, events, `status` and the alert `probe` tell.
   * @default none
   */
  probes?: string | ProbeOptions | readonly (string | ProbeOptions)[]
}

export interface ProbeOptions {
  readonly path?: string
  readonly url?: string
  readonly name?: string
  readonly every?: Duration
  readonly within?: Duration
  readonly failures?: number
  readonly expect?: { readonly status?: number; readonly body?: string }
}

export interface ServiceLevelOptions {
  readonly availability?: number
  readonly latency?: { readonly threshold: Duration; readonly target: number }
}

export interface NotifyOptions {
  readonly on?: AlertKind | readonly AlertKind[]
  readonly webhook?: string
  readonly command?: string
  readonly within?: Duration
}
