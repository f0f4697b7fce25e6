// What a user may write about an app's log, and what each option means. Belongs to app-options.ts, whose first lines hold
// here, too.

import type { Duration, Size } from './app-options.ts'

export interface LogOptions {
  /**
   * Leaves out lines below this level: `'trace'`, `'debug'`, `'info'`, `'warn'`, `'error'` or `'fatal'`. Of the app's lines only
   * those that are JSON with a `level` or `severity` have one; all others pass. What the supervisor says about the app is held
   * to it too.
   * @default every line of the app, and from 'info' on what the supervisor says about it
   */
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'
  /**
   * A file for the app's lines, as JSON, one record a line; `{app}` in it is the app's name. Several apps may name the same file.
   * Directories are made.
   * @default none
   */
  file?: string
  /**
   * Whether the app's lines go to the supervisor's stdout.
   * @default yes without a `file`, or when stdout is a terminal
   */
  stdout?: boolean
  /**
   * A file that is larger is rotated: it gets the time into its name, and a new one begins. `0` is no limit, for what rotates it
   * from outside.
   * @default '20M'
   */
  maxSize?: Size
  /**
   * A file is rotated when so much time is over, counted from midnight: `'1d'` at midnight, `'1h'` on the hour. `0` rotates by size
   * alone.
   * @default 0
   */
  every?: Duration
  /**
   * So many rotated files stay.
   * @default 10
   */
  keep?: number
  /**
   * The oldest rotated files go when all of them and the current one take more than this. `0` is no limit.
   * @default '1G'
   */
  maxTotal?: Size
  /**
   * Whether rotated files are compressed.
   * @default true
   */
  gzip?: boolean
  /**
   * Whether a stack trace, or other text whose further lines are indented, stays one record. Text is held back for this only where
   * more of it may follow, and for 50 ms at most.
   * @default true
   */
  multiline?: boolean
  /**
   * Fields of the supervisor's own lines about the app that are written as `[Redacted]`, by pino's paths: `'cause'`, `'data.*'`. The
   * app's own lines are not touched.
   * @default none
   */
  redact?: string | readonly string[]
}
