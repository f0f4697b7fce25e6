// The instance's event log: everything that was decided or that happened, each with its cause.

import type { EventType } from '../config/event-types.ts'
import type { EventRecord } from '../control/messages.ts'
import type { EventQuery, Feed } from '../supervisor/operations.ts'
import { actorOf } from './actor.ts'
import { Ring } from './ring.ts'

/** What the caller says of an event; its number, time and actor are added here. */
export type EventDraft = Omit<EventRecord, 'seq' | 'time' | 'actor' | 'type'> & { readonly type: EventType }

/** How loud an event is in the log. Not part of the record: it says how to show it, not what happened. */
export type EventLevel = 'debug' | 'info' | 'warn' | 'error'

/** Part of a pino logger. */
export interface EventLogger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** Where events outlive the supervisor. */
export interface Journal {
  /** The latest, oldest first. */
  readonly recent: readonly EventRecord[]
  append(event: EventRecord): void
  readBefore(seq: number, matches: (event: EventRecord) => boolean, most: number): Promise<EventRecord[]>
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
  #journal: Journal | null = null

  constructor(options: EventLogOptions) {
    this.#options = options
    this.#ring = new Ring({ items: options.keep ?? 1000 })
  }

  /** From now on events are kept there, too, and numbered on from those that are. */
  keepIn(journal: Journal): void {
    this.#journal = journal
    for (const event of journal.recent) this.#ring.push(event)
    this.#seq = Math.max(this.#seq, journal.recent.at(-1)?.seq ?? 0)
  }

  /** Another process has written to it meanwhile: its numbers are taken, and what it tells happened here. */
  goOnFrom(journal: Pick<Journal, 'recent'>): void {
    for (const event of journal.recent) if (event.seq > this.#seq) this.#ring.push(event)
    this.#seq = Math.max(this.#seq, journal.recent.at(-1)?.seq ?? 0)
  }

  record(draft: EventDraft, level: EventLevel = 'info'): EventRecord {
    this.#seq += 1
    const time = (this.#options.now?.() ?? new Date()).toISOString()
    const event: EventRecord = { seq: this.#seq, time, ...draft, actor: actorOf(draft.cause) }
    // First of all: who follows may make another event of it.
    this.#journal?.append(event)
    this.#ring.push(event)
    const { text, app, ...fields } = draft
    this.#options.logger[level](app === null ? fields : { app, ...fields }, text)
    return event
  }

  /** The latest events of one app, or of all with null. */
  feed(app: string | null, last: number): Feed<EventRecord> {
    return this.#ring.feed({ last, matches: matcher({ app, lines: last, since: null, types: [] }) })
  }

  /** The same, reaching back to what is on disk alone where that is asked for. */
  async query(query: EventQuery): Promise<Feed<EventRecord>> {
    const matches = matcher(query)
    const feed = this.#ring.feed({ last: query.lines, matches })
    const oldest = this.#ring.oldest
    const reachesBack = oldest === undefined || (query.since !== null && oldest.time < query.since)
    if (this.#journal === null || reachesBack || feed.recent.length >= query.lines) return feed
    const older = await this.#journal.readBefore(oldest.seq, matches, query.lines - feed.recent.length)
    return { recent: [...older, ...feed.recent], follow: feed.follow }
  }
}

function matcher({ app, since, types }: EventQuery): (event: EventRecord) => boolean {
  return (event) =>
    (app === null || event.app === app) &&
    (since === null || event.time >= since) &&
    (types.length === 0 || types.includes(event.type))
}
