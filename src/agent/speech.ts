// What clients of a server speak, from what it has: the supervisor asks it like one.

import type { Server } from 'node:net'

import type { Speech } from '../protocol/messages.ts'

/** Null for what is no HTTP. */
export function speechOf(server: Server): Speech | null {
  const isSecure = 'setSecureContext' in server
  if ('updateSettings' in server) return isSecure ? 'h2' : 'h2c'
  if ('closeIdleConnections' in server) return isSecure ? 'https' : 'http'
  return null
}
