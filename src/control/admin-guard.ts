// Who may ask what at the admin address. A browser on this machine is the danger: any page in it can send requests to
// loopback, so names that may point anywhere and pages of others are refused, whatever they ask for.

import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { createHash, timingSafeEqual } from 'node:crypto'
import { foreignHost, foreignOrigin, tokenMissing, tokenNeeded, tokenWrong } from '../errors/control.ts'
import type { SuperviseError } from '../errors.ts'

export interface AdminPolicy {
  /** What `Authorization: Bearer` must say; null lets nobody change anything. */
  readonly token: string | null
  /** It can be reached from this machine alone. */
  readonly isLoopback: boolean
  /** Names by which this machine may be asked, beside addresses and localhost. */
  readonly names: readonly string[]
}

export interface AdminRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** Answered to whoever can reach the address: scrapers and load balancers have no token. */
export const PUBLIC_PATHS: readonly string[] = ['/metrics', '/livez', '/readyz', '/startupz']

/** Why it is refused; null when it is not. */
export function whyRefused(request: AdminRequest, policy: AdminPolicy): SuperviseError | null {
  const { host = '', origin, authorization } = request.headers
  const name = nameIn(host)
  if (!isOwnName(name, policy.names)) return foreignHost(host)
  if (origin !== undefined && !isOwnOrigin(origin, host)) return foreignOrigin(origin)
  // What a page embeds or fetches without CORS has no Origin; browsers say this of it.
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return foreignOrigin('another site')
  if (isOpen(request, policy)) return null
  if (policy.token === null) return tokenMissing(request.method, request.path)
  if (authorization === undefined) return tokenNeeded(request.method, request.path)
  return isToken(authorization, policy.token) ? null : tokenWrong()
}

function isOpen({ method, path }: AdminRequest, { isLoopback }: AdminPolicy): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  return isLoopback || PUBLIC_PATHS.includes(path)
}

/** A name that somebody else owns can be made to point here (DNS rebinding); an address cannot. */
function isOwnName(name: string, names: readonly string[]): boolean {
  return name === 'localhost' || isIP(name) !== 0 || names.includes(name)
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`
}

/** `[::1]:9615` and `localhost:9615` without brackets and port. */
function nameIn(host: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1]
  return (bracketed ?? host.replace(/:\d+$/, '')).toLowerCase()
}

/** Hashed first: equal lengths, so that the time it takes tells nothing. */
function isToken(authorization: string, token: string): boolean {
  const given = /^bearer +(.+)$/i.exec(authorization)?.[1] ?? ''
  return timingSafeEqual(digestOf(given), digestOf(token))
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
