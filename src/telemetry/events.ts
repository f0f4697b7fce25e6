// The instance's event log: everything that was decided or that happened, each with its cause.

import type { EventRecord } from '../control/messages.ts'
import type { Feed } from '../supervisor/operations.ts'
import { Ring } from './ring.ts'

/** What the caller says of an event; its number and time are added here. */
export type EventDraft = Omit<EventRecord, 'seq' | 'time'>

/** How loud an event is in the log. Not part of the record: it says how to show it, not what happened. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

/** Part of a pino logger. */
export interface EventLogger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

export interface EventLogOptions {
  readonly logger: EventLogger
  /** @default 1000 */
  readonly keep?: number
  readonly now?: () => Date
}

export class EventLog {
  readonly #options: EventLogOptions
  readonly #ring: Ring<EventRecord>
  #seq = 0

  constructor(options: EventLogOptions) {
    this.#options = options
    this.#ring = new Ring({ items: options.keep ?? 1000 })
  }

  record(draft: EventDraft, level: EventLevel = 'info'): EventRecord {
    this.#seq += 1
    const time = (this.#options.now?.() ?? new Date()).toISOString()
    const event: EventRecord = { seq: this.#seq, time, ...draft }
    this.#ring.push(event)
    const { text, seq: _seq, time: _time, app, ...fields } = event
    this.#options.logger[level](app === null ? fields : { app, ...fields }, text)
    return event
  }

  /** The latest events of one app, or of all with null. */
  feed(app: string | null, last: number): Feed<EventRecord> {
    return this.#ring.feed({ last, ...(app !== null && { matches: (event) => event.app === app }) })
  }
}
