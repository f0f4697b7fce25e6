// The name of a listener for the whole app: the same call gives the same key in every worker and in every generation, so
// that all of them share the sockets behind it.

import { resolve } from 'node:path'

import type { ListenerKey, ListenRequest } from '../protocol/messages.ts'

/** What `net.Server` passes to `cluster._getServer`; what is not a stream server passes other address types. */
export interface ServerQuery {
  readonly address: string | null
  readonly port: number
  readonly addressType: number | string
  readonly fd?: number | undefined
  readonly flags?: number | undefined
  readonly backlog?: number | undefined
  readonly readableAll?: boolean | undefined
  readonly writableAll?: boolean | undefined
}

/** The request to the supervisor, or null for what the gate leaves to node:cluster (UDP, inherited descriptors). */
export function requestOf(query: ServerQuery): ListenRequest | null {
  const { addressType } = query
  if (typeof query.fd === 'number' && query.fd >= 0) return null
  const backlog = query.backlog ? query.backlog : null
  if (addressType === 4 || addressType === 6) {
    return { address: query.address, port: query.port, addressType, flags: query.flags ?? 0, backlog }
  }
  if (addressType !== -1 || typeof query.address !== 'string') return null
  // An abstract socket has no place in the file system.
  const address = query.address.startsWith('\0') ? query.address : resolve(query.address)
  const flags = (query.readableAll ? 1 : 0) | (query.writableAll ? 2 : 0)
  return { address, port: -1, addressType, flags, backlog }
}

/**
 * The key of a request; null when the worker has a listener of that key open already. Of several `listen(0)` each has a
 * number, the lowest that is free: closing one and listening again gives the same port.
 */
export function keyOf(request: ListenRequest, isTaken: (key: ListenerKey) => boolean): ListenerKey | null {
  if (request.addressType === -1) return freeOrNull(`unix:${request.address}`, isTaken)
  const host = request.address ?? '*'
  const base = `tcp:${host.includes(':') ? `[${host}]` : host}:${request.port}`
  if (request.port !== 0) return freeOrNull(base, isTaken)
  let index = 0
  while (isTaken(`${base}#${index}`)) index++
  return `${base}#${index}`
}

function freeOrNull(key: ListenerKey, isTaken: (key: ListenerKey) => boolean): ListenerKey | null {
  return isTaken(key) ? null : key
}
