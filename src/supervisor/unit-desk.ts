// Keeps the service manager up to date: ready, reloading, stopping, a line of status, and that the loop turns.

import type { EventRecord } from '../control/messages.ts'
import { unitStatus, type UnitApp } from '../core/unit-status.ts'
import type { Notifier } from '../systemd/notifier.ts'
import type { EventLog } from '../telemetry/events.ts'

export interface UnitSource {
  readonly eventLog: EventLog
  readonly isEnding: boolean
  /** As they are now. */
  unitApps(): readonly UnitApp[]
}

/** How often changes are looked for, at most. */
const LOOK_MS = 500
/** A start or a stop asks for so much more time, again and again: each has an end of its own. */
const EXTEND_EVERY_MS = 5_000
const EXTEND_BY_US = 20_000_000

export class UnitDesk {
  readonly #source: UnitSource
  readonly #notifier: Notifier
  readonly #timers: NodeJS.Timeout[] = []
  readonly #unfollow: () => void
  #isReady = false
  #toldStopping = false
  /** A reload that no command waits for. */
  #isReloading = false
  #status = ''

  /** `watchdogMs` is how long the manager waits for a sign of life; null when it does not. */
  constructor(source: UnitSource, notifier: Notifier, watchdogMs: number | null) {
    this.#source = source
    this.#notifier = notifier
    this.#unfollow = source.eventLog.feed(null, 0).follow((event) => this.#hear(event))
    this.#timers.push(
      setInterval(() => this.#look(), LOOK_MS),
      setInterval(() => this.#extend(), EXTEND_EVERY_MS),
    )
    // Only a loop that turns gets to it.
    if (watchdogMs !== null) this.#timers.push(setInterval(() => void notifier.tell('WATCHDOG=1'), watchdogMs / 2))
    for (const timer of this.#timers) timer.unref()
    this.#extend()
  }

  /** What was asked for serves. */
  ready(): void {
    this.#isReady = true
    void this.#notifier.tell('READY=1', this.#newStatus())
  }

  /** Says nothing more. */
  leave(): void {
    this.#unfollow()
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** The start failed, or everything has ended: the last words. */
  async close(): Promise<void> {
    this.leave()
    await this.#notifier.tell('STOPPING=1', this.#newStatus())
  }

  #hear(event: EventRecord): void {
    // Whoever types a command waits for its end; `systemctl reload` runs one.
    if (event.type !== 'reloadStarted' || event.cause.startsWith('command') || this.#isReloading) return
    this.#isReloading = true
    const microseconds = process.hrtime.bigint() / 1000n
    void this.#notifier.tell('RELOADING=1', `MONOTONIC_USEC=${microseconds}`)
  }

  #look(): void {
    const { isEnding } = this.#source
    if (isEnding && !this.#toldStopping) {
      this.#toldStopping = true
      void this.#notifier.tell('STOPPING=1', `EXTEND_TIMEOUT_USEC=${EXTEND_BY_US}`)
    }
    if (this.#isReloading && !this.#source.unitApps().some(({ operation }) => operation === 'reload')) {
      this.#isReloading = false
      void this.#notifier.tell('READY=1')
    }
    const before = this.#status
    const status = this.#newStatus()
    if (status !== before) void this.#notifier.tell(status)
  }

  #extend(): void {
    if (!this.#isReady || this.#source.isEnding) void this.#notifier.tell(`EXTEND_TIMEOUT_USEC=${EXTEND_BY_US}`)
  }

  #newStatus(): string {
    this.#status = `STATUS=${unitStatus(this.#source.unitApps(), this.#source.isEnding)}`
    return this.#status
  }
}
