// What a user may write about moving an app from one release to another, and what each option means. Belongs to
// app-options.ts, whose first lines hold here, too.

import type { Duration } from './app-options.ts'

export interface DeployOptions {
  /**
   * How a deploy moves the app to the new release: `'blue-green'` (all of it starts beside the old one and is tried, then
   * the traffic moves at once) or `'rolling'` (worker by worker, as a reload does; there is no preview).
   * @default 'blue-green'
   */
  strategy?: 'blue-green' | 'rolling'
  /**
   * Whether a release that is ready and passed its smoke test gets the public traffic by itself. With `false` it waits
   * for `supervise promote`.
   * @default true
   */
  autoPromote?: boolean
  /**
   * How long a release is watched once it has the public traffic. If it crashes, fails its liveness probe or answers more
   * requests with 5xx than the old one did, the traffic goes back by itself. `0` does not watch.
   * @default '10m'
   */
  bake?: Duration
  /**
   * How many requests must be seen before the watch can end well; while fewer came it goes on, however long that takes, and
   * `supervise promote` ends it. With `0` a release that nobody asked anything passes when its time is over.
   * @default 0
   */
  bakeMinRequests?: number
  /**
   * A share of answers with 5xx, such as `'5%'` or `0.05`: a release that surely answers more is taken back while it is
   * watched, even if the old one was no better. Without it a release is taken back only for being worse than the old one was
   * in the hour before; where little is known of that one, for answering more than 5 % with 5xx.
   * @default none
   */
  maxErrorRatio?: number | `${number}%`
  /**
   * How long a release that failed its smoke test or was taken back stays up without public traffic, so that it can be
   * looked at. `supervise abort` ends it earlier. `0` ends it at once.
   * @default '0'
   */
  abortDelay?: Duration
  /**
   * How long the old release stays warm after the watch, so that going back costs milliseconds and starts no process. `0`
   * ends it at once.
   * @default '10m'
   */
  rollbackWindow?: Duration
  /**
   * How long a new release may take until all of its workers are ready. One that takes longer is given up, and the old
   * one serves on. The time does not run while the rollout is paused.
   * @default '2m'
   */
  progressDeadline?: Duration
  /**
   * An address that reaches only the release without public traffic, such as `'127.0.0.1:3001'`, or the path of a Unix
   * socket.
   * @default none
   */
  preview?: string
  /**
   * A secret of 8 characters or more that lets a single request choose its release by the header `x-supervise-group`. Without
   * it the header means nothing.
   * @default none
   */
  groupHeader?: string
  /**
   * The response header that names the release which answered, or `false` for none.
   * @default 'x-supervise-release'
   */
  releaseHeader?: string | false
  /**
   * What a release must pass before it gets the public traffic: a command (exit code 0), `{ command, within: '1m' }`, or a
   * request to each of its workers, `{ http: '/path', status: 200, body: 'a text in it', within: '5s', attempts: 1 }`; or
   * a list of them. Flag and variable take commands only.
   * @default none
   */
  smoke?: string | SmokeCommand | SmokeRequest | readonly (string | SmokeCommand | SmokeRequest)[]
  /**
   * Commands and URLs that are told what happens in a rollout, or are asked whether it may go on.
   */
  hooks?: HookOptions
}

export interface SmokeCommand {
  readonly command: string
  readonly within?: Duration
}

export interface SmokeRequest {
  readonly http: string
  readonly status?: number
  readonly body?: string
  readonly within?: Duration
  readonly attempts?: number
}

/** A command for `sh`, or a URL that begins with `http://` or `https://`. */
export type HookCall =
  | string
  | { readonly command: string; readonly within?: Duration }
  | { readonly url: string; readonly within?: Duration }

export interface HookOptions {
  /**
   * Asked before a new release is started. It gets what is to be known as JSON, a command on its stdin and a URL as a
   * POST; exit code 0 or a 2xx answer within 30 s (`{ command, within }`, `{ url, within }`) is a yes.
   * @default none
   */
  'pre-rollout'?: HookCall
  /**
   * Asked before the public traffic moves; a no ends the rollout, and the old release serves on.
   * @default none
   */
  'confirm-promotion'?: HookCall
  /**
   * Told when a release is promoted.
   * @default none
   */
  'post-rollout'?: HookCall
  /**
   * Told when a rollout went back to the old release.
   * @default none
   */
  rollback?: HookCall
  /**
   * Told of every step of a rollout.
   * @default none
   */
  event?: HookCall
  /**
   * Makes room for a new version of the data, before the first release that can read it starts.
   * @default none
   */
  expand?: HookCall
  /**
   * Takes the room for an old version of the data away, once the first release that no longer reads it is promoted and the
   * one before it has ended for good. There is no way back behind it. It is run once, by whichever supervisor is there then;
   * again only if the supervisor died while it ran, so it must be safe to run twice. One that says no is told as an event
   * (`hookFailed`) and is not tried again.
   * @default none
   */
  contract?: HookCall
}
