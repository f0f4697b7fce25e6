// Node's own listening handles, bound and not listening: nothing here ever accepts a connection.

import net from 'node:net'
import { constants } from 'node:os'

import type { SocketHandle } from '../protocol/handle.ts'
import type { SocketName } from '../protocol/messages.ts'

/** libuv's errors: negative errnos. */
export const UV = {
  inUse: -constants.errno.EADDRINUSE,
  invalid: -constants.errno.EINVAL,
  notPermitted: -constants.errno.EACCES,
  notAvailable: -constants.errno.EADDRNOTAVAIL,
  notSupported: -constants.errno.ENOTSUP,
  noDescriptors: -constants.errno.EMFILE,
} as const

type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: number | null,
  fd: number,
  flags?: number,
) => SocketHandle | number

// node:cluster's shared handle is made by the same function. It is not in @types/node, hence the cast.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const { _createServerHandle: create } = net as unknown as { _createServerHandle: CreateServerHandle }

/** Binds a TCP socket; null is any address, IPv6 first. Returns the handle or a negative errno. */
export function bindTcpHandle(
  address: string | null,
  port: number,
  addressType: 4 | 6,
  flags: number,
): SocketHandle | number {
  const handle = create(address, port, addressType, -1, flags)
  if (typeof handle === 'number') return handle
  // libuv keeps EADDRINUSE of a bind back until the next call on the handle.
  const errno = handle.getsockname({})
  if (errno === 0) return handle
  handle.close()
  return errno
}

export function bindPipeHandle(path: string): SocketHandle | number {
  return create(path, -1, -1, -1)
}

/** Takes over a descriptor of this process, such as one that systemd passed. Returns a negative errno for any other. */
export function openDescriptor(fd: number): SocketHandle | number {
  return create(null, null, null, fd)
}

/** Empty for a Unix socket: its handles do not know their name. */
export function nameOf(handle: Pick<SocketHandle, 'getsockname'>): SocketName {
  const name: SocketName = {}
  // Absent on Node's pipe handles, against the type that the two kinds share.
  handle.getsockname?.(name)
  return name
}
