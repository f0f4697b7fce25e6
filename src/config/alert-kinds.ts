// Every kind of alert: what it means, and which events raise it. A new kind is a line here.

import type { EventType } from './event-types.ts'
export interface AlertMeaning {
  readonly means: string
  /** Types of events that raise it. */
  readonly events: readonly EventType[]
  /** Of these events, only those of crashes for this reason. */
  readonly reason?: string
  /** Of these events, only those with this cause. */
  readonly cause?: string
}

export type AlertKind =
  | 'crash'
  | 'out-of-memory'
  | 'hang'
  | 'crash-loop'
  | 'start-failed'
  | 'reload-failed'
  | 'release-refused'
  | 'rollback'
  | 'memory-limit'
  | 'budget-burn'
  | 'probe'

// oxfmt-ignore
export const ALERT_KINDS: { readonly [Kind in AlertKind]: AlertMeaning } = {
  crash: { means: 'a worker ended by itself, in whatever way', events: ['workerCrashed'] },
  'out-of-memory': { means: 'a worker ran out of memory, or the kernel killed it for want of memory', events: ['workerCrashed'], reason: 'out-of-memory' },
  hang: { means: 'the event loop of a worker does not answer; it is replaced', events: ['workerHangs'] },
  'crash-loop': { means: 'a worker crashed too often and rests as `failed`', events: ['workerFailed'] },
  'start-failed': { means: 'an app could not be started', events: ['startFailed'] },
  'reload-failed': { means: 'a reload was refused, or left new and old code side by side', events: ['reloadRefused', 'reloadMixed'] },
  'release-refused': { means: 'a new release was not taken before it had the public traffic', events: ['deployRefused', 'rolloutFailed'] },
  rollback: { means: 'a new release had the public traffic and was taken back by itself', events: ['rolledBack'] },
  'memory-limit': { means: 'a worker is over `maxMemory` and is replaced', events: ['limitReached'], cause: 'policy maxMemory' },
  'budget-burn': { means: 'the error budget of an objective (`slo`) is used up too fast', events: ['budgetBurns'] },
  probe: { means: 'what is asked from outside (`probes`) gave too many bad answers in a row', events: ['probeFailed'] },
}

// The table's own keys: nothing else can be in it, or it would not have compiled.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const ALERT_NAMES = Object.keys(ALERT_KINDS) as readonly AlertKind[]

/** What is needed of an event. */
export interface AlertingEvent {
  readonly type: string
  readonly cause: string
  readonly data?: Readonly<Record<string, unknown>>
}

/** The kinds that an event raises. */
export function kindsOf(event: AlertingEvent): readonly AlertKind[] {
  return ALERT_NAMES.filter((name) => {
    const { events, reason, cause } = ALERT_KINDS[name]
    if (!events.some((type) => type === event.type)) return false
    return (reason === undefined || event.data?.['reason'] === reason) && (cause === undefined || event.cause === cause)
  })
}
