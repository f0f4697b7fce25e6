// How it is with an app's spans, as its workers say: one event when they begin to be lost, however many say so, and one when
// they are sent again.

import type { AppConfig } from '../config/app-config.ts'
import type { TracingState } from '../protocol/tracing.ts'
import type { EventLevel } from '../telemetry/events.ts'

type Record = (type: 'tracingFailed' | 'tracingWorks', text: string, cause: string, level: EventLevel) => void

const CAUSE = 'option tracing'

export class TraceReports {
  readonly #record: Record
  readonly #states = new Map<string, TracingState>()
  #told: string | null = null
  #toldOfRollout: string | null = null

  constructor(record: Record) {
    this.#record = record
  }

  /** `who` is a process, by a name that no other has. */
  heard(who: string, { spans, problem }: TracingState): void {
    this.#states.set(who, { spans, problem })
    const now = this.#problem
    if (now === this.#told) return
    const hadNone = this.#told === null
    this.#told = now
    if (now !== null) this.#record('tracingFailed', `traces are lost: ${now}`, CAUSE, 'warn')
    else if (!hadNone) this.#record('tracingWorks', 'traces are sent again', CAUSE, 'info')
  }

  /** How the last spans of a rollout fared; what workers say already is not said again. */
  rolloutSent(problem: string | null): void {
    if (problem !== null && problem !== this.#toldOfRollout && this.#problem === null)
      this.#record('tracingFailed', `traces of the rollout are lost: ${problem}`, CAUSE, 'warn')
    this.#toldOfRollout = problem
  }

  gone(who: string): void {
    this.#states.delete(who)
  }

  /** Null where none are wanted, or no worker has said anything yet. */
  status({ tracing }: Pick<AppConfig, 'tracing'>): TracingState | null {
    const states = [...this.#states.values()]
    // In what an earlier supervisor has written down it is not there at all.
    if (!tracing) return null
    return states.find(({ problem }) => problem !== null) ?? states[0] ?? null
  }

  get #problem(): string | null {
    return [...this.#states.values()].find(({ problem }) => problem !== null)?.problem ?? null
  }
}
