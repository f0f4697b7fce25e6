// Requests of the supervisor itself to the app's public address: no client has asked them, so they are not counted.

import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http2'

import { PROBE_HEADER } from '../protocol/probe-header.ts'

/** While it is null, that is the one check that a request pays. */
let secret: string | null = null

export function expectProbes(theirs: string): void {
  secret = theirs
}

/** Headers are not parsed for it: what the app does not read shall cost nothing. */
export function isPublicProbe({ rawHeaders }: IncomingMessage): boolean {
  return secret !== null && rawHeaders[0] === PROBE_HEADER && rawHeaders[1] === secret
}

export function isPublicProbeStream(headers: IncomingHttpHeaders): boolean {
  return secret !== null && headers[PROBE_HEADER] === secret
}
