// Binds the sockets of a TCP listener so that several can share its address, and so that nobody else does by accident.
//
// With SO_REUSEPORT a second program of the same user would get the same port without an error, and half the
// connections. So a socket without the option is bound first, and closed again: it fails with EADDRINUSE as under plain
// node when anybody listens there. What is bound but not yet listened on is invisible to the kernel's check; within this
// process a list of claims stands in for it.

import type { SocketHandle } from '../protocol/handle.ts'
import type { ListenRequest, SocketName } from '../protocol/messages.ts'
import { bindTcpHandle, nameOf, UV } from './server-handle.ts'

/** `UV_TCP_IPV6ONLY` and `UV_TCP_REUSEPORT`. */
const IPV6_ONLY = 1
const REUSE_PORT = 2

interface Claim {
  readonly address: string
  readonly port: number
  readonly ipv6Only: boolean
}

export interface TcpAddress {
  readonly name: SocketName
  /** Other sockets can be bound beside the first one. */
  readonly canMultiply: boolean
  /** Gives the address free for other listeners of this process. */
  readonly release: () => void
}

const claims = new Set<Claim>()

/** Binds the first slot; returns a negative errno when that cannot be. */
export function bindFirstSlot(request: ListenRequest): { handle: SocketHandle; address: TcpAddress } | number {
  const errno = request.port === 0 ? 0 : whyTaken(request)
  if (errno !== 0) return errno
  const type = typeOf(request)
  const shared = bindTcpHandle(request.address, request.port, type, request.flags | REUSE_PORT)
  const canMultiply = shared !== UV.notSupported
  const handle = canMultiply ? shared : bindTcpHandle(request.address, request.port, type, request.flags)
  if (typeof handle === 'number') return handle
  const name = nameOf(handle)
  return { handle, address: { name, canMultiply, release: claimAddress(name, request.flags) } }
}

/** Binds one more slot to the address, port and family that the first one got. */
export function bindNextSlot(name: SocketName, flags: number): SocketHandle | number {
  if (name.address === undefined || name.port === undefined) return UV.invalid
  return bindTcpHandle(name.address, name.port, name.family === 'IPv6' ? 6 : 4, flags | REUSE_PORT)
}

/** For sockets that were bound by somebody else. */
export function claimAddress(name: SocketName, flags: number): () => void {
  const claim = claimOf(name, flags)
  claims.add(claim)
  return () => void claims.delete(claim)
}

/** Whether the platform lets several sockets share an address. */
export const canShareAddresses = process.platform === 'linux'

function whyTaken(request: ListenRequest): number {
  const probe = bindTcpHandle(request.address, request.port, typeOf(request), request.flags)
  if (typeof probe === 'number') return probe
  const claim = claimOf(nameOf(probe), request.flags)
  probe.close()
  return [...claims].some((other) => overlaps(claim, other)) ? UV.inUse : 0
}

function typeOf(request: ListenRequest): 4 | 6 {
  return request.addressType === 6 ? 6 : 4
}

function claimOf(name: SocketName, flags: number): Claim {
  return { address: name.address ?? '', port: name.port ?? 0, ipv6Only: (flags & IPV6_ONLY) !== 0 }
}

function overlaps(one: Claim, other: Claim): boolean {
  return one.port === other.port && (one.address === other.address || covers(one, other) || covers(other, one))
}

function covers(wide: Claim, narrow: Claim): boolean {
  const isIpv6 = narrow.address.includes(':')
  if (wide.address === '::') return isIpv6 || !wide.ipv6Only
  return wide.address === '0.0.0.0' && !isIpv6
}
