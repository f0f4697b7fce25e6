// The route table in force in this worker, and what was done by it. Which group a request belongs to is decided in
// protocol/routes.ts.

import type { IncomingHttpHeaders } from 'node:http'

import type { GroupName, ListenerKey } from '../protocol/messages.ts'
import { isChosenBy, newerTable, peersOf, type RouteTable } from '../protocol/routes.ts'

export interface RouteSettings {
  readonly group: GroupName
  readonly release: string
  /** Response header that names the release; null is none. */
  readonly releaseHeader: string | null
}

interface RouteState extends RouteSettings {
  readonly table: RouteTable | null
  /** Requests have to be looked at: the one check that an app without routes pays. */
  readonly isOn: boolean
  /** Connections have come from other workers: what arrives on them carries a header of ours. */
  readonly hasForwarded: boolean
}

/** Replaced as a whole with each change. */
export let routing: RouteState = {
  group: 'blue',
  release: '',
  releaseHeader: null,
  table: null,
  isOn: false,
  hasForwarded: false,
}

/** Counted from the start of the process. */
export const figures = { forwarded: 0, forwardRetries: 0, forwardFailures: 0 }

export function setRouting({ group, release, releaseHeader }: RouteSettings): void {
  change({ group, release, releaseHeader })
}

/** Takes a table unless a newer one is in force. */
export function takeTable(next: RouteTable | null): void {
  change({ table: newerTable(routing.table, next) })
}

export function expectForwarded(): void {
  if (!routing.hasForwarded) change({ hasForwarded: true })
}

/** Where a request is to be forwarded to; null when it is this worker's. */
export function peersFor(key: ListenerKey, headers: IncomingHttpHeaders): readonly string[] | null {
  return routing.table === null ? null : peersOf(routing.table, routing.group, key, headers)
}

/** The client has named its group: it is somebody who tries a release, not the public. */
export function isChosenByClient(headers: IncomingHttpHeaders): boolean {
  return routing.table !== null && isChosenBy(routing.table, headers)
}

/** Whether anything is routed to that peer now. */
export function isPeer(path: string): boolean {
  if (routing.table === null) return false
  return Object.values(routing.table.peers).some(({ blue, green }) => blue.includes(path) || green.includes(path))
}

/** Public connections belong to the other group's workers: clients on ours shall move. */
export function isStandby(): boolean {
  return routing.table !== null && routing.table.active !== routing.group
}

function change(parts: Partial<RouteState>): void {
  const next = { ...routing, ...parts }
  routing = { ...next, isOn: next.table !== null || next.releaseHeader !== null || next.hasForwarded }
}
