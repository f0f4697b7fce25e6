// Alerts: hears every event, decides who is to be told of it, and hands it to the receiver's queue. What an alert is,
// `config/alert-kinds.ts` says; how often it is sent, `core/alert-policy.ts`.

import { hostname } from 'node:os'
import { kindsOf, type AlertKind } from '../config/alert-kinds.ts'
import { showHook } from '../config/deploy-parsers.ts'
import type { AppConfig, Receiver } from '../config/app-config.ts'
import { SCHEMA_OF_ALERTS, type AlertPayload } from './alert-payload.ts'
import type { EventRecord } from '../control/messages.ts'
import { decideAlert, NOTHING_SENT, type AlertLimits, type AlertMemory } from '../core/alert-policy.ts'
import type { EventLog } from '../telemetry/events.ts'
import { AlertQueue } from './alert-queue.ts'
import type { Clock } from './clock.ts'
import { tellOutside, type OutsideCall } from './hooks.ts'

/** As docs/how-to/alerts.md says. */
export const ALERT_LIMITS: AlertLimits = { repeatMs: 600_000, most: 20, windowMs: 3_600_000 }

/** An instance that ends waits so long for what it still has to tell. */
const CLOSE_MS = 3000

export interface AlertSource {
  readonly name: string
  readonly clock: Pick<Clock, 'now'>
  readonly eventLog: EventLog
}

interface Addressee {
  readonly queue: AlertQueue
  memory: AlertMemory
}

export class AlertDesk {
  readonly #source: AlertSource
  readonly #configOf: (app: string) => Pick<AppConfig, 'notify' | 'cwd' | 'env'> | null
  /** By app and receiver, as long as there is something to remember. */
  readonly #addressees = new Map<string, Addressee>()
  readonly #unfollow: () => void

  constructor(source: AlertSource, configOf: (app: string) => Pick<AppConfig, 'notify' | 'cwd' | 'env'> | null) {
    this.#source = source
    this.#configOf = configOf
    this.#unfollow = source.eventLog.feed(null, 0).follow((event) => this.#hear(event))
  }

  async close(): Promise<void> {
    this.#unfollow()
    await Promise.all([...this.#addressees.values()].map(({ queue }) => queue.close(CLOSE_MS)))
  }

  #hear(event: EventRecord): void {
    const kinds = event.app === null ? [] : kindsOf(event)
    const config = event.app === null || kinds.length === 0 ? null : this.#configOf(event.app)
    for (const receiver of config?.notify ?? []) {
      // The last kind that fits says most: a crash may be for want of memory.
      const kind = kinds.findLast((one) => receiver.on === null || receiver.on.includes(one))
      if (kind !== undefined && config !== null) this.#consider({ event, kind, receiver, config })
    }
  }

  #consider({ event, kind, receiver, config }: Raised): void {
    const addressee = this.#addresseeOf(event.app ?? '', receiver)
    const { memory, send } = decideAlert(
      addressee.memory,
      sameness(kind, event),
      this.#source.clock.now(),
      ALERT_LIMITS,
    )
    addressee.memory = memory
    if (send === null) return
    const payload = { ...this.#payloadOf(kind, event, send.leftOut) }
    addressee.queue.add({
      hook: receiver.hook,
      payload,
      cwd: config.cwd,
      env: { ...config.env, SUPERVISE_ALERT: kind },
    })
  }

  #payloadOf(kind: AlertKind, event: EventRecord, leftOut: number): AlertPayload {
    const { app, time, text, cause, seq } = event
    const { name } = this.#source
    const more = leftOut === 0 ? '' : ` (and ${leftOut} more like it before)`
    return {
      schema: SCHEMA_OF_ALERTS,
      id: `${name}-${seq}-${kind}`,
      alert: kind,
      text: `${app} on ${hostname()}: ${text}${more}`,
      app: app ?? '',
      instance: name,
      host: hostname(),
      time,
      cause,
      leftOut,
      event,
    }
  }

  #addresseeOf(app: string, receiver: Receiver): Addressee {
    const key = JSON.stringify([app, receiver])
    const known = this.#addressees.get(key)
    if (known !== undefined) return known
    this.#forgetOld()
    const queue = new AlertQueue({ tell, ended: (call, problem) => this.#told(app, call, problem) })
    const made: Addressee = { queue, memory: NOTHING_SENT }
    this.#addressees.set(key, made)
    return made
  }

  /** Receivers of configurations that are no more. */
  #forgetOld(): void {
    for (const [key, { queue }] of this.#addressees) {
      if (this.#addressees.size < MOST_ADDRESSEES) return
      if (queue.isIdle) this.#addressees.delete(key)
    }
  }

  #told(app: string, { hook, payload }: OutsideCall, problem: string | null): void {
    const alert = String(payload['alert'])
    const data = { alert, id: payload['id'] }
    const who = showHook(hook)
    if (problem === null) {
      const text = `told ${who} of ${alert}`
      this.#source.eventLog.record({ type: 'alertSent', app, text, cause: 'option notify', data }, 'debug')
      return
    }
    const text = `could not tell ${who} of ${alert}: it ${problem}`
    this.#source.eventLog.record({ type: 'alertFailed', app, text, cause: 'option notify', data }, 'warn')
  }
}

const MOST_ADDRESSEES = 200

interface Raised {
  readonly event: EventRecord
  readonly kind: AlertKind
  readonly receiver: Receiver
  readonly config: Pick<AppConfig, 'cwd' | 'env'>
}

/** Equal crashes are the same alert, whichever worker it was; the same trouble with another release is another one. */
function sameness(kind: AlertKind, { type, release, data, text }: EventRecord): string {
  const what = data?.['fingerprint'] ?? text.replaceAll(/\d+/g, '#')
  return JSON.stringify([kind, type, release ?? null, what])
}

async function tell(call: OutsideCall, signal: AbortSignal): Promise<string | null> {
  return (await tellOutside({ ...call, signal })).problem
}
