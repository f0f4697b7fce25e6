// Which group a request belongs to: from the table and the request's headers alone. Supervisor and worker share it.
//
// Rules of this file
// 1. A group that the client names with the right secret goes before the active one.
// 2. Where the other group has no peer for the listener, the request stays where it is: the listener is then one that
//    the other release does not have.
// 3. The newer table wins: an epoch never goes back, except by clearing the table.

import type { GroupName, ListenerKey } from './messages.ts'

/** Names the group and the table's secret: `x-supervise-group: green s3cret`. */
export const GROUP_HEADER = 'x-supervise-group'

export interface RouteTable {
  /** Counts up with each table of an app. */
  readonly epoch: number
  /** The group that public traffic belongs to. */
  readonly active: GroupName
  /** Private endpoints of each group's workers. */
  readonly peers: Readonly<Record<ListenerKey, Readonly<Record<GroupName, readonly string[]>>>>
  /** What a client must know to choose its group by a header; with null nobody can. */
  readonly groupSecret: string | null
}

/** Headers as Node has them: names in lower case. */
export type RouteHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export function groupOf(table: RouteTable, headers: RouteHeaders): GroupName {
  return groupByHeader(table.groupSecret, headers[GROUP_HEADER]) ?? table.active
}

/** The client has named the group, and may. */
export function isChosenBy({ groupSecret }: RouteTable, headers: RouteHeaders): boolean {
  return groupSecret !== null && groupByHeader(groupSecret, headers[GROUP_HEADER]) !== null
}

/** Where a worker of `own` forwards a request to; null when it is its own. */
export function peersOf(
  table: RouteTable,
  own: GroupName,
  key: ListenerKey,
  headers: RouteHeaders,
): readonly string[] | null {
  const group = groupOf(table, headers)
  if (group === own) return null
  const peers = table.peers[key]?.[group] ?? []
  return peers.length === 0 ? null : peers
}

/** The table that is in force once `next` has arrived. */
export function newerTable(current: RouteTable | null, next: RouteTable | null): RouteTable | null {
  return current !== null && next !== null && next.epoch < current.epoch ? current : next
}

function groupByHeader(secret: string | null, header: RouteHeaders[string]): GroupName | null {
  if (secret === null || secret === '' || typeof header !== 'string') return null
  const [group, given, ...rest] = header.split(' ')
  if (rest.length > 0 || given === undefined || !isSame(given, secret)) return null
  return group === 'blue' || group === 'green' ? group : null
}

/** Looks at every character, so that the time it takes does not tell how many were right. */
function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length
  for (let at = 0; at < given.length; at++) difference |= given.charCodeAt(at) ^ secret.charCodeAt(at % secret.length)
  return difference === 0
}
