// Is an instance alive, has it come up, can it take traffic? As load balancers and orchestrators ask.

import type { AppState } from '../control/messages.ts'
import type { Health } from './operations.ts'

export interface HealthFacts {
  readonly name: string
  readonly state: AppState
  readonly isStopped: boolean
  counts(): { readonly serving: number; readonly wanted: number }
}

/** Whoever is answered by a loop that turns. */
const LIVE = { ok: true, why: 'the supervisor answers' }
const ENDING = { ok: false, why: 'the supervisor is stopping' }
const NOT_YET = { ok: false, why: 'the apps of the first start are not known yet' }

export interface InstancePhase {
  /** Until the apps of the first start are known: what there is before says nothing of them. */
  readonly isBeginning: boolean
  /** All is to be stopped: what still serves will not for long. */
  readonly isEnding: boolean
}

export function healthOf(apps: readonly HealthFacts[], { isBeginning, isEnding }: InstancePhase): Health {
  if (isBeginning) return { live: LIVE, started: NOT_YET, ready: NOT_YET }
  const running = apps.filter(({ isStopped, state }) => !isStopped || state === 'failed')
  const starting = running.filter(({ state }) => state === 'starting')
  const silent = running.filter((app) => app.counts().serving === 0)
  return {
    live: LIVE,
    started: said(starting, 'starts', running.length === 0 ? 'there is no app' : 'every app has started'),
    ready: isEnding
      ? ENDING
      : said(silent, 'does not serve', running.length === 0 ? 'there is no app' : 'every app serves'),
  }
}

function said(apps: readonly HealthFacts[], verb: string, otherwise: string) {
  if (apps.length === 0) return { ok: true, why: otherwise }
  return { ok: false, why: apps.map(({ name, state }) => `${name} ${verb} (${state})`).join('; ') }
}
