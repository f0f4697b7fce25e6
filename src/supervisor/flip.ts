// The flip: gives the public traffic to the other group. One message to every worker decides for all requests from its
// last answer on; the slots follow, so that new connections need no detour.

import { reached } from '../fault-points.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { App } from './app.ts'
import { waitUntil } from './clock.ts'

export interface Flip {
  readonly to: GroupName
  /** From the message to the last worker's answer: since then no request is begun by the other group. */
  readonly tookMs: number
  /** Workers that did not answer and were killed. */
  readonly killed: number
}

/** New connections reach the group through the other one meanwhile. */
const SLOTS_WITHIN_MS = 2000

/**
 * The standby group must have a worker that is up, and no other flip may be under way. Null when that group was told to
 * end meanwhile, with its app.
 */
export async function flip(app: App, cause: string): Promise<Flip | null> {
  const to = app.standby
  reached('flip.begun')
  const { tookMs, silent, isOvertaken } = await app.routing.commit(to)
  if (isOvertaken || app.groups[to]?.isStopping !== false) return null
  reached('flip.told')
  for (const worker of silent) worker.kill('flip-deadline')
  app.activate(to)
  reached('flip.active')
  app.reports.flipped(tookMs)
  const killed = silent.length === 0 ? '' : `; ${silent.length} did not answer and were killed`
  app.record(
    'flipped',
    `${to} (${app.activeGroup.generation.release.id}) is active after ${inMs(tookMs)}${killed}`,
    cause,
  )
  return { to, tookMs, killed: silent.length }
}

/** From then on new connections reach the active group without a detour. */
export async function slotsFollow(app: App): Promise<void> {
  const isThere = () => [...app.activeGroup.processes()].every((one) => one.state !== 'ready')
  await waitUntil(app.clock, SLOTS_WITHIN_MS, isThere)
  reached('flip.done')
}

/** Whether the other group could take the traffic now. */
export function mayFlip(app: App): boolean {
  return [...(app.standbyGroup?.processes() ?? [])].some((worker) => worker.state === 'standby')
}

/** Whether the other group was told to end and could still go back: some of it has not finished what it has. */
export function mayReturn({ standbyGroup }: App): boolean {
  return standbyGroup?.isStopping === true && [...standbyGroup.processes()].some(({ state }) => state === 'draining')
}

/** Takes the end of the other group back; false when it is not whole again in the time that a start may take. */
export async function takeStandbyBack(app: App): Promise<boolean> {
  const group = app.standbyGroup
  if (group === null || !mayReturn(app)) return false
  group.takeBack()
  const isBroken = () => group.isStopping || [...group.places.values()].some(({ waiting }) => waiting !== null)
  await waitUntil(app.clock, group.generation.config.readyTimeoutMs, () => group.isWhole || isBroken())
  return group.isWhole && !group.isStopping
}

function inMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
