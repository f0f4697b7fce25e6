// What is said about moving an instance to another version of supervise: part of the conversation that messages.ts has on
// its page, and what the two supervisors say to each other.

import type { AdminOptions } from './admin-server.ts'
import type { HandedListener } from '../supervisor/handed-sockets.ts'
import type { RestsByWorker } from '../supervisor/standstill.ts'
import type { StopTiming } from '../supervisor/supervisor-options.ts'
import type { ErrorBody } from '../errors.ts'
import type { UpgradeRequest, UpgradeResult } from './messages.ts'

export type { UpgradeRequest, UpgradeResult }

/** What an installation says of itself when it is asked whether it could take over. */
export interface UpgradeCheck {
  readonly version: string
  readonly nodeVersion: string
  readonly handOver: Versions
  readonly protocol: Versions
  /** What it cannot use, in words; empty when it can take over. */
  readonly problems: readonly string[]
  /** Apps whose configuration it cannot read. */
  readonly configs: readonly { readonly app: string; readonly problem: string }[]
}

export interface Versions {
  readonly newest: number
  readonly oldest: number
}

/** Of the messages below. */
export const HAND_OVER: Versions = { newest: 1, oldest: 1 }

/** Where the new supervisor finds the channel to the one before: the number of a descriptor. */
export const HAND_OVER_VARIABLE = 'SUPERVISE_HAND_OVER'

/** Everything that the new supervisor is to be, and which descriptors it was started with. */
export interface Offer {
  readonly type: 'offer'
  readonly version: string
  readonly pid: number
  readonly detached: boolean
  /** By a keeper of its own. */
  readonly isKept: boolean
  /** By the first process of its container, as long as the stand-in is there. */
  readonly isBroughtBack: boolean
  readonly stop?: StopTiming
  readonly logFormat: 'auto' | 'json' | 'pretty'
  readonly admin: AdminOptions | null
  readonly listeners: readonly HandedListener[]
  /** A process that stands in for the supervisor where it was started is told of it here; null where none does. */
  readonly standIn: number | null
}

/** Everything was let go of. */
export interface Go {
  readonly type: 'go'
  readonly rests: RestsByWorker
  /** Of those that were offered, by `nameOfListener`: one may have been closed since. */
  readonly listeners: readonly string[]
  /** Who asked for it, for the event. */
  readonly cause: string
  /** When it let go, by the wall clock in milliseconds. */
  readonly begunAt: number
  /** By app, a file whose change was noticed and not yet acted on. A version before this field says nothing of it. */
  readonly changed?: Readonly<Record<string, string>>
}

/** As the new one has it: with the moment at which it heard, by its own idea of the wall clock. */
export type HeardGo = Go & { readonly heardAt: number }

export type FromBefore = Offer | Go

export type FromNext =
  /** It is ready to begin, and has touched nothing. */
  | { readonly type: 'prepared' }
  /** Lock, link, control socket and workers are its own. */
  | { readonly type: 'taken' }
  | { readonly type: 'failed'; readonly error: ErrorBody }

/** One line of the channel; null for what is no message at all. */
export function readMessage(line: string): FromBefore | FromNext | null {
  try {
    const value: unknown = JSON.parse(line)
    const isMessage = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    // The rest is as said here: both ends are ours, of versions that understand each other.
    return isMessage ? (value as FromBefore | FromNext) : null
  } catch {
    return null
  }
}

const SHOWN_CHARACTERS = 200

/** What was said instead of a message. */
export function unreadable(line: string): string {
  return `what cannot be read: ${JSON.stringify(line.slice(0, SHOWN_CHARACTERS))}`
}
