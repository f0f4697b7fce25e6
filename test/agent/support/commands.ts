// What the tests and their supervisor process say to each other.

import type { AgentSettings, SupervisorMessage, WorkerMessage } from '../../../src/protocol/messages.ts'

export interface StartOptions {
  readonly link: string
  readonly preload: string
  readonly slots: number
  /** Lend every slot to every worker that listens. */
  readonly lend: boolean
  /** Never answer `listen`. */
  readonly deaf: boolean
}

export interface ForkCommand {
  readonly do: 'fork'
  readonly exec: string
  readonly execArgv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** What runs instead of Node. */
  readonly execPath?: string
  readonly settings: AgentSettings
}

export type Command =
  | ForkCommand
  /** Sends a message over the link, with a slot's socket beside it where a key is named. */
  | {
      readonly do: 'say'
      readonly pid: number
      readonly message: SupervisorMessage
      readonly key?: string
      readonly slot?: number
    }
  | { readonly do: 'lend'; readonly pid: number }
  | { readonly do: 'hangUp'; readonly pid: number }
  | { readonly do: 'ipc'; readonly pid: number; readonly body: string }
  | { readonly do: 'count' }
  | { readonly do: 'stop' }

export type SupervisorEvent =
  | { readonly event: 'started' }
  | { readonly event: 'forked'; readonly pid: number }
  | { readonly event: 'said'; readonly pid: number; readonly message: WorkerMessage }
  | { readonly event: 'linkEnded'; readonly pid: number }
  | { readonly event: 'output'; readonly pid: number; readonly text: string }
  | { readonly event: 'ipc'; readonly pid: number; readonly body: unknown }
  | { readonly event: 'disconnected'; readonly pid: number }
  | { readonly event: 'exited'; readonly pid: number; readonly code: number | null; readonly signal: string | null }
  | { readonly event: 'counted'; readonly listeners: Readonly<Record<string, number>> }
